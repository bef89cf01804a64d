// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccKeyRotation_Update: an apply at some time after the first one, with other arguments or without, makes the keys that are
// due then and no other.
func TestAccKeyRotation_Update(t *testing.T) {
	t.Parallel()
	const tooLate = "Key rotation comes too late"
	const update, none = "update", ""
	const net = "none, "
	noNet := []string{"safety_net = false"}
	for name, row := range map[string]struct {
		before, after []string
		wait          time.Duration
		then          func(w *world, r rotation)
		action        string
		want          string
		warning       string
	}{
		"a day late":                            {wait: 90 * day, action: update, want: "none, 0d to 120d, 91d to 211d"},
		"as late as the overlap":                {wait: 119 * day, action: update, want: "none, 0d to 120d, 120d to 240d"},
		"as late as the overlap, no net":        {before: noNet, after: noNet, wait: 119 * day, action: update, want: "0d to 120d, 120d to 240d"},
		"later than the overlap":                {wait: 119*day + time.Second, action: update, want: "none, 0d to 120d, 120d1s to 240d1s"},
		"later than the overlap, no net":        {before: noNet, after: noNet, wait: 119*day + time.Second, action: update, want: "0d to 120d, 119d1s to 239d1s", warning: tooLate},
		"long overdue":                          {wait: 400 * day, action: update, want: "none, 0d to 120d, 401d to 521d"},
		"long overdue, no net":                  {before: noNet, after: noNet, wait: 400 * day, action: update, want: "0d to 120d, 400d to 520d", warning: tooLate},
		"rotate_when_changed is new":            {after: []string{`rotate_when_changed = { a = "1" }`}, wait: day, action: update, want: "none, 0d to 120d"},
		"rotate_when_changed changes":           {before: []string{`rotate_when_changed = { a = "1" }`}, after: []string{`rotate_when_changed = { a = "2" }`}, wait: day, action: update, want: "none, 0d to 120d, 2d to 122d"},
		"rotate_when_changed is gone":           {before: []string{`rotate_when_changed = { a = "1" }`}, wait: day, action: update, want: "none, 0d to 120d, 2d to 122d"},
		"rotate_when_changed, no net":           {before: append([]string{`rotate_when_changed = { a = "1" }`}, noNet...), after: append([]string{`rotate_when_changed = { a = "2" }`}, noNet...), wait: day, action: update, want: "0d to 120d, 2d to 122d"},
		"a shorter rotation, not due":           {after: []string{"rotation_days = 30"}, wait: day, action: update, want: "none, 0d to 120d"},
		"a shorter rotation, due":               {after: []string{"rotation_days = 30"}, wait: 29 * day, action: update, want: "none, 0d to 120d, 30d to 90d"},
		"a longer rotation is due as before":    {after: []string{"rotation_days = 365"}, wait: 89 * day, action: update, want: "none, 0d to 120d, 90d to 485d"},
		"a longer overlap is due earlier":       {after: []string{"overlap_days = 60"}, wait: 59 * day, action: update, want: "none, 0d to 120d, 60d to 210d"},
		"a longer delay is due earlier":         {after: []string{"activation_delay_days = 10"}, wait: 80 * day, action: update, want: "none, 0d to 120d, 90d to 210d"},
		"the safety net is asked for":           {before: noNet, wait: day, action: update, want: "none, 0d to 120d"},
		"the safety net isn't asked for":        {after: noNet, wait: day, action: update, want: "none, 0d to 120d"},
		"timeouts change":                       {after: []string{`timeouts = { update = "30m" }`}, wait: day, action: update, want: "none, 0d to 120d"},
		"the set's spelling changes":            {after: []string{`key_set_id = "signing"`}, wait: day, action: none, want: "none, 0d to 120d"},
		"the newest is disabled by hand":        {wait: day, then: disabled(1), action: update, want: "none, 0d to 120d, 2d to 122d"},
		"the newest is disabled, no net":        {before: noNet, after: noNet, wait: day, then: disabled(0), action: update, want: "0d to 120d, 1d to 121d", warning: tooLate},
		"the safety net is disabled by hand":    {wait: day, then: disabled(0), action: update, want: net + net + "0d to 120d"},
		"the net is disabled, and a key is due": {wait: 89 * day, then: disabled(0), action: update, want: net + net + "0d to 120d, 90d to 210d"},
		"the newest has vanished":               {wait: day, then: func(w *world, r rotation) { w.RemoveKey("B2C_1A_Signing", r.Keys[1].Kid) }, action: update, want: "none, 2d to 122d", warning: "Key has vanished from its key set"},
		"the set has vanished":                  {wait: day, then: func(w *world, _ rotation) { w.RemoveKeySet("B2C_1A_Signing"); w.AddKeySet("B2C_1A_Signing") }, action: update, want: "none, 1d to 121d", warning: "Key has vanished from its key set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+rotationConfig(row.before...))
			tf.apply(true)
			w.clock.Advance(row.wait)
			if row.then != nil {
				row.then(w, tf.rotation())
			}
			tf.configure(w.Provider() + rotationConfig(row.after...))
			o, _ := tf.plan("-out", "plan")
			actions := map[string]string{}
			if row.action != none {
				actions[rotationAddress] = row.action
			}
			if got := o.actions(); !maps.Equal(got, actions) {
				t.Errorf("actions %v, want %v", got, actions)
			}
			if row.warning == "" && len(o.diagnostics) > 0 || row.warning != "" && !o.has("warning", row.warning) {
				t.Errorf("got %v", o.diagnostics)
			}
			w.ResetJournal()
			tf.expect(true, "apply", "-input=false", "plan")
			r := tf.rotation()
			if r.dates() != row.want {
				t.Errorf("keys %s, want %s", r.dates(), row.want)
			}
			for _, write := range w.Writes() {
				if write.Op != emulator.OpGenerateKey {
					t.Errorf("a write of another kind: %v", write)
				}
			}
			if o, changes := tf.plan(); changes {
				t.Errorf("the next plan has changes: %s", o.stdout)
			}
		})
	}
}

