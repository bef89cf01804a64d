// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccKeyRotation_Killed: a run that is ended before it could record its keys leaves some that the next plan names, each of
// them, and that an import gives back, so that nothing is made in their place.
func TestAccKeyRotation_Killed(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		at        time.Duration // 0 is the create
		arguments []string
		keys      int           // how many were made before the end; all if 0
		wait      time.Duration // an hour if 0
		imported  bool
		want      string
	}{
		"in a rotation, and imported":                {at: 89 * day, imported: true, want: "none, 0d to 120d, 90d to 210d"},
		"in a rotation, and nobody looks":            {at: 89 * day, want: "none, 0d to 120d, 90d1h0m to 210d1h0m"},
		"in the create, and imported":                {imported: true, want: "none, 0d to 120d"},
		"in the create, and nobody looks":            {want: "1d1h0m to 121d1h0m"},
		"in the create, and imported at once":        {wait: time.Nanosecond, imported: true, want: "none, 0d to 120d"},
		"in the create, and imported after weeks":    {wait: 30 * day, imported: true, want: "none, 0d to 120d"},
		"in the create, and nobody looks for weeks":  {wait: 30 * day, want: "31d to 151d"},
		"in the create, with keys that sign at once": {arguments: []string{"activation_delay_days = 0"}, want: "0d1h0m to 120d1h0m"},
		"between the first two, and nobody looks":    {keys: 1, want: "1d1h0m to 121d1h0m"},
		"between the first two, and imported":        {keys: 1, imported: true, want: "none, 1d1h0m to 121d1h0m"},
		"without a net, and imported":                {arguments: []string{"safety_net = false"}, imported: true, want: "0d to 120d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			config := w.Provider() + rotationConfig(row.arguments...)
			tf := w.inProcess(t, config)
			file := filepath.Join(tf.dir, "terraform.tfstate")
			before, recorded := []byte(nil), 0
			if row.at > 0 {
				tf.apply(true)
				w.clock.Advance(row.at)
				state, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				before, recorded = state, len(w.keys("B2C_1A_Signing"))
			}
			tf.apply(true)
			// The client is killed before it has written the state.
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if before != nil {
				if err := os.WriteFile(file, before, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			left := w.keys("B2C_1A_Signing")[recorded:]
			if row.keys > 0 {
				for _, k := range left[row.keys:] {
					w.RemoveKey("B2C_1A_Signing", k.Kid)
				}
				left = left[:row.keys]
			}
			w.clock.Advance(cmp.Or(row.wait, time.Hour))
			o, changes := tf.plan()
			var kids []string
			for _, k := range left {
				kids = append(kids, k.Kid)
			}
			command := "terraform import trustframework_key_rotation.NAME B2C_1A_Signing"
			if before == nil {
				command += "/" + strings.Join(kids, ",")
			}
			for _, kid := range kids {
				summary := `Key "B2C_1A_Signing/` + kid + `" may be left over from an interrupted run`
				if before != nil {
					summary = `Key "B2C_1A_Signing/` + kid + `" of others in the key set is used`
				}
				if !slices.ContainsFunc(o.diagnostics, func(d diagnostic) bool {
					return d.Summary == summary && strings.Contains(d.Detail, "left over from a run that was ended") && strings.Contains(d.Detail, command)
				}) {
					t.Errorf("%s isn't named: %v", kid, o.diagnostics)
				}
			}
			if shown := tf.command("plan", "-input=false", "-no-color", "-compact-warnings"); !changes || missingFrom(shown, kids) != nil {
				t.Errorf("changes %t; %v can't be read in the plan: %s", changes, missingFrom(shown, kids), shown)
			}
			held := len(w.keys("B2C_1A_Signing"))
			if row.imported {
				id := "B2C_1A_Signing"
				if before != nil {
					tf.command("state", "rm", rotationAddress)
				} else {
					_, id, _ = strings.Cut(command, ".NAME ")
				}
				tf.command("import", "-input=false", rotationAddress, id)
				o, changes := tf.plan()
				if len(o.diagnostics) > 0 {
					t.Errorf("after the import: %v", o.diagnostics)
				}
				if want := row.keys > 0 || len(row.arguments) > 0; changes != want { // an import sets the defaults
					t.Errorf("changes after the import: %t, want %t", changes, want)
				}
				tf.apply(true)
				if row.keys > 0 {
					held++
				}
			} else {
				tf.apply(true)
				held++
			}
			if r := tf.rotation(); r.dates() != row.want || len(w.keys("B2C_1A_Signing")) != held {
				t.Errorf("keys %s, want %s; %d in the set, want %d", r.dates(), row.want, len(w.keys("B2C_1A_Signing")), held)
			}
			// The ones that nobody has imported aren't the rotation's, and the set needs no more keys.
			if _, changes := tf.plan(); changes {
				t.Error("the next plan has changes")
			}
		})
	}
}

// missingFrom returns the texts that a command hasn't shown.
func missingFrom(shown string, texts []string) (missing []string) {
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			missing = append(missing, text)
		}
	}
	return missing
}

