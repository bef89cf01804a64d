// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// storm is what goes wrong in a quarter of the requests. Of those that generate a key one in five is answered in a
// way that doesn't tell whether the key was made: for one half of these it was or will be.
func storm(seed uint64, lag, late time.Duration) emulator.Storm {
	const page = "<html><body>Bad gateway</body></html>"
	const post = emulator.OpGenerateKey
	faults := []emulator.Fault{
		emulator.Throttled(post, "2.5"),
		emulator.GatewayTimeout(post),
		emulator.CutAfterCommit(post),
		emulator.HalfAnswer(post),
		emulator.CommitsLate(post, late),
		emulator.Unavailable(post),
		emulator.ServiceProblem(post),
		emulator.CutBeforeWork(post),
		{Op: post, Status: http.StatusBadGateway, ContentType: "text/html", Body: page},
	}
	for _, op := range []emulator.Op{emulator.OpList, emulator.OpGet, emulator.OpCreate} {
		faults = append(faults,
			emulator.Throttled(op, "17"), emulator.Unavailable(op), emulator.CutAfterCommit(op), emulator.HalfAnswer(op),
			emulator.Fault{Op: op, Status: http.StatusBadGateway, ContentType: "text/html", Body: page})
	}
	// The rate is the share of all that are hit: of nine faults of a key's POST eight leave it in doubt.
	return emulator.Storm{Seed: seed, Rate: 0.225, Faults: faults, Lag: lag}
}

// stormConfig has keys in turn in each set: in the even sets they are told apart by their dates, in the odd ones by
// nothing.
func stormConfig(sets, keys int) string {
	return fmt.Sprintf(`
resource "trustframework_key_set" "test" {
  count = %[1]d
  name  = "Set${count.index}"
}
resource "trustframework_generated_key" "test" {
  count      = %[2]d
  key_set_id = trustframework_key_set.test[count.index %% %[1]d].id
  use        = "sig"
  kty        = "oct"
  exp        = count.index %% 2 == 0 ? %[3]d + count.index : null
}
`, sets, keys, in(1000*time.Hour))
}

// TestAccGeneratedKey_Storm: whatever goes wrong meanwhile, each key is made once and is its resource's own.
func TestAccGeneratedKey_Storm(t *testing.T) {
	t.Parallel()
	dated := regexp.MustCompile(`B2C_1A_Set[02468]/`)
	for _, seed := range []uint64{1} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			const sets, keys = 10, 100
			w := newWorld(t, emulator.Switches{})
			w.SetStorm(storm(seed, 20*time.Second, 30*time.Second))
			tf := w.inProcess(t, w.Provider()+stormConfig(sets, keys))
			o := tf.apply(true)
			owners := tf.owners()
			ambiguous := 0
			for _, e := range w.Requests(emulator.OpGenerateKey) {
				if e.Fault != "" && !strings.HasPrefix(e.Fault, "Lag ") && e.Fault != "Throttled" {
					ambiguous++
				}
			}
			t.Logf("%d POSTs for keys, %d without a clear answer; %d diagnostics", len(w.Requests(emulator.OpGenerateKey)), ambiguous, len(o.diagnostics))
			if len(owners) != keys || ambiguous < keys/10 {
				t.Errorf("%d keys in state, %d POSTs without a clear answer", len(owners), ambiguous)
			}
			for _, kid := range w.kidsWithout(owners) {
				t.Errorf("key %s is nobody's", kid)
			}
			for kid := range owners {
				if !slices.Contains(w.kids(), kid) {
					t.Errorf("key %s isn't there", kid)
				}
			}
			for _, d := range o.diagnostics {
				switch {
				case d.Severity == "warning" && withoutIDs(d.Summary) == "Key set found after a lost answer":
				case d.Severity == "warning" && withoutIDs(d.Summary) == "Key found after a lost answer":
					if !slices.ContainsFunc(w.kids(), func(kid string) bool { return owners[kid] == d.Address && strings.Contains(d.Detail, kid) }) {
						t.Errorf("%s: %s", d.Address, d.Detail)
					}
				default:
					t.Errorf("%s: %s: %s", d.Address, d.Summary, d.Detail)
				}
			}
			w.checkNoOverlap(t)
			// Where dates don't tell keys apart, a refresh may come to a key whose answer was lost before it comes to its
			// siblings, and then asks whose these are.
			w.clock.Advance(time.Minute)
			second, changes := tf.plan()
			if changes {
				t.Errorf("the next plan has changes: %v", second.actions())
			}
			for _, d := range second.diagnostics {
				doubt := withoutIDs(d.Summary) == "Key may have been made twice" || withoutIDs(d.Summary) == "Key may belong to a lost request"
				if d.Severity != "warning" || !doubt || dated.MatchString(d.Detail) {
					t.Errorf("%s: %s: %s", d.Address, d.Summary, d.Detail)
				}
			}
		})
	}
}

