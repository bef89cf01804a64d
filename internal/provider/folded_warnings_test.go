// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// threeKeys are three keys in one set, of which none is used soon.
func threeKeys() string {
	config := keyConfig(fmt.Sprintf("nbf = %d", in(100*day)))
	for i, name := range []string{"second", "third"} {
		key := resourceConfig("trustframework_generated_key", []string{"key_set_id = trustframework_key_set.test.id", `use = "sig"`, `kty = "RSA"`},
			fmt.Sprintf("nbf = %d", in(time.Duration(200+i)*day)))
		config += strings.Replace(key, `"test"`, fmt.Sprintf("%q", name), 1)
	}
	return config
}

// TestAccWarnings_EachKeyIsReadable: what a person reads of a command names each of three keys of a set, though Terraform shows
// one warning of a summary and folds the rest, and with -compact-warnings shows only summaries.
func TestAccWarnings_EachKeyIsReadable(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	for name, row := range map[string]struct {
		faults  []emulator.Fault
		summary string // of an apply that ends with as many keys as are wanted, and some more
		extra   int
	}{
		"found":      {faults: []emulator.Fault{emulator.CutAfterCommit(op).Repeat(3)}, summary: "found after a lost answer"},
		"made twice": {faults: forEachKey(emulator.GatewayTimeout(op).WithLag(65*time.Second), emulator.Throttled(op, "10")), summary: "may have been made twice", extra: 3},
	} {
		for _, compact := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, compact %t", name, compact), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{})
				for _, f := range row.faults {
					w.Inject(f)
				}
				tf := w.inProcess(t, w.Provider()+threeKeys())
				arguments := []string{"apply", "-auto-approve", "-input=false", "-no-color"}
				if compact {
					arguments = append(arguments, "-compact-warnings")
				}
				shown := tf.command(arguments...)
				w.checkNamed(t, tf, shown, row.summary, row.extra)
			})
		}
	}
}

// forEachKey are faults that hit the first requests for each of three keys, which are made one after the other, and not the
// next one.
func forEachKey(first ...emulator.Fault) (faults []emulator.Fault) {
	for i := range 3 {
		for _, f := range first {
			faults = append(faults, f.After(i))
		}
	}
	return faults
}

// checkNamed checks that each key that is in no state, or each one if there are none, is named on a line with a text.
func (w *world) checkNamed(t *testing.T, tf *client, shown, text string, extra int) {
	t.Helper()
	owned := w.owners(tf)
	var ids []string
	for _, k := range w.keys("B2C_1A_Signing") {
		if owned[k.Kid] == (extra == 0) {
			ids = append(ids, "B2C_1A_Signing/"+k.Kid)
		}
	}
	if want := max(extra, 3); len(ids) != want {
		t.Fatalf("%d keys to be named, want %d: %s", len(ids), want, warningsIn(shown))
	}
	for _, id := range ids {
		if !strings.Contains(shown, fmt.Sprintf("Key %q %s", id, text)) {
			t.Errorf("nobody can read that %s %s:\n%s", id, text, warningsIn(shown))
		}
	}
}

// TestAccWarnings_LateTwins: each of three keys that show late can be read in the one command that sees them first, whichever
// that is, and what was read isn't said again but where the resources end.
func TestAccWarnings_LateTwins(t *testing.T) {
	t.Parallel()
	const twice = "may have been made twice"
	for name, row := range map[string]struct {
		arguments []string
		again     bool // nothing was recorded
		ends      bool
	}{
		"plan":                               {arguments: []string{"plan", "-input=false"}, again: true},
		"plan with compact warnings":         {arguments: []string{"plan", "-input=false", "-compact-warnings"}, again: true},
		"refresh":                            {arguments: []string{"apply", "-refresh-only", "-auto-approve", "-input=false"}},
		"apply":                              {arguments: []string{"apply", "-auto-approve", "-input=false"}},
		"plan of a destroy":                  {arguments: []string{"plan", "-destroy", "-input=false"}, again: true},
		"destroy of the keys":                {arguments: []string{"apply", "-destroy", "-auto-approve", "-input=false", "-target=trustframework_generated_key.test", "-target=trustframework_generated_key.second", "-target=trustframework_generated_key.third"}, ends: true},
		"destroy with compact warnings":      {arguments: []string{"apply", "-destroy", "-auto-approve", "-input=false", "-compact-warnings", "-target=trustframework_generated_key.test", "-target=trustframework_generated_key.second", "-target=trustframework_generated_key.third"}, ends: true},
		"destroy of the keys, not refreshed": {arguments: []string{"apply", "-destroy", "-auto-approve", "-input=false", "-refresh=false", "-target=trustframework_generated_key.test", "-target=trustframework_generated_key.second", "-target=trustframework_generated_key.third"}, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			for _, f := range forEachKey(emulator.GatewayTimeout(emulator.OpGenerateKey).WithLag(time.Hour)) {
				w.Inject(f)
			}
			tf := w.inProcess(t, w.Provider()+threeKeys())
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			w.clock.Advance(2 * time.Hour)
			owned := w.owners(tf)
			shown := tf.command(append(row.arguments, "-no-color")...)
			w.checkTwins(t, owned, shown, twice, true)
			if row.ends {
				return
			}
			w.checkTwins(t, owned, tf.command("plan", "-input=false", "-no-color"), twice, row.again)
			// At the end they are named once more: nobody can name them later.
			w.checkTwins(t, owned, tf.command("plan", "-destroy", "-input=false", "-no-color"), twice, true)
		})
	}
}

// owners are the kids that three keys have in the state.
func (*world) owners(tf *client) map[string]bool {
	owned := map[string]bool{}
	for _, name := range []string{"test", "second", "third"} {
		if kid, ok := tf.state("trustframework_generated_key." + name)["kid"].(string); ok {
			owned[kid] = true
		}
	}
	return owned
}

func (w *world) checkTwins(t *testing.T, owned map[string]bool, shown, text string, want bool) {
	t.Helper()
	twins := 0
	for _, k := range w.keys("B2C_1A_Signing") {
		if owned[k.Kid] {
			continue
		}
		twins++
		if got := strings.Contains(shown, fmt.Sprintf("Key %q %s", "B2C_1A_Signing/"+k.Kid, text)); got != want {
			t.Errorf("that %s %s can be read: %t, want %t:\n%s", k.Kid, text, got, want, warningsIn(shown))
		}
	}
	if twins != 3 {
		t.Errorf("%d twins, want 3", twins)
	}
}

// warningsIn is what a command has shown from its first warning on.
func warningsIn(shown string) string {
	if i := strings.Index(shown, "Warning"); i >= 0 {
		return shown[i:]
	}
	return "no warnings"
}
