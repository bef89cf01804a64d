// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const (
	rotationAddress = "trustframework_key_rotation.test"
	day             = 24 * time.Hour
)

// rotationConfig is a rotation of 90 days in a key set that is there already; arguments are lines of HCL, beside or
// instead of its own.
func rotationConfig(arguments ...string) string {
	return resourceConfig("trustframework_key_rotation", []string{`key_set_id = "B2C_1A_Signing"`, `use = "sig"`, `kty = "RSA"`, `rotation_days = 90`}, arguments...)
}

// rotatedKey is a key as the attribute keys has it.
type rotatedKey struct {
	Kid         string  `json:"kid"`
	Nbf         *int64  `json:"nbf"`
	Exp         *int64  `json:"exp"`
	Status      *string `json:"status"`
	ActivatesAt *string `json:"activates_at"`
	ExpiresAt   *string `json:"expires_at"`
}

// dates are the key's, as durations since the start of the test's world: "1d to 121d", or "none".
func (k rotatedKey) dates() string { return datesSinceStart(k.Nbf, k.Exp) }

func datesSinceStart(nbf, exp *int64) string {
	if nbf == nil && exp == nil {
		return "none"
	}
	since := func(date *int64) string {
		if date == nil {
			return "ever"
		}
		d := time.Unix(*date, 0).Sub(start())
		return strings.TrimSuffix(fmt.Sprintf("%dd%v", d/day, d%day), "0s")
	}
	return since(nbf) + " to " + since(exp)
}

// rotation is what the state has of a rotation.
type rotation struct {
	Keys             []rotatedKey `json:"keys"`
	NewestKid        *string      `json:"newest_kid"`
	NextRotationAt   *string      `json:"next_rotation_at"`
	ReadyForRotation *bool        `json:"ready_for_rotation"`
	RotationDays     *int64       `json:"rotation_days"`
}

func (r rotation) dates() string {
	var dates []string
	for _, k := range r.Keys {
		dates = append(dates, k.dates())
	}
	return strings.Join(dates, ", ")
}

// rotation reads the rotation from the state.
func (tf *client) rotation() (r rotation) {
	tf.t.Helper()
	data, err := json.Marshal(tf.state(rotationAddress))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		tf.t.Fatal(err)
	}
	return r
}

// datesOnServer are those of a set's keys, as dates has them.
func (w *world) datesOnServer(id string) string {
	var dates []string
	for _, k := range w.keys(id) {
		dates = append(dates, datesSinceStart(k.Nbf, k.Exp))
	}
	return strings.Join(dates, ", ")
}