// TestAccKeyRotation_TwoWriters: two rotations of one set, each with a state of its own, don't take each other's keys, and each
// is told that the other's are there. One of them can't be lost to the other by a lost answer.
func TestAccKeyRotation_TwoWriters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	first := w.inProcess(t, w.Provider()+rotationConfig())
	first.apply(true)
	w.clock.Advance(day)
	second := w.inProcess(t, w.Provider()+rotationConfig())
	const used = "Key of others in the key set is used"
	if o := second.apply(true); !o.has("warning", "Key may be left over from an interrupted run", "or belong to somebody else", "It is in use", *first.rotation().NewestKid) {
		t.Errorf("%v", o.diagnostics)
	}
	if got := second.rotation().dates(); got != "2d to 122d" {
		t.Errorf("the second has %s", got)
	}
	if o, changes := first.plan(); changes || !o.has("warning", used, *second.rotation().NewestKid) {
		t.Errorf("%v", o.diagnostics)
	}
	// While the answer to the first one's next key is lost, the second makes its own, with other dates.
	w.clock.Advance(90 * day)
	w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
	done := make(chan struct{})
	w.onAnswer(emulator.OpGenerateKey, 1, func() {
		defer close(done)
		w.clock.Advance(2 * time.Second)
		second.apply(true)
	})
	first.apply(true)
	<-done
	checkOwners(t, w, 5, first, second)
	// The same, with the same dates: nobody can tell whose key is whose, which is an error, and then a warning.
	w.clock.Advance(100 * day)
	w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
	done = make(chan struct{})
	w.onAnswer(emulator.OpGenerateKey, 1, func() {
		defer close(done)
		second.apply(true)
	})
	if o := first.apply(false); !o.has("error", "Unable to rotate keys", "several keys", "remembers the request") {
		t.Errorf("%v", o.diagnostics)
	}
	<-done
	if o := first.apply(true); !o.has("warning", "Key found after a lost answer", "check which is whose") || len(w.keys("B2C_1A_Signing")) != 7 {
		t.Errorf("%d keys, %v", len(w.keys("B2C_1A_Signing")), o.diagnostics)
	}
}

// checkOwners wants each of a number of keys in one state.
func checkOwners(t *testing.T, w *world, want int, clients ...*client) {
	t.Helper()
	owners := map[string]int{}
	for _, tf := range clients {
		if o, changes := tf.plan(); changes {
			t.Errorf("%s", o.stdout)
		}
		for _, k := range tf.rotation().Keys {
			owners[k.Kid]++
		}
	}
	keys := w.keys("B2C_1A_Signing")
	for _, k := range keys {
		if owners[k.Kid] != 1 {
			t.Errorf("key %s has %d owners", k.Kid, owners[k.Kid])
		}
	}
	if len(keys) != want {
		t.Errorf("%d keys, want %d", len(keys), want)
	}
}

// TestAccKeyRotation_AnotherTenant: in another tenant a rotation seems to be gone, and isn't: nothing is read, made or forgotten.
func TestAccKeyRotation_AnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	other := w.Server.NewTenant(emulator.TenantConfig{})
	other.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+rotationConfig())
	tf.apply(true)
	w.clock.Advance(89 * day)
	elsewhere := w.Provider("tenant_id", strconv.Quote(other.ID()), "client_id", strconv.Quote(other.ClientID()), "client_secret", strconv.Quote(other.ClientSecret()))
	tf.configure(elsewhere + rotationConfig())
	for _, arguments := range [][]string{
		{"plan"}, {"plan", "-refresh=false"}, {"plan", "-destroy"}, {"apply", "-auto-approve", "-refresh=false"}, {"apply", "-auto-approve", "-destroy", "-refresh=false"},
	} {
		if o := tf.expect(false, arguments...); !o.has("error", "Resource belongs to another tenant", w.ID(), other.ID()) {
			t.Errorf("%v: %v", arguments, o.diagnostics)
		}
	}
	if r := tf.rotation(); r.dates() != "none, 0d to 120d" {
		t.Errorf("keys %s", r.dates())
	}
	for _, e := range other.Journal() {
		if e.Write() {
			t.Errorf("%s %s in the other tenant", e.Method, e.Path)
		}
	}
}

// TestAccKeyRotation_ReadOnly: a plan needs no more than the permission to read, and an apply says which one it lacks.
func TestAccKeyRotation_ReadOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+rotationConfig())
	tf.apply(true)
	w.SetRoles(emulator.RoleRead)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes %t, %v", changes, o.diagnostics)
	}
	w.clock.Advance(89 * day)
	if o, changes := tf.plan(); !changes || len(o.diagnostics) > 0 {
		t.Errorf("changes %t, %v", changes, o.diagnostics)
	}
	if o := tf.apply(false); !o.has("error", "Unable to rotate keys", "TrustFrameworkKeySet.ReadWrite.All") {
		t.Errorf("%v", o.diagnostics)
	}
	w.SetRoles(emulator.RoleReadWrite)
	tf.apply(true)
	if r := tf.rotation(); r.dates() != "none, 0d to 120d, 90d to 210d" {
		t.Errorf("keys %s", r.dates())
	}
}
