// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// aloneVariable makes a test run that wants a process to itself: goroutines, memory and connections of other tests
// can't be told from its own.
const aloneVariable = "TRUSTFRAMEWORK_TEST_ALONE"

// alone runs the calling test in a process of its own, and returns false there and true here.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVariable) != "" {
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	command.Env = append(os.Environ(), aloneVariable+"=1", "TF_ACC=")
	output, err := command.CombinedOutput()
	for line := range strings.Lines(string(output)) {
		if !strings.HasPrefix(line, "{") { // the log of the providers
			t.Log(strings.TrimRight(line, "\n"))
		}
	}
	if err != nil {
		t.Error(err)
	}
	return true
}

// setsVariable is how many key sets TestProtocol_Large makes: make large says 200.
const setsVariable = "TRUSTFRAMEWORK_TEST_SETS"

// TestProtocol_Large makes key sets with ten keys each, ten at a time as a client does, reads them in another provider,
// and destroys them in a third one: with no request too many, in bounded memory, over few connections, and with none
// and no goroutine left at the end.
func TestProtocol_Large(t *testing.T) {
	t.Parallel()
	if alone(t) {
		return
	}
	const keys, parallelism = 10, 10
	sets := 40
	if text := os.Getenv(setsVariable); text != "" {
		var err error
		if sets, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // behind the end of the emulator
	w := newWorld(t, emulator.Switches{})
	var transports []*http.Transport
	collect := func(base http.RoundTripper) http.RoundTripper {
		if transport, ok := base.(*http.Transport); ok {
			transports = append(transports, transport)
		}
		return base
	}

	closeAll := func(name string) {
		t.Helper()
		for _, transport := range transports {
			transport.CloseIdleConnections()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for {
			open, _ := w.Server.Connections()
			if open == 0 {
				return
			}
			if err := (clock.Real{}).Sleep(ctx, time.Millisecond); err != nil {
				t.Fatalf("%s: %d connections are left", name, open)
			}
		}
	}
	phase := func(name string, want map[emulator.Op]int) {
		t.Helper()
		if err := w.CheckRequests(want)(nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// net/http may dial while another connection comes free.
		if open, _ := w.Server.Connections(); open > 2*parallelism {
			t.Errorf("%s: %d connections", name, open)
		}
		closeAll(name)
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		t.Logf("%s: %d MiB of heap in use, %d MiB peak RSS, provider and emulator together", name, memory.HeapInuse>>20, peakRSS(t)>>20)
		if memory.HeapInuse > 256<<20 {
			t.Errorf("%s: %d bytes of heap in use", name, memory.HeapInuse)
		}
	}

	objects := make([]managed, sets+sets*keys)
	apply := newServerWith(t, w, w.Variables(), collect)
	each := func(first, last int, do func(i int)) {
		numbers := make(chan int)
		var workers sync.WaitGroup
		for range parallelism {
			workers.Go(func() {
				for i := range numbers {
					do(i)
				}
			})
		}
		for i := first; i < last; i++ {
			numbers <- i
		}
		close(numbers)
		workers.Wait()
	}
	create := func(i int) {
		resource, attributes := "trustframework_key_set", map[string]string{"name": fmt.Sprintf("Set%d", i)}
		if i >= sets {
			resource, attributes = "trustframework_generated_key", map[string]string{"key_set_id": fmt.Sprintf("Set%d", i%sets), "use": "sig", "kty": "oct"}
		}
		made, err := apply.create(resource, attributes)
		if err != nil {
			t.Error(err)
		}
		objects[i] = made
	}
	each(0, sets, create)
	each(sets, len(objects), create)
	if t.Failed() {
		return
	}
	phase("apply", map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: sets, emulator.OpGenerateKey: sets * keys})

	plan := newServerWith(t, w, w.Variables(), collect)
	each(0, len(objects), func(i int) {
		had := apply.attributes(objects[i])
		if after, said := plan.refresh(objects[i]); !maps.Equal(plan.attributes(after), had) || len(said) > 0 {
			t.Errorf("%q; the state has %v, had %v", said, plan.attributes(after), had)
		}
	})
	phase("refresh", map[emulator.Op]int{emulator.OpList: 1})

	destroy := newServerWith(t, w, w.Variables(), collect)
	each(0, len(objects), func(i int) {
		i = len(objects) - 1 - i // keys come first
		if after, said := destroy.destroy(objects[i]); after.state != nil || len(said) > 0 {
			t.Errorf("%q; the state has %v", said, destroy.attributes(after))
		}
	})
	phase("destroy", map[emulator.Op]int{emulator.OpDelete: sets})

	_, most := w.Server.Connections()
	t.Logf("%d key sets, %d keys: at most %d connections at once", sets, sets*keys, most)
	if most > 2*parallelism {
		t.Errorf("%d connections at once", most)
	}
}

// peakRSS is how much memory this process has had at once, in bytes, as Linux counts it; 0 elsewhere.
func peakRSS(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