// TestAccGeneratedKey_StormBeyondSettleTime: commits that show long after they were given up for lost may leave keys
// that no resource owns, and each of these is named.
func TestAccGeneratedKey_StormBeyondSettleTime(t *testing.T) {
	t.Parallel()
	const sets, keys, seed = 3, 30, 1
	w := newWorld(t, emulator.Switches{})
	const late = 10 * time.Minute
	weather := storm(seed, 0, late)
	weather.Faults = append(weather.Faults, slices.Repeat([]emulator.Fault{emulator.CommitsLate(emulator.OpGenerateKey, late)}, 8)...)
	w.SetStorm(weather)
	tf := w.inProcess(t, w.Provider()+stormConfig(sets, keys))
	applied := tf.run("apply", "-auto-approve", "-input=false")
	w.SetStorm(emulator.Storm{})
	w.clock.Advance(late)
	refreshed := tf.apply(true, "-refresh-only")
	owners := tf.owners()
	unowned := w.kidsWithout(owners)
	t.Logf("apply ended with %d; %d keys in state, %d that nobody owns", applied.exit, len(owners), len(unowned))
	if len(unowned) == 0 {
		t.Error("no key came too late: the test shows nothing")
	}
	for kid := range owners {
		if !slices.Contains(w.kids(), kid) {
			t.Errorf("key %s isn't there", kid)
		}
	}
	for _, kid := range unowned {
		told := slices.ContainsFunc(slices.Concat(applied.diagnostics, refreshed.diagnostics), func(d diagnostic) bool { return strings.Contains(d.Detail, kid) })
		// An error that a key may have been made names the set: nobody can know the kid yet.
		told = told || slices.ContainsFunc(applied.diagnostics, func(d diagnostic) bool {
			return d.Severity == "error" && strings.Contains(d.Detail, "may still appear") && strings.Contains(d.Detail, w.setOf(kid))
		})
		if !told {
			t.Errorf("nobody has told of key %s", kid)
		}
	}
	w.checkNoOverlap(t)
}

// owners are the addresses of the keys in the state, by kid.
func (tf *client) owners() map[string]string {
	tf.t.Helper()
	owners := map[string]string{}
	for _, r := range tf.read().Resources {
		for _, instance := range r.Instances {
			if kid, ok := instance.Attributes["kid"].(string); ok && instance.Status == "" {
				if owners[kid] != "" {
					tf.t.Errorf("two resources own key %s", kid)
				}
				owners[kid] = fmt.Sprintf("%s.%s[%v]", r.Type, r.Name, instance.IndexKey)
			}
		}
	}
	return owners
}

// kids are those of all keys that the tenant really holds.
func (w *world) kids() []string {
	var kids []string
	for _, set := range w.KeySets() {
		for _, key := range set.Keys {
			kids = append(kids, key.Kid)
		}
	}
	return kids
}

// kidsWithout are the kids of keys that have no owner.
func (w *world) kidsWithout(owners map[string]string) []string {
	return slices.DeleteFunc(w.kids(), func(kid string) bool { return owners[kid] != "" })
}

// setOf is the id of the key set that holds a key.
func (w *world) setOf(kid string) string {
	for _, set := range w.KeySets() {
		if slices.ContainsFunc(set.Keys, func(k emulator.Key) bool { return k.Kid == kid }) {
			return set.ID
		}
	}
	return ""
}

// checkNoOverlap reports writes that were under way at the same time in one key set.
func (w *world) checkNoOverlap(t *testing.T) {
	t.Helper()
	writes := w.Writes()
	for i, e := range writes {
		for _, other := range writes[:i] {
			if e.KeySet != "" && trustframework.SameID(e.KeySet, other.KeySet) && e.Overlaps(other) {
				t.Errorf("%s and %s overlap on %s", other.Op, e.Op, e.KeySet)
			}
		}
	}
}