// disabled disables the n-th key of a rotation by hand.
func disabled(n int) func(*world, rotation) {
	return func(w *world, r rotation) { w.SetKeyStatus("B2C_1A_Signing", r.Keys[n].Kid, false) }
}

// TestAccKeyRotation_SavedPlan: a plan decides nothing but that there is something to do. What it is, the apply decides.
func TestAccKeyRotation_SavedPlan(t *testing.T) {
	t.Parallel()
	const due = 89 * day
	for name, row := range map[string]struct {
		planned, applied time.Duration
		change           string
		between          func(w *world)
		want             string
	}{
		"before it is due, with nothing else":     {planned: due - time.Second, applied: due, want: "none, 0d to 120d"},
		"before it is due, with another setting":  {planned: due - time.Second, applied: due, change: "overlap_days = 29", want: "none, 0d to 120d, 90d to 209d"},
		"when it is due":                          {planned: due, applied: due + day, want: "none, 0d to 120d, 91d to 211d"},
		"before it is late, and after":            {planned: due, applied: due + 31*day, want: "none, 0d to 120d, 121d to 241d"},
		"for a safety net that came from another": {planned: day, applied: 2 * day, between: func(w *world) { w.AddKey("B2C_1A_Signing", emulator.KeySpec{}) }, want: "none, 0d to 120d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+rotationConfig())
			tf.apply(true)
			w.clock.Advance(row.planned)
			if row.between != nil {
				w.SetKeyStatus("B2C_1A_Signing", tf.rotation().Keys[0].Kid, false)
			}
			if row.change != "" {
				tf.configure(w.Provider() + rotationConfig(row.change))
			}
			tf.plan("-out", "plan")
			w.clock.Advance(row.applied - row.planned)
			if row.between != nil {
				row.between(w)
			}
			tf.expect(true, "apply", "-input=false", "plan")
			if r := tf.rotation(); r.dates() != row.want || *r.ReadyForRotation {
				t.Errorf("keys %s, want %s; ready %t", r.dates(), row.want, *r.ReadyForRotation)
			}
		})
	}
}

// TestAccKeyRotation_WithoutRefresh: a rotation that is due is planned and made where the state hasn't been refreshed.
func TestAccKeyRotation_WithoutRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+rotationConfig())
	tf.apply(true)
	w.clock.Advance(89 * day)
	tf.plan("-refresh=false", "-out", "plan")
	tf.expect(true, "apply", "-input=false", "plan")
	if r := tf.rotation(); r.dates() != "none, 0d to 120d, 90d to 210d" {
		t.Errorf("keys %s", r.dates())
	}
}

// TestAccKeyRotation_Foreign: the keys of others don't count, and the plan says so where one of them is used or will be.
func TestAccKeyRotation_Foreign(t *testing.T) {
	t.Parallel()
	const used = "Key of others in the key set is used"
	for name, row := range map[string]struct {
		from, to time.Duration
		wait     time.Duration
		changes  bool
		texts    []string
	}{
		"in use":                         {from: day, to: 200 * day, wait: 2 * day, texts: []string{"is in use until 2030-07-20T12:00:00Z", "terraform state rm"}},
		"to be used":                     {from: 10 * day, to: 200 * day, wait: day, texts: []string{"will be in use from 2030-01-11T12:00:00Z until 2030-07-20T12:00:00Z"}},
		"in use until the next":          {from: 10 * day, to: 400 * day, wait: 89 * day, changes: true, texts: []string{"is in use until 2030-04-01T12:00:00Z"}},
		"over before it is anybody's":    {from: -2 * day, to: -day, wait: day},
		"older than the rotation's":      {from: -2 * day, to: 50 * day, wait: day},
		"after a run that was cut short": {from: 90 * day, to: 210 * day, wait: 89*day + time.Hour, changes: true, texts: []string{"will be in use from 2030-04-01T12:00:00Z until 2030-04-01T13:00:00Z", "left over from a run"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+rotationConfig())
			tf.apply(true)
			kid := w.AddKey("B2C_1A_Signing", keySpec(row.from, row.to))
			w.clock.Advance(row.wait)
			o, changes := tf.plan()
			if changes != row.changes || len(row.texts) > 0 != o.has("warning", used, append(row.texts, kid)...) {
				t.Errorf("changes %t, %v", changes, o.diagnostics)
			}
			if len(row.texts) == 0 && len(o.diagnostics) > 0 {
				t.Errorf("%v", o.diagnostics)
			}
		})
	}
}

