// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// lost are the faults after which a request is worked on, seen only after a while, and nobody knows of it.
func lost(lag time.Duration) []emulator.Fault {
	const op = emulator.OpGenerateKey
	return []emulator.Fault{emulator.GatewayTimeout(op).WithLag(lag), emulator.Unavailable(op).Repeat(3)}
}

// rotationStep is an apply of a rotation, and the plan after it.
type rotationStep struct {
	wait      time.Duration          // before it
	by        func(*world, rotation) // what others do before it
	arguments []string
	flags     []string
	faults    []emulator.Fault
	fails     bool
	plan      bool     // whether it is planned at all
	says      []string // in the apply's diagnostics; none means silence
	not       string   // in none of them
	want      string   // the keys in state
}

// TestAccKeyRotation_Doubt goes through runs that follow one whose request was lost, refused or half done: each key that was asked for
// is made once, and each change of rotate_when_changed makes one.
func TestAccKeyRotation_Doubt(t *testing.T) {
	t.Parallel()
	const (
		op             = emulator.OpGenerateKey
		failed, found  = "Unable to rotate keys", "Key found after a lost answer"
		twice          = "Key may have been made twice"
		first          = "none, 0d to 120d"
		refusedMessage = "not today"
	)
	refused := emulator.Fault{Op: op, Status: http.StatusBadRequest, Code: "AADB2C", Message: refusedMessage}
	one, two := []string{`rotate_when_changed = { a = "1" }`}, []string{`rotate_when_changed = { a = "2" }`}
	for name, row := range map[string]struct {
		switches emulator.Switches
		lag      time.Duration // of everything
		disabled int           // keys in the end
		begin    []string
		then     func(*world, rotation) // after the first apply
		steps    []rotationStep
	}{
		"a due key is lost, and another asked for before it shows": {
			begin: one,
			steps: []rotationStep{
				{wait: 89 * day, arguments: one, faults: lost(5 * time.Hour), fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, arguments: two, plan: true, want: first + ", 90d to 210d"},
				{wait: 6 * time.Hour, arguments: two, says: []string{found}, want: first + ", 90d to 210d, 90d to 210d"},
				{arguments: two, want: first + ", 90d to 210d, 90d to 210d"},
			},
		},
		"a forced key is lost, and found": {
			begin: one,
			steps: []rotationStep{
				{wait: day, arguments: two, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, arguments: two, plan: true, says: []string{found}, want: first + ", 2d to 122d"}, // only to record the values
				{arguments: two, want: first + ", 2d to 122d"},
				{wait: day, arguments: one, plan: true, want: first + ", 2d to 122d, 3d to 123d"}, // a change like any other
				{wait: day, arguments: two, plan: true, want: first + ", 2d to 122d, 3d to 123d, 4d to 124d"},
			},
		},
		"a forced key is lost, and no longer asked for": {
			begin: one,
			steps: []rotationStep{
				{wait: day, arguments: two, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, arguments: one, says: []string{found}, want: first + ", 2d to 122d"},
				{arguments: one, want: first + ", 2d to 122d"},
			},
		},
		"a forced key is refused": {
			begin: one,
			steps: []rotationStep{
				{wait: day, arguments: two, faults: []emulator.Fault{refused}, fails: true, plan: true, says: []string{failed, refusedMessage, "The request made no key."}, want: first},
				{arguments: two, plan: true, want: first + ", 2d to 122d"},
				{arguments: two, want: first + ", 2d to 122d"},
			},
		},
		"a twin shows later": {
			steps: []rotationStep{
				{wait: 89 * day, faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(30 * time.Minute)}, plan: true, want: first + ", 90d to 210d"},
				{want: first + ", 90d to 210d"},
				{wait: time.Hour, says: []string{twice, "terraform import"}, want: first + ", 90d to 210d"},
				{want: first + ", 90d to 210d"}, // told once
			},
		},
		"the safety net is made, and the key after it refused": {
			then: disabled(0),
			steps: []rotationStep{
				{wait: 89 * day, faults: []emulator.Fault{refused.After(1)}, fails: true, plan: true, says: []string{failed, refusedMessage, "was made before that, and is in state"}, not: "Nothing was changed", want: "none, " + first},
				{plan: true, want: "none, " + first + ", 90d to 210d"},
			},
			disabled: 1,
		},
		"a safety net is lost for ever, and somebody makes one much later": {
			then: disabled(0),
			steps: []rotationStep{
				{wait: day, faults: []emulator.Fault{emulator.Unavailable(op).Repeat(4)}, fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, plan: true, want: "none, " + first},
				{wait: 60 * day, by: func(w *world, _ rotation) { w.AddKey("B2C_1A_Signing", emulator.KeySpec{}) }, want: "none, " + first},
				{want: "none, " + first},
			},
			disabled: 1,
		},
		"a lost key that was made disabled": {
			switches: emulator.Switches{DisabledAtFirst: true},
			steps: []rotationStep{
				{wait: 89 * day, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				// Somebody may have had a reason to disable it.
				{wait: time.Hour, plan: true, says: []string{found}, want: first + ", 90d to 210d, 90d to 210d"},
				{want: first + ", 90d to 210d, 90d to 210d"},
			},
			disabled: 1,
		},
		"a safety net is lost, and a key asked for": {
			begin: one, then: disabled(0),
			steps: []rotationStep{
				{wait: day, arguments: two, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, arguments: two, plan: true, says: []string{found}, want: "none, " + first + ", 2d to 122d"},
				{arguments: two, want: "none, " + first + ", 2d to 122d"},
			},
			disabled: 1,
		},
		"a safety net is lost for ever, and a key asked for is refused": {
			begin: one, then: disabled(0),
			steps: []rotationStep{
				{wait: day, arguments: two, faults: []emulator.Fault{emulator.Unavailable(op).Repeat(4)}, fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, arguments: two, faults: []emulator.Fault{refused.After(1)}, fails: true, plan: true, says: []string{failed}, want: "none, " + first},
				{arguments: two, plan: true, want: "none, " + first + ", 2d to 122d"},
			},
			disabled: 1,
		},
		"a forced key is lost, no longer asked for, and asked for again": {
			begin: one,
			steps: []rotationStep{
				{wait: day, arguments: two, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, arguments: one, says: []string{found}, want: first + ", 2d to 122d"},
				{wait: 10 * day, arguments: two, plan: true, want: first + ", 2d to 122d, 12d to 132d"},
			},
		},
		"a forced key is lost, and disabled by somebody": {
			begin: one,
			steps: []rotationStep{
				{wait: day, arguments: two, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				{
					wait: time.Hour, by: func(w *world, _ rotation) { w.SetKeyStatus("B2C_1A_Signing", w.keys("B2C_1A_Signing")[2].Kid, false) },
					arguments: two, plan: true, says: []string{found}, want: first + ", 2d to 122d, 2d to 122d",
				},
				{arguments: two, want: first + ", 2d to 122d, 2d to 122d"},
			},
			disabled: 1,
		},
		"a key that is late to show, and is disabled by somebody": {
			lag: 10 * time.Second,
			steps: []rotationStep{
				{wait: 89 * day, plan: true, want: first + ", 90d to 210d"},
				{wait: time.Minute, by: disabled(2), plan: true, want: first + ", 90d to 210d, 90d to 210d"},
				{want: first + ", 90d to 210d, 90d to 210d"},
			},
			disabled: 1,
		},
		"a key that nobody has seen since, and is disabled by somebody": {
			switches: emulator.Switches{DisabledAtFirst: true}, begin: one,
			steps: []rotationStep{
				{wait: 89 * day, arguments: one, faults: []emulator.Fault{{Op: emulator.OpPatchKey, Status: http.StatusForbidden, Times: -1}}, plan: true, says: []string{"Key is made, but may be disabled"}, want: first + ", 90d to 210d"},
				{wait: 5 * day, arguments: two, flags: []string{"-refresh=false"}, plan: true, want: first + ", 90d to 210d, 95d to 215d"},
				{arguments: two, want: first + ", 90d to 210d, 95d to 215d"},
			},
			disabled: 1,
		},
		"a lost key, and no refresh": {
			steps: []rotationStep{
				{wait: 89 * day, faults: lost(30 * time.Minute), fails: true, plan: true, says: []string{failed}, want: first},
				{wait: time.Hour, flags: []string{"-refresh=false"}, plan: true, says: []string{found}, want: first + ", 90d to 210d"},
				{want: first + ", 90d to 210d"},
			},
		},
		"a key that was enabled, and is disabled by somebody": {
			switches: emulator.Switches{DisabledAtFirst: true},
			steps: []rotationStep{
				{wait: 89 * day, plan: true, want: first + ", 90d to 210d"},
				{want: first + ", 90d to 210d"}, // it is seen enabled
				{wait: time.Minute, by: disabled(2), plan: true, want: first + ", 90d to 210d, 90d to 210d"},
				{by: func(w *world, r rotation) { w.SetKeyStatus("B2C_1A_Signing", r.Keys[2].Kid, true) }, want: first + ", 90d to 210d, 90d to 210d"},
			},
		},
		"keys that can't be enabled at once": {
			switches: emulator.Switches{DisabledAtFirst: true},
			steps: []rotationStep{
				{wait: 89 * day, faults: []emulator.Fault{{Op: emulator.OpPatchKey, Status: http.StatusForbidden, Times: -1}}, plan: true, says: []string{"Key is made, but may be disabled"}, want: first + ", 90d to 210d"},
				{plan: true, want: first + ", 90d to 210d"},
				{want: first + ", 90d to 210d"},
			},
		},
		"the statuses can't be read for an outage": {
			steps: []rotationStep{
				{wait: 88 * day, faults: []emulator.Fault{{Op: emulator.OpListKeys, Status: http.StatusInternalServerError, Times: -1}}, says: []string{"Unable to read keys' statuses"}, want: first},
				{wait: day, faults: []emulator.Fault{{Op: emulator.OpListKeys, Status: http.StatusInternalServerError, Times: -1}}, plan: true, says: []string{"Unable to read keys' statuses"}, want: first + ", 90d to 210d"},
				{want: first + ", 90d to 210d"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.AddKeySet("B2C_1A_Signing")
			w.SetLag(row.lag)
			tf := w.inProcess(t, w.Provider()+rotationConfig(row.begin...))
			tf.apply(true)
			if row.then != nil {
				row.then(w, tf.rotation())
			}
			for i, step := range row.steps {
				w.clock.Advance(step.wait)
				if step.by != nil {
					step.by(w, tf.rotation())
				}
				for _, f := range step.faults {
					w.Inject(f)
				}
				tf.configure(w.Provider() + rotationConfig(step.arguments...))
				o := tf.apply(!step.fails, step.flags...)
				if planned := o.actions()[rotationAddress] == "update"; planned != step.plan {
					t.Errorf("step %d: planned %t, %v", i+1, planned, o.diagnostics)
				}
				said := ""
				for _, d := range o.diagnostics {
					said += withoutIDs(d.Summary) + ": " + d.Detail + "\n"
				}
				for _, text := range step.says {
					if !strings.Contains(said, text) {
						t.Errorf("step %d: no %q in %s", i+1, text, said)
					}
				}
				if len(step.says) == 0 && said != "" || step.not != "" && strings.Contains(said, step.not) {
					t.Errorf("step %d: %s", i+1, said)
				}
				if r := tf.rotation(); sameDates(r.dates()) != sameDates(step.want) {
					t.Errorf("step %d: keys %s, want %s", i+1, r.dates(), step.want)
				}
				w.ClearFaults()
			}
			count := 0
			for _, k := range w.keys("B2C_1A_Signing") {
				if k.Status != "enabled" {
					count++
				}
			}
			if count != row.disabled {
				t.Errorf("%d keys are disabled in the end", count)
			}
		})
	}
}

// TestAccKeyRotation_ReplaceInTheSameSet: the keys that the rotation before has left behind are nobody's leftovers.
func TestAccKeyRotation_ReplaceInTheSameSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+rotationConfig())
	tf.apply(true)
	w.clock.Advance(10 * day)
	o := tf.apply(true, "-replace="+rotationAddress)
	if o.actions()[rotationAddress] != "replace" || slices.ContainsFunc(o.diagnostics, func(d diagnostic) bool { return strings.Contains(d.Detail, "left over") }) {
		t.Errorf("%v, %v", o.actions(), o.diagnostics)
	}
	if r := tf.rotation(); r.dates() != "11d to 131d" || w.datesOnServer("B2C_1A_Signing") != "none, 0d to 120d, 11d to 131d" {
		t.Errorf("keys %s, on the server %s", r.dates(), w.datesOnServer("B2C_1A_Signing"))
	}
}

