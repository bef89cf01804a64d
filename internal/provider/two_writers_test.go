// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const (
	foundAfterLoss = "Key found after a lost answer"
	tooManyFound   = "now holds several keys that may come of it"
)

// writerConfig is n symmetric keys in a set that exists, with dates from a given one on. The address is
// trustframework_generated_key.test[0] and so on.
func writerConfig(n int, nbf int64) string {
	return fmt.Sprintf(`
resource "trustframework_generated_key" "test" {
  count      = %d
  key_set_id = "Shared"
  use        = "sig"
  kty        = "oct"
  nbf        = %d + count.index
}
`, n, nbf)
}

// kids are those of the keys in a state, by nbf.
func (tf *client) kids() map[float64]string {
	tf.t.Helper()
	kids := map[float64]string{}
	for _, i := range tf.instances("trustframework_generated_key.test") {
		nbf, _ := i.Attributes["nbf"].(float64)
		kids[nbf], _ = i.Attributes["kid"].(string)
	}
	return kids
}

// TestAccTwoWriters_LostAnswer lets another apply, with a state of its own, make a key in the set between
// a request whose answer is lost and the search for what became of it. It is the worst moment: the key is
// new to the one who searches.
func TestAccTwoWriters_LostAnswer(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	for name, row := range map[string]struct {
		fault  emulator.Fault
		equal  bool // both ask for a key of the same use, kty and dates
		ok     bool
		found  bool // by the search; else no word is said
		shared bool // one key ends up in both states
		keys   int
	}{
		"made, distinct dates":     {fault: emulator.GatewayTimeout(op), ok: true, found: true, keys: 2},
		"not made, distinct dates": {fault: emulator.Unavailable(op), ok: true, keys: 2},
		"made, equal dates":        {fault: emulator.GatewayTimeout(op), equal: true, keys: 2},
		"not made, equal dates":    {fault: emulator.Unavailable(op), equal: true, ok: true, found: true, shared: true, keys: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Shared")
			w.Inject(row.fault)
			distance := time.Hour
			if row.equal {
				distance = 0
			}
			one := w.inProcess(t, w.Provider()+writerConfig(1, in(time.Hour)))
			other := w.inProcess(t, w.Provider()+writerConfig(1, in(time.Hour+distance)))
			w.onAnswer(op, 1, func() {
				if o := other.apply(true); len(o.diagnostics) > 0 && !row.equal {
					t.Errorf("the other writer hears %v", o.diagnostics)
				}
			})
			o := one.apply(row.ok)
			mine, theirs := one.kids()[float64(in(time.Hour))], other.kids()[float64(in(time.Hour+distance))]
			if row.found != o.has("warning", foundAfterLoss, mine, "If another process may have made a key") {
				t.Errorf("found: %t, got %v", row.found, o.diagnostics)
			}
			if (row.ok && mine == "") || theirs == "" || row.shared != (mine == theirs) {
				t.Errorf("kids %q and %q", mine, theirs)
			}
			on := w.keys("B2C_1A_Shared")
			if len(on) != row.keys {
				t.Errorf("%d keys on the server, want %d", len(on), row.keys)
			}

			// The key that is in no state is named, with all that may be it, and the import says which is free.
			for _, k := range on {
				if !row.ok && !o.has("error", "Unable to generate key", tooManyFound, "terraform import trustframework_generated_key.NAME B2C_1A_Shared/"+k.Kid) {
					t.Errorf("key %s isn't named: %v", k.Kid, o.diagnostics)
				}
				if !row.ok && k.Kid != theirs {
					one.command("import", "trustframework_generated_key.test[0]", "B2C_1A_Shared/"+k.Kid)
				}
			}
			// One that is in both states is given up by one of them, which then makes its own.
			if row.shared {
				one.command("state", "rm", "trustframework_generated_key.test[0]")
				o := one.apply(true)
				if !o.has("warning", "Key may exist already", theirs) || one.kids()[float64(in(time.Hour))] == theirs {
					t.Errorf("%v: %v", one.kids(), o.diagnostics)
				}
			}
			w.expectEachInOneState(t, one, other)
			for _, tf := range []*client{one, other} {
				if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
					t.Errorf("changes: %t, %v", changes, o.diagnostics)
				}
			}
		})
	}
}

// TestAccTwoWriters_TheOthersKeyShowsFirst: the one that searches takes the other's key, for its own doesn't show yet. When
// it does, a refresh names it.
func TestAccTwoWriters_TheOthersKeyShowsFirst(t *testing.T) {
	t.Parallel()
	const op, lag = emulator.OpGenerateKey, 30 * time.Second
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Shared")
	w.Inject(emulator.GatewayTimeout(op).WithLag(lag))
	one := w.inProcess(t, w.Provider()+writerConfig(1, in(time.Hour)))
	other := w.inProcess(t, w.Provider()+writerConfig(1, in(time.Hour)))
	w.onAnswer(op, 1, func() { other.apply(true) })
	o := one.apply(true)
	taken := other.kids()[float64(in(time.Hour))]
	if !o.has("warning", foundAfterLoss, taken) || one.kids()[float64(in(time.Hour))] != taken {
		t.Fatalf("took %v, not %q: %v", one.kids(), taken, o.diagnostics)
	}
	w.clock.Advance(lag)
	o = one.apply(true, "-refresh-only")
	for _, k := range w.keys("B2C_1A_Shared") {
		if named := o.has("warning", "Key may belong to a lost request", "terraform import trustframework_generated_key.NAME B2C_1A_Shared/"+k.Kid); named != (k.Kid != taken) {
			t.Errorf("key %s named: %t, %v", k.Kid, named, o.diagnostics)
		}
	}
	if o, changes := one.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("once that is recorded: changes: %t, %v", changes, o.diagnostics)
	}
	if n := len(w.Requests(op)); n != 2 || len(w.keys("B2C_1A_Shared")) != 2 {
		t.Errorf("%d POSTs, keys %v", n, w.keys("B2C_1A_Shared"))
	}
}

