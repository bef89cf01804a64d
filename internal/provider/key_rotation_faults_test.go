// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccKeyRotation_Fault: whatever happens to the request for the next key, it is made once, and what isn't clear now is
// clear to the next apply.
func TestAccKeyRotation_Fault(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	const found, twice, failed = "Key found after a lost answer", "Key may have been made twice", "Unable to rotate keys"
	const made, notYet = "none, 0d to 120d, 90d to 210d", "none, 0d to 120d"
	for name, row := range map[string]struct {
		faults []emulator.Fault
		// first is what the state has after the apply, with the diagnostics that it gives.
		first, warning string
		fails          bool
		texts          []string
		// wait is how long the next apply is away, and second what the state has then; next is what its plan warns of.
		wait         time.Duration
		second, next string
		// keys is how many the set holds in the end.
		keys int
	}{
		"throttled":                    {faults: []emulator.Fault{emulator.Throttled(op, "2.128")}, first: made, second: made, keys: 3},
		"an answer lost":               {faults: []emulator.Fault{emulator.CutAfterCommit(op)}, first: made, warning: found, second: made, keys: 3},
		"an answer late":               {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(30 * time.Second)}, first: made, warning: found, second: made, keys: 3},
		"sent again":                   {faults: []emulator.Fault{emulator.Unavailable(op)}, first: made, second: made, keys: 3},
		"made twice":                   {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(65 * time.Second), emulator.Throttled(op, "10")}, first: made, warning: twice, second: made, keys: 4},
		"refused":                      {faults: []emulator.Fault{{Op: op, Status: http.StatusBadRequest, Code: "AADB2C", Message: "no"}}, first: notYet, fails: true, texts: []string{"no", "Status: 400"}, second: made, keys: 3},
		"denied":                       {faults: []emulator.Fault{{Op: op, Status: http.StatusForbidden, Code: "Authorization_RequestDenied", Message: "Insufficient privileges"}}, first: notYet, fails: true, texts: []string{"Insufficient privileges"}, second: made, keys: 3},
		"unknown, and never made":      {faults: []emulator.Fault{emulator.Unavailable(op).Repeat(4)}, first: notYet, fails: true, texts: []string{"remembers the request", "terraform import trustframework_key_rotation.NAME B2C_1A_Signing/KID"}, wait: time.Hour, second: "none, 0d to 120d, 90d1h0m to 210d1h0m", keys: 3},
		"unknown, and found later":     {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(30 * time.Minute), emulator.Unavailable(op).Repeat(3)}, first: notYet, fails: true, texts: []string{"remembers the request"}, wait: time.Hour, second: made, next: found, keys: 3},
		"unknown, and made twice":      {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(30 * time.Minute).Repeat(4)}, first: notYet, fails: true, wait: time.Hour, second: made + ", 90d to 210d, 90d to 210d, 90d to 210d", next: found, keys: 6},
		"several":                      {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(70 * time.Second), emulator.GatewayTimeout(op).WithLag(9 * time.Second)}, first: notYet, fails: true, texts: []string{"several keys", "remembers the request"}, second: made + ", 90d to 210d", next: found, keys: 4},
		"the keys can't be read":       {faults: []emulator.Fault{{Op: emulator.OpList, Status: http.StatusInternalServerError, Skip: 1, Times: -1}, {Op: emulator.OpGet, Status: http.StatusInternalServerError, Times: -1}}, first: notYet, fails: true, second: made, keys: 3},
		"a status that can't be read":  {faults: []emulator.Fault{{Op: emulator.OpListKeys, Status: http.StatusForbidden, Times: -1}}, first: made, second: made, keys: 3},
		"a refresh that comes to none": {faults: []emulator.Fault{{Op: emulator.OpList, Status: http.StatusBadGateway, Times: -1}}, first: notYet, fails: true, texts: []string{"502"}, second: made, keys: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+rotationConfig())
			tf.apply(true)
			w.clock.Advance(89 * day)
			for _, f := range row.faults {
				w.Inject(f)
			}
			o := tf.apply(!row.fails)
			if r := tf.rotation(); sameDates(r.dates()) != sameDates(row.first) {
				t.Errorf("first %s, want %s; %v", r.dates(), row.first, o.diagnostics)
			}
			said := ""
			for _, d := range o.diagnostics {
				said += withoutIDs(d.Summary) + ": " + d.Detail + "\n"
			}
			for _, text := range append(row.texts, row.warning) {
				if !strings.Contains(said, text) {
					t.Errorf("lacks %q: %s", text, said)
				}
			}
			if !row.fails && row.warning == "" && said != "" {
				t.Error(said)
			}
			w.ClearFaults()
			w.clock.Advance(row.wait)
			o = tf.apply(true)
			if r := tf.rotation(); sameDates(r.dates()) != sameDates(row.second) {
				t.Errorf("second %s, want %s", r.dates(), row.second)
			}
			if row.next != "" && !o.has("warning", row.next) {
				t.Errorf("lacks %q: %v", row.next, o.diagnostics)
			}
			if n := len(w.keys("B2C_1A_Signing")); n != row.keys {
				t.Errorf("%d keys on the server, want %d", n, row.keys)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes %t: %v", changes, o.diagnostics)
			}
		})
	}
}

