// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// createTimeout is one that no default is, so that a create can be told by what it leaves for the time
// before its request: the reserve for a lost answer, with a settle time of a minute, is five of it.
const (
	createTimeout = "77m"
	sendWindow    = 72 * time.Minute
)

// creates is a clock that knows the creates under way.
type creates struct {
	clock.Clock

	mu       sync.Mutex
	contexts []context.Context
	begun    chan struct{} // one for each
}

// WithTimeout implements clock.Clock.
func (c *creates) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := c.Clock.WithTimeout(ctx, d)
	if d == sendWindow {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.contexts = append(c.contexts, ctx)
		c.begun <- struct{}{}
	}
	return ctx, cancel
}

// interrupt waits for n creates to begin, sends Ctrl-C to the client, and waits until each of them has
// heard of it.
func (c *creates) interrupt(r *running, n int) {
	for range n {
		<-c.begun
	}
	r.signalAll(syscall.SIGINT)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ctx := range c.contexts {
		<-ctx.Done()
	}
}

// keysConfig is a key set with symmetric keys of distinct dates, whose addresses are
// trustframework_generated_key.test[0] and so on.
func keysConfig(n int, arguments ...string) string {
	return fmt.Sprintf(`
resource "trustframework_key_set" "test" {
  name = "Signing"
}

resource "trustframework_generated_key" "test" {
  count      = %d
  key_set_id = trustframework_key_set.test.id
  use        = "sig"
  kty        = "oct"
  nbf        = %d + count.index
  timeouts   = { create = %q }
  %s
}
`, n, in(time.Hour), createTimeout, strings.Join(arguments, "\n  "))
}

// TestAccInterrupt_RecordsWhatWasMadeAndMakesNoMore presses Ctrl-C while three keys of one set are to be
// made: one request is under way, and the other creates wait for their turn.
func TestAccInterrupt_RecordsWhatWasMadeAndMakesNoMore(t *testing.T) {
	t.Parallel()
	const generate, keys = emulator.OpGenerateKey, 3
	for name, row := range map[string]struct {
		faults []emulator.Fault
		posts  int // the last of them is the one under way
		reads  int // after it, with the last of them under way
		made   int
		// The create that was under way says this.
		severity, summary string
		texts             []string
	}{
		"while a request is under way": {posts: 1, made: 1},
		"while the last but one is":    {posts: 2, made: 2},
		"while it looks for a lost answer's key": {
			faults: []emulator.Fault{emulator.GatewayTimeout(generate).WithLag(30 * time.Second)},
			posts:  1, reads: 1, made: 1,
			severity: "warning", summary: "Key found after a lost answer", texts: []string{"B2C_1A_Signing"},
		},
		"while it looks for what was never made": {
			faults: []emulator.Fault{emulator.Unavailable(generate)},
			posts:  1, reads: 1,
			severity: "error", summary: "Unable to generate key", texts: []string{"The answer to the request was lost", "may still appear", "Before you apply again"},
		},
		"while it looks for what shows too late": {
			faults: []emulator.Fault{emulator.GatewayTimeout(generate).WithLag(time.Hour)},
			posts:  1, reads: 2,
			severity: "error", summary: "Unable to generate key", texts: []string{"The answer to the request was lost", "may still appear", "Before you apply again"},
		},
		"as a pause is asked for": {
			faults:   []emulator.Fault{emulator.Throttled(generate, "30")},
			posts:    1,
			severity: "error", summary: "Unable to generate key", texts: []string{"context canceled"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			c := &creates{Clock: w.clock, begun: make(chan struct{}, 2*keys)}
			w.seen = c
			w.AddKeySet("B2C_1A_Signing")
			for _, f := range row.faults {
				w.Inject(f)
			}
			config := w.Provider() + keysConfig(keys)
			tf := w.inProcess(t, config)
			tf.command("import", "trustframework_key_set.test", "B2C_1A_Signing")

			started := make(chan *running, 1)
			interrupt := func() { c.interrupt(<-started, keys) }
			w.onAnswer(generate, row.posts, func() {
				if row.reads == 0 {
					interrupt()
					return
				}
				w.onAnswer(emulator.OpGet, row.reads, interrupt)
			})
			r := tf.startApply()
			started <- r
			o := r.finish()
			if o.exit != 1 {
				t.Errorf("the apply ended with %d: %v %s", o.exit, o.diagnostics, o.stderr)
			}
			if row.summary != "" && !o.has(row.severity, row.summary, row.texts...) {
				t.Errorf("no %s %q in %v", row.severity, row.summary, o.diagnostics)
			}
			if got := len(w.Requests(generate)); got != row.posts {
				t.Errorf("%d POSTs, want %d", got, row.posts)
			}
			inState := map[any]bool{}
			for _, k := range tf.instances("trustframework_generated_key.test") {
				inState[k.Attributes["kid"]] = true
			}
			if len(inState) != row.made {
				t.Errorf("in state: %v, want %d", inState, row.made)
			}

			// What was made stays as it is.
			o, _ = tf.plan()
			for address, action := range o.actions() {
				if action != "create" {
					t.Errorf("%s: %s", address, action)
				}
			}
			if got := len(o.actions()); got != keys-row.made {
				t.Errorf("%d actions, want %d", got, keys-row.made)
			}
			for _, k := range w.keys("B2C_1A_Signing") {
				// One that shows only later is in doubt, as the error says.
				if !inState[k.Kid] && row.severity != "error" {
					t.Errorf("key %s is in no state", k.Kid)
				}
			}
		})
	}
}