// TestAccKeyRotation_Unknown: arguments that only the apply knows are planned, and come to what known ones do.
func TestAccKeyRotation_Unknown(t *testing.T) {
	t.Parallel()
	const late = "\nresource \"terraform_data\" \"late\" {\n  input = { set = \"Signing\", use = \"sig\", days = 90, text = \"one\" }\n}\n"
	arguments := []string{
		"key_set_id = terraform_data.late.output.set", "use = terraform_data.late.output.use", "rotation_days = terraform_data.late.output.days",
		"overlap_days = terraform_data.late.output.days - 60", "rotate_when_changed = { a = terraform_data.late.output.text }",
	}
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+rotationConfig(arguments...)+late)
	if o := tf.apply(true); len(o.diagnostics) > 0 {
		t.Errorf("%v", o.diagnostics)
	}
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("%s", o.stdout)
	}
	w.clock.Advance(day)
	// Of these only the values of the map may change in place.
	arguments = append(slices.Clone(arguments), `key_set_id = "Signing"`, `use = "sig"`)
	tf.configure(w.Provider() + rotationConfig(arguments...) + strings.Replace(late, `"one"`, `"two"`, 1))
	if o := tf.apply(true); len(o.diagnostics) > 0 || o.actions()[rotationAddress] != "update" {
		t.Errorf("%v, %v", o.actions(), o.diagnostics)
	}
	if r := tf.rotation(); r.dates() != "none, 0d to 120d, 2d to 122d" {
		t.Errorf("keys %s", r.dates())
	}
	tf.configure(w.Provider() + rotationConfig(arguments...) + strings.Replace(late, "days = 90", "days = 61", 1))
	if o := tf.apply(false); !o.has("error", "Invalid rotation", "overlap_days = 1 must be longer") {
		t.Errorf("%v", o.diagnostics)
	}
}

// TestKeyRotation_Stopped: a stop between the safety net and the key after it leaves the one in state, and the other for the next apply.
func TestKeyRotation_Stopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	s := newServer(t, w)
	w.onAnswer(emulator.OpGenerateKey, 1, func() {
		if _, err := s.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
			t.Error(err)
		}
	})
	config := rotationSettings{rotation: 90, delay: 1, overlap: 30, net: true}.config()
	made, said, err := s.change(managed{name: "trustframework_key_rotation"}, config)
	if err != nil || said.failed() || !strings.Contains(said.String(), "Rotation begins without its first dated key") || len(w.keys("B2C_1A_Signing")) != 1 {
		t.Errorf("%d keys, %v, %s", len(w.keys("B2C_1A_Signing")), err, said)
	}
	s.configure()
	made, _ = s.refresh(made)
	if _, said, err := s.changeIfPlanned(made, config); err != nil || len(said) > 0 || w.datesOnServer("B2C_1A_Signing") != "none, 1d to 121d" {
		t.Errorf("%s, %v, %s", w.datesOnServer("B2C_1A_Signing"), err, said)
	}
}