// TestAccKeyRotation_Create: what is in the set decides which keys are made, and when the first dated one signs.
func TestAccKeyRotation_Create(t *testing.T) {
	t.Parallel()
	date := func(d time.Duration) *int64 { seconds := in(d); return &seconds }
	for name, row := range map[string]struct {
		set       []emulator.KeySpec
		disabled  bool
		arguments []string
		want      string
		warning   string
	}{
		"an empty set":                              {want: "none, 0d to 120d"},
		"an empty set, no safety net":               {arguments: []string{"safety_net = false"}, want: "0d to 120d"},
		"an empty set, other settings":              {arguments: []string{"rotation_days = 30", "activation_delay_days = 2", "overlap_days = 10"}, want: "none, 0d to 40d"},
		"an empty set, for encryption":              {arguments: []string{`use = "enc"`}, want: "none, 0d to 455d"},
		"a set with an undated key":                 {set: []emulator.KeySpec{{}}, want: "1d to 121d", warning: "Key may be left over from an interrupted run"},
		"a set with an undated key, disabled":       {set: []emulator.KeySpec{{}}, disabled: true, want: "none, 0d to 120d", warning: "Key may be left over from an interrupted run"},
		"a set with a key that signs for long":      {set: []emulator.KeySpec{{Nbf: date(-day), Exp: date(9 * day)}}, want: "none, 1d to 121d", warning: "Key of others in the key set is used"},
		"a set with a key that ends before the new": {set: []emulator.KeySpec{{Nbf: date(-day), Exp: date(time.Hour)}}, want: "none, 0d to 120d", warning: "Key rotation comes too late"},
		"a set with an expired key":                 {set: []emulator.KeySpec{{Nbf: date(-2 * day), Exp: date(-day)}}, want: "none, 0d to 120d"},
		"a set whose key is to come":                {set: []emulator.KeySpec{{Nbf: date(2 * day)}}, want: "none, 0d to 120d", warning: "Key of others in the key set is used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			for _, k := range row.set {
				kid := w.AddKey("B2C_1A_Signing", k)
				w.SetKeyStatus("B2C_1A_Signing", kid, !row.disabled)
			}
			tf := w.inProcess(t, w.Provider()+rotationConfig(row.arguments...))
			o := tf.apply(true)
			if row.warning == "" && len(o.diagnostics) > 0 || row.warning != "" && !o.has("warning", row.warning) {
				t.Errorf("got %v", o.diagnostics)
			}
			r := tf.rotation()
			if r.dates() != row.want {
				t.Errorf("keys %s, want %s", r.dates(), row.want)
			}
			if all := w.keys("B2C_1A_Signing"); len(all) != len(row.set)+len(r.Keys) {
				t.Errorf("%d keys on the server", len(all))
			}
			newest := r.Keys[len(r.Keys)-1]
			if r.NewestKid == nil || *r.NewestKid != newest.Kid || *r.ReadyForRotation {
				t.Errorf("%+v", r)
			}
			w.ResetJournal()
			if o, changes := tf.plan(); changes || len(w.Writes()) > 0 {
				t.Errorf("the next plan has changes: %s", o.stdout)
			}
		})
	}
}

// TestAccKeyRotation_RollsOver goes through the life of a rotation: nothing to do until the key is due, then a plan that says
// so, and an apply that makes one key.
func TestAccKeyRotation_RollsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+rotationConfig())
	tf.apply(true)
	first := tf.rotation()
	if *first.NextRotationAt != "2030-03-31T12:00:00Z" { // 89 days later
		t.Errorf("next rotation at %s", *first.NextRotationAt)
	}
	w.clock.Advance(89*day - time.Second)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("a second before it is due: %s", o.stdout)
	}
	w.clock.Advance(time.Second)
	text := strings.Join(strings.Fields(tf.command("plan", "-no-color", "-input=false")), " ")
	for _, want := range []string{"will be updated in-place", "ready_for_rotation = true -> false", `"2030-03-31T12:00:00Z" -> (known after apply)`, "0 to add, 1 to change, 0 to destroy"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	w.clock.Advance(time.Hour)
	w.ResetJournal()
	if o := tf.apply(true); len(o.diagnostics) > 0 || len(w.Writes()) != 1 {
		t.Errorf("%d writes, %v", len(w.Writes()), o.diagnostics)
	}
	r := tf.rotation()
	if want := "none, 0d to 120d, 90d1h0m to 210d1h0m"; r.dates() != want || *r.ReadyForRotation || *r.NextRotationAt != "2030-06-29T13:00:00Z" {
		t.Errorf("got %s, ready %t, next %s", r.dates(), *r.ReadyForRotation, *r.NextRotationAt)
	}
	if first.Keys[0].Kid != r.Keys[0].Kid || first.Keys[1].Kid != r.Keys[1].Kid || r.Keys[2].Kid != *r.NewestKid {
		t.Errorf("other keys than before: %+v", r)
	}
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("after the rotation: %s", o.stdout)
	}
}

// keySpec is a key with dates.
func keySpec(from, to time.Duration) emulator.KeySpec {
	nbf, exp := in(from), in(to)
	return emulator.KeySpec{Nbf: &nbf, Exp: &exp}
}