// TestAccInterrupt_BetweenRequests presses Ctrl-C at the answer that makes the key set.
func TestAccInterrupt_BetweenRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	c := &creates{Clock: w.clock, begun: make(chan struct{}, 1)}
	w.seen = c
	config := w.Provider() + strings.Replace(keysConfig(3), `name = "Signing"`,
		fmt.Sprintf("name = \"Signing\"\n  timeouts = { create = %q }", createTimeout), 1)
	tf := w.inProcess(t, config)
	started := make(chan *running, 1)
	w.onAnswer(emulator.OpCreate, 1, func() { c.interrupt(<-started, 1) })
	r := tf.startApply()
	started <- r
	if o := r.finish(); o.exit != 1 {
		t.Errorf("the apply ended with %d: %v %s", o.exit, o.diagnostics, o.stderr)
	}
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: 1})(nil); err != nil {
		t.Error(err)
	}
	if id := tf.state("trustframework_key_set.test")["id"]; id != "B2C_1A_Signing" {
		t.Errorf("the set in state is %v", id)
	}
	if o, _ := tf.plan(); len(o.actions()) != 3 {
		t.Errorf("to do: %v", o.actions())
	}
}

// TestAccInterrupt_DoesNotWaitForAPauseToEnd presses Ctrl-C in the system's time, on a provider in a
// process of its own, which hears of it from the terminal too.
func TestAccInterrupt_DoesNotWaitForAPauseToEnd(t *testing.T) {
	t.Parallel()
	// Shorter than a read that several creates share may take, which else would fail before Ctrl-C is heard.
	const op, pause = emulator.OpGenerateKey, 4 * time.Minute
	w := newRealWorld(t)
	w.AddKeySet("B2C_1A_Signing")
	w.Inject(emulator.Throttled(op, fmt.Sprint(pause.Seconds())))
	tf := ownProcess(t, w.Provider()+onlyKey(strings.Replace(keysConfig(3), "trustframework_key_set.test.id", `"Signing"`, 1)), nil)
	started := make(chan *running, 1)
	w.onAnswer(op, 1, func() { go func() { (<-started).signalAll(syscall.SIGINT) }() })
	begun := clock.Real{}.Now()
	r := tf.startApply()
	started <- r
	o := r.finish()
	if o.exit != 1 || !o.has("error", "Unable to generate key", "context canceled") {
		t.Errorf("the apply ended with %d: %v %s", o.exit, o.diagnostics, o.stderr)
	}
	if took := (clock.Real{}).Now().Sub(begun); took >= pause {
		t.Errorf("it took %s", took)
	}
	if got := len(w.Requests(op)); got != 1 {
		t.Errorf("%d POSTs", got)
	}
	if got := w.keys("B2C_1A_Signing"); len(got) > 0 {
		t.Errorf("%d keys", len(got))
	}
}

// TestServer_ChangesNothingOnceStopped sends what a client may have had on its way as it heard Ctrl-C.
func TestServer_ChangesNothingOnceStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	s := newServer(t, w)
	set, err := s.create("trustframework_key_set", map[string]string{"name": "Signing"})
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]string{"key_set_id": s.attributes(set)["id"], "use": "sig", "kty": "RSA"}
	before := w.Requests(emulator.OpGenerateKey, emulator.OpDelete)
	for range 2 { // a client may stop it twice
		if _, err := s.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, said := range map[string]func() said{
		"create": func() said { _, said := s.apply("trustframework_generated_key", managed{}, key); return said },
		"delete": func() said { _, said := s.destroy(set); return said },
	} {
		if said := said(); !said.failed() || !strings.Contains(said.String(), "context canceled") {
			t.Errorf("%s: %s", name, said)
		}
	}
	if got := w.Requests(emulator.OpGenerateKey, emulator.OpDelete); len(got) != len(before) {
		t.Errorf("requests after the stop: %v", got[len(before):])
	}

	s.configure()
	if _, err := s.create("trustframework_generated_key", key); err != nil {
		t.Errorf("the next command: %v", err)
	}
}