// expectEachInOneState compares the keys of the shared set with what the writers have in state.
func (w *world) expectEachInOneState(t *testing.T, writers ...*client) {
	t.Helper()
	var inState, onServer []string
	for _, tf := range writers {
		for _, kid := range tf.kids() {
			inState = append(inState, kid)
		}
	}
	for _, k := range w.keys("B2C_1A_Shared") {
		onServer = append(onServer, k.Kid)
	}
	slices.Sort(inState)
	slices.Sort(onServer)
	if !slices.Equal(inState, onServer) {
		t.Errorf("in the states %q, on the server %q", inState, onServer)
	}
}

// meeting holds the first request that makes a key of each of two writers until the other's is there.
func meeting() func(http.RoundTripper) http.RoundTripper {
	var arrived atomic.Int32
	both := make(chan struct{})
	return func(next http.RoundTripper) http.RoundTripper {
		var first sync.Once
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/generateKey") {
				first.Do(func() {
					if arrived.Add(1) == 2 {
						close(both)
					}
					select {
					case <-both:
					case <-req.Context().Done(): // the other has failed
					}
				})
			}
			return next.RoundTrip(req)
		})
	}
}

// TestAccTwoWriters_AtOnce lets two applies with states of their own write to one set at the same time.
func TestAccTwoWriters_AtOnce(t *testing.T) {
	t.Parallel()
	const op, each = emulator.OpGenerateKey, 3
	for name, row := range map[string]struct {
		switches emulator.Switches
		faults   []emulator.Fault
		refused  bool // the service refuses writes that overlap
	}{
		"and the service takes both":      {},
		"and some answers are lost":       {faults: []emulator.Fault{emulator.GatewayTimeout(op).After(1), emulator.Unavailable(op).After(2)}},
		"and the service refuses overlap": {switches: emulator.Switches{OverlapRefused: true}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Latency is real time: requests that start together are under way together.
			w := newWorldOf(t, start(), emulator.Config{Switches: row.switches, Latency: 50 * time.Millisecond})
			w.AddKeySet("B2C_1A_Shared")
			for _, f := range row.faults {
				w.Inject(f)
			}
			meet := meeting()
			one := w.inProcess(t, w.Provider()+writerConfig(each, in(time.Hour)), meet)
			other := w.inProcess(t, w.Provider()+writerConfig(each, in(2*time.Hour)), meet)
			applies := []*running{one.startApply(), other.startApply()}
			outcomes := []outcome{applies[0].finish(), applies[1].finish()}
			overlaps := 0
			for _, e := range w.Requests(op) {
				if e.Status == http.StatusBadRequest {
					overlaps++
				}
			}
			if row.refused != (overlaps > 0) {
				t.Errorf("%d requests were refused", overlaps)
			}
			w.expectEachInOneState(t, one, other)
			for i, tf := range []*client{one, other} {
				// A request that is refused four times, as it may happen here, is an error.
				if o := outcomes[i]; o.exit != 0 && row.refused && o.has("error", "Unable to generate key", "AADB2C95053") {
					tf.apply(true)
				} else if o.exit != 0 {
					t.Errorf("writer %d: %v %s", i, o.diagnostics, o.stderr)
				}
				for n := range each {
					if nbf := in(time.Duration(i+1)*time.Hour) + int64(n); tf.kids()[float64(nbf)] == "" {
						t.Errorf("writer %d has %v, and no key of %d", i, tf.kids(), nbf)
					}
				}
				if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
					t.Errorf("changes: %t, %v", changes, o.diagnostics)
				}
			}
			w.expectEachInOneState(t, one, other)
		})
	}
}

// TestAccTwoWriters_TwoAliases lets two configurations of the provider, which are two processes and share
// no lock, write to one set in one apply.
func TestAccTwoWriters_TwoAliases(t *testing.T) {
	t.Parallel()
	const op, each = emulator.OpGenerateKey, 3
	w := newRealWorld(t)
	w.AddKeySet("B2C_1A_Shared")
	w.Inject(emulator.GatewayTimeout(op).After(1))
	w.Inject(emulator.Unavailable(op).After(2))
	aliases := []string{"one", "other"}
	var config strings.Builder
	for i, alias := range aliases {
		config.WriteString(strings.Replace(w.Provider("settle_time", `"1s"`), "{\n", fmt.Sprintf("{\n  alias = %q\n", alias), 1))
		keys := strings.Replace(writerConfig(each, leftoverNbf(i)), `"test" {`, fmt.Sprintf("%q {\n  provider   = trustframework.%s", alias, alias), 1)
		config.WriteString(keys)
	}
	tf := ownProcess(t, config.String(), nil)
	o := tf.apply(true)
	var inState, onServer []string
	for _, alias := range aliases {
		for _, i := range tf.instances("trustframework_generated_key." + alias) {
			inState = append(inState, fmt.Sprint(i.Attributes["kid"]))
		}
	}
	for _, k := range w.keys("B2C_1A_Shared") {
		onServer = append(onServer, k.Kid)
	}
	slices.Sort(inState)
	slices.Sort(onServer)
	if !slices.Equal(inState, onServer) || len(onServer) != 2*each {
		t.Errorf("in state %q, on the server %q", inState, onServer)
	}
	if !o.has("warning", foundAfterLoss) {
		t.Errorf("nothing is said of the lost answer: %v", o.diagnostics)
	}
	if got := len(w.Requests(op)); got != 2*each+1 {
		t.Errorf("%d POSTs", got)
	}
}