// sameDates leaves out the seconds and minutes that a wait for the service took.
func sameDates(dates string) string {
	var out []string
	for _, word := range strings.Fields(dates) {
		days, _, _ := strings.Cut(word, "d")
		if strings.HasSuffix(word, ",") {
			days += ","
		}
		out = append(out, days)
	}
	return strings.Join(out, " ")
}

// TestAccKeyRotation_Create_Fault: a create that has made a key is never an error, for that would taint the rotation.
func TestAccKeyRotation_Create_Fault(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	for name, row := range map[string]struct {
		faults         []emulator.Fault
		fails          bool
		first, second  string
		warning, after string
	}{
		"the net is refused":           {faults: []emulator.Fault{{Op: op, Status: http.StatusBadRequest, Code: "AADB2C", Message: "no"}}, fails: true, second: "none, 0d to 120d"},
		"the first dated is refused":   {faults: []emulator.Fault{{Op: op, Skip: 1, Status: http.StatusBadRequest, Code: "AADB2C", Message: "no"}}, first: "none", warning: "Rotation begins without its first dated key", second: "none, 1d to 121d"},
		"what became of it is unknown": {faults: []emulator.Fault{emulator.GatewayTimeout(op).After(1).WithLag(30 * time.Minute), emulator.Unavailable(op).After(1).Repeat(3)}, first: "none", warning: "Rotation begins without its first dated key", second: "none, 0d to 120d", after: "Key found after a lost answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			for _, f := range row.faults {
				w.Inject(f)
			}
			tf := w.inProcess(t, w.Provider()+rotationConfig())
			o := tf.apply(!row.fails)
			if row.warning != "" && !o.has("warning", row.warning) {
				t.Errorf("%v", o.diagnostics)
			}
			if !row.fails {
				if r := tf.rotation(); r.dates() != row.first || !*r.ReadyForRotation {
					t.Errorf("keys %s, ready %t", r.dates(), *r.ReadyForRotation)
				}
			}
			w.ClearFaults()
			w.clock.Advance(time.Hour)
			o = tf.apply(true)
			if row.after != "" && !o.has("warning", row.after) {
				t.Errorf("%v", o.diagnostics)
			}
			if r := tf.rotation(); sameDates(r.dates()) != sameDates(row.second) {
				t.Errorf("keys %s, want %s", r.dates(), row.second)
			}
			if o, changes := tf.plan(); changes {
				t.Errorf("%s", o.stdout)
			}
		})
	}
}

// TestAccKeyRotation_Variants: the rotation is the same whatever form of the API answers.
func TestAccKeyRotation_Variants(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{
		"status in the listing":  {StatusInListing: true},
		"no keys_v2":             {NoKeysV2: true},
		"keys_v2 wrapped":        {WrappedKeyV2: true},
		"keys_v2 isn't listed":   {KeysV2Unlistable: true},
		"disabled at first":      {DisabledAtFirst: true},
		"nbf is filled in":       {FillNbf: true},
		"numbers as strings":     {NumbersAsStrings: true},
		"a listing without keys": {ListWithoutKeys: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, switches)
			w.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+rotationConfig())
			tf.apply(true)
			w.clock.Advance(89 * day)
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("%v", o.diagnostics)
			}
			want := "none, 0d to 120d, 90d to 210d"
			if switches.FillNbf {
				want = "0d to ever, 0d to 120d, 90d to 210d"
			}
			if r := tf.rotation(); r.dates() != want || r.dates() != w.datesOnServer("B2C_1A_Signing") {
				t.Errorf("keys %s", r.dates())
			}
			for _, k := range w.keys("B2C_1A_Signing") {
				if k.Status != "enabled" {
					t.Errorf("key %s isn't enabled", k.Kid)
				}
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes %t: %v", changes, o.diagnostics)
			}
		})
	}
}

// TestAccKeyRotation_Lag: a service that shows what was done only after a while isn't asked for another key, whatever it is late
// to show.
func TestAccKeyRotation_Lag(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{
		"as it is":                                {},
		"status in the listing":                   {StatusInListing: true},
		"no keys_v2":                              {NoKeysV2: true},
		"disabled at first":                       {DisabledAtFirst: true},
		"disabled at first, status in listing":    {DisabledAtFirst: true, StatusInListing: true},
		"disabled at first, keys_v2 isn't listed": {DisabledAtFirst: true, KeysV2Unlistable: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, switches)
			w.AddKeySet("B2C_1A_Signing")
			w.SetLag(20 * time.Second)
			tf := w.inProcess(t, w.Provider()+rotationConfig())
			tf.apply(true)
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("after the create: %v %s", o.diagnostics, o.stdout)
			}
			w.clock.Advance(89 * day)
			tf.apply(true)
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("after the rotation: %v %s", o.diagnostics, o.stdout)
			}
			w.clock.Advance(time.Hour)
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("an hour later: %v %s", o.diagnostics, o.stdout)
			}
			keys := w.keys("B2C_1A_Signing")
			for _, k := range keys {
				if k.Status != "enabled" {
					t.Errorf("key %s isn't enabled", k.Kid)
				}
			}
			if r := tf.rotation(); len(keys) != 3 || len(r.Keys) != 3 {
				t.Errorf("%d keys on the server, %s", len(keys), r.dates())
			}
		})
	}
}