// TestAccKeyRotation_Replace begins anew in another set, and leaves the keys where they are.
func TestAccKeyRotation_Replace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	w.AddKeySet("B2C_1A_Other")
	tf := w.inProcess(t, w.Provider()+rotationConfig())
	tf.apply(true)
	w.clock.Advance(day)
	tf.configure(w.Provider() + rotationConfig(`kty = "oct"`))
	if o := tf.run("plan", "-input=false"); o.exit != 1 || !o.has("error", "Key doesn't fit its key set", `kty = "RSA"`) {
		t.Errorf("%v", o.diagnostics)
	}
	tf.configure(w.Provider() + rotationConfig(`kty = "oct"`, `key_set_id = "Other"`))
	if o := tf.apply(true); o.actions()[rotationAddress] != "replace" {
		t.Errorf("%v", o.actions())
	}
	if r := tf.rotation(); r.dates() != "none, 1d to 121d" || w.datesOnServer("B2C_1A_Other") != r.dates() || w.datesOnServer("B2C_1A_Signing") != "none, 0d to 120d" {
		t.Errorf("keys %s, on the server %s and %s", r.dates(), w.datesOnServer("B2C_1A_Signing"), w.datesOnServer("B2C_1A_Other"))
	}
	o, _ := tf.plan("-destroy")
	if !o.has("warning", "Keys stay in their key set", "B2C_1A_Other") {
		t.Errorf("%v", o.diagnostics)
	}
	w.ResetJournal()
	tf.apply(true, "-destroy")
	if len(w.Writes()) > 0 || len(w.keys("B2C_1A_Other")) != 2 {
		t.Errorf("%d writes", len(w.Writes()))
	}
}

// TestAccKeyRotation_Invalid refuses what can't work before anything is sent.
func TestAccKeyRotation_Invalid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		arguments []string
		summary   string
		text      string
	}{
		"overlap as long as the delay":          {[]string{"activation_delay_days = 30"}, "Invalid rotation", "overlap_days = 30 must be longer than activation_delay_days = 30"},
		"rotation as long as the delay":         {[]string{"rotation_days = 1"}, "Invalid rotation", "rotation_days = 1 must be longer than activation_delay_days = 1"},
		"dates that no calendar has":            {[]string{"rotation_days = 3000000"}, "Invalid Attribute Value", "between 1 and 36500"},
		"a delay before now":                    {[]string{"activation_delay_days = -1"}, "Invalid Attribute Value", "between 0 and 36500"},
		"no overlap":                            {[]string{"overlap_days = 0"}, "Invalid Attribute Value", "between 1 and 36500"},
		"a use that there isn't":                {[]string{`use = "both"`}, "Invalid Attribute Value Match", "sig"},
		"a use that the set rules out":          {[]string{`use = "enc"`}, "Key doesn't fit its key set", `use = "sig"`},
		"a kty that the set rules out":          {[]string{`kty = "oct"`}, "Key doesn't fit its key set", `kty = "RSA"`},
		"a key set that can't be one's name":    {[]string{`key_set_id = "a/b"`}, "Invalid key set name", "a/b"},
		"settings that are known only at apply": {[]string{"rotation_days = terraform_data.late.output"}, "Invalid rotation", "rotation_days = 1 must be longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			tf := w.inProcess(t, w.Provider()+rotationConfig(row.arguments...)+"\nresource \"terraform_data\" \"late\" {\n  input = 1\n}\n")
			o := tf.apply(false)
			found := false
			for _, d := range o.diagnostics {
				found = found || d.Severity == "error" && d.Summary == row.summary && strings.Contains(strings.Join(strings.Fields(d.Detail), " "), row.text)
			}
			if !found || len(w.Writes()) > 0 {
				t.Errorf("%d writes, %v", len(w.Writes()), o.diagnostics)
			}
		})
	}
}

// TestAccKeyRotation_WithItsSet: a set that is made by the same apply isn't there when the rotation is planned.
func TestAccKeyRotation_WithItsSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+fmt.Sprintf("resource \"trustframework_key_set\" \"test\" {\n  name = %q\n}\n", "Signing")+rotationConfig("key_set_id = trustframework_key_set.test.id"))
	if o := tf.apply(true); len(o.diagnostics) > 0 {
		t.Errorf("%v", o.diagnostics)
	}
	if r := tf.rotation(); r.dates() != "none, 0d to 120d" {
		t.Errorf("keys %s", r.dates())
	}
	if o, changes := tf.plan(); changes {
		t.Errorf("%s", o.stdout)
	}
	w.clock.Advance(10 * day)
	w.RemoveKeySet("B2C_1A_Signing")
	if o, _ := tf.plan(); o.actions()[rotationAddress] != "create" {
		t.Errorf("after the set is gone: %v", o.actions())
	}
}
