// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestAccGeneratedKey_Import_WritesNothingAndPlansEmpty(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string][]string{
		"with dates":               {fmt.Sprintf("nbf = %d", in(0)), fmt.Sprintf("exp = %d", in(time.Hour))},
		"without dates":            nil,
		"with rotate_when_changed": {`rotate_when_changed = { a = "1" }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			spec := emulator.KeySpec{}
			if name == "with dates" {
				nbf, exp := in(0), in(time.Hour)
				spec.Nbf, spec.Exp = &nbf, &exp
			}
			kid := w.AddKey("B2C_1A_Signing", spec)
			tf := w.inProcess(t, w.Provider()+keyConfig(arguments...))
			tf.command("import", "trustframework_key_set.test", "signing")
			tf.command("import", keyAddress, "Signing/"+kid)
			o, changes := tf.plan()
			// A map that is set for the first time is recorded in place.
			if changes != (name == "with rotate_when_changed") || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
			}
			tf.apply(true)
			if _, changes := tf.plan(); changes {
				t.Error("the second plan has changes")
			}
			if writes := w.Writes(); len(writes) > 0 {
				t.Errorf("%d writes, the first %s %s", len(writes), writes[0].Method, writes[0].Path)
			}
			if got := tf.state(keyAddress)["kid"]; got != kid {
				t.Errorf("kid %v", got)
			}
		})
	}
}

func TestAccGeneratedKey_Import_RefusesWhatIsNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	w.AddKeySet("B2C_1A_Empty")
	nbf := in(0)
	first := w.AddKey("B2C_1A_Signing", emulator.KeySpec{Nbf: &nbf})
	second := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
	for id, want := range map[string]string{
		"B2C_1A_Signing/a/b":   `isn't the ID of a key`,
		"B2C_1A_Signing/":      `isn't the ID of a key`,
		"/" + first:            `isn't the ID of a key`,
		"B2C_1A_None/" + first: `(?s)There is no key set "B2C_1A_None".*AADB2C90073`,
		"B2C_1A_Signing/none":  `(?s)is not in its key set.*B2C_1A_Signing/` + first + `.*B2C_1A_Signing/` + second,
		"B2C_1A_None":          `(?s)There is no key set "B2C_1A_None".*AADB2C90073`,
		"Empty":                `has no keys to import`,
		"signing": `(?s)` + first + `: sig, RSA, nbf \d+ \(2030-01-01T12:00:00Z\), active\s+` +
			`terraform import trustframework_generated_key.NAME B2C_1A_Signing/` + first + `.*B2C_1A_Signing/` + second,
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{{
					Config:        w.Provider() + keyConfig(),
					ResourceName:  keyAddress,
					ImportState:   true,
					ImportStateId: id,
					ExpectError:   regexp.MustCompile(strings.ReplaceAll(want, " ", `\s+`)),
				}},
			})
		})
	}
}

func TestAccGeneratedKey_Drift_WhatVanishedIsPlannedAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		vanish  func(w *world, kid string)
		warning string
	}{
		"the key": {
			vanish:  func(w *world, kid string) { w.RemoveKey("B2C_1A_Signing", kid) },
			warning: "Key has vanished from its key set",
		},
		"the key set": {
			vanish: func(w *world, _ string) { w.RemoveKeySet("B2C_1A_Signing") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+keyConfig())
			tf.apply(true)
			kid, _ := tf.state(keyAddress)["kid"].(string)
			w.clock.Advance(time.Hour)
			row.vanish(w, kid)
			before := w.clock.Now()
			o, changes := tf.plan()
			if !changes || row.warning != "" && !o.has("warning", row.warning, kid) {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			if waited := w.clock.Now().Sub(before); waited > 0 {
				t.Errorf("the plan waited %s", waited)
			}
			tf.apply(true)
			if got := tf.state(keyAddress)["kid"]; got == kid || len(w.keys("B2C_1A_Signing")) != 1 {
				t.Errorf("kid %v, was %v; keys %v", got, kid, w.keys("B2C_1A_Signing"))
			}
		})
	}
}

// TestAccGeneratedKey_Lag_NeverDropsAFreshKey: what was just made and can't be seen yet stays in state.
func TestAccGeneratedKey_Lag_NeverDropsAFreshKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.SetLag(40 * time.Second)
	tf := w.inProcess(t, w.Provider()+keyConfig())
	tf.apply(true)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	// An action on a set that can't be seen yet is refused and comes again; only one makes a key.
	made := 0
	for _, e := range w.Requests(emulator.OpGenerateKey) {
		if e.Committed {
			made++
		}
	}
	if n := len(w.keys("B2C_1A_Signing")); n != 1 || made != 1 {
		t.Errorf("%d keys, %d made", n, made)
	}
}

// TestAccGeneratedKey_Refresh_AThinAnswerChangesNothing: an answer that shows only some of a key says
// nothing of the rest.
func TestAccGeneratedKey_Refresh_AThinAnswerChangesNothing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		list, get string // of a key; "" for the true one
		fails     bool
	}{
		"listing without kty":             {`{"kid":"KID"}`, "", false},
		"listing without use":             {`{"kid":"KID","kty":"RSA"}`, "", false},
		"neither shows more than the kid": {`{"kid":"KID"}`, `{"kid":"KID"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+keyConfig(fmt.Sprintf("exp = %d", in(24*time.Hour))))
			tf.apply(true)
			w.clock.Advance(time.Hour)
			kid, _ := tf.state(keyAddress)["kid"].(string)
			set := func(key string) string {
				return `{"id":"B2C_1A_Signing","keys":[` + strings.ReplaceAll(key, "KID", kid) + `]}`
			}
			w.Inject(emulator.Fault{Op: emulator.OpList, Status: 200, ContentType: "application/json", Body: `{"value":[` + set(row.list) + `]}`, Times: -1})
			if row.get != "" {
				w.Inject(emulator.Fault{Op: emulator.OpGet, Status: 200, ContentType: "application/json", Body: set(row.get), Times: -1})
			}
			if row.fails {
				if o := tf.expect(false, "plan"); !o.has("error", "Unable to read key", "doesn't show the keys", "Nothing was changed") {
					t.Errorf("got %v", o.diagnostics)
				}
				return
			}
			if o, changes := tf.plan(); changes {
				t.Errorf("the plan has changes: %s", o.stdout)
			}
		})
	}
}

// TestAccGeneratedKey_AnotherTenant_IsAnErrorAndNotGone: the same state, signed in elsewhere.
func TestAccGeneratedKey_AnotherTenant_IsAnErrorAndNotGone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		imported bool
	}{
		"made here":                   {},
		"imported":                    {imported: true},
		"made here, tokens opaque":    {switches: emulator.Switches{OpaqueTokens: true}},
		"imported, and tokens opaque": {switches: emulator.Switches{OpaqueTokens: true}, imported: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			other := w.Server.NewTenant(emulator.TenantConfig{})
			other.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+keyConfig())
			if row.imported {
				w.AddKeySet("B2C_1A_Signing")
				tf.command("import", keySetAddress, "Signing")
				tf.command("import", keyAddress, "Signing/"+w.AddKey("B2C_1A_Signing", emulator.KeySpec{}))
			}
			tf.apply(true)
			kid := tf.state(keyAddress)["kid"]
			tf.configure(w.Provider("tenant_id", strconv.Quote(other.ID()), "client_id", strconv.Quote(other.ClientID()), "client_secret", strconv.Quote(other.ClientSecret())) + keyConfig())
			for _, arguments := range [][]string{{"plan"}, {"plan", "-destroy"}, {"apply", "-auto-approve", "-destroy", "-refresh=false"}} {
				if o := tf.expect(false, arguments...); !o.has("error", "Resource belongs to another tenant", w.ID(), other.ID()) {
					t.Errorf("%v: %v", arguments, o.diagnostics)
				}
			}
			if got := tf.state(keySetAddress); got == nil {
				t.Error("the key set is no longer in state")
			}
			for _, e := range other.Journal() {
				if e.Write() {
					t.Errorf("%s %s in the other tenant", e.Method, e.Path)
				}
			}
			if got := w.keys("B2C_1A_Signing"); len(got) != 1 || got[0].Kid != kid {
				t.Errorf("%d keys", len(got))
			}
		})
	}
}

// TestAccGeneratedKey_AnotherTenant_ThatCantBeTold: a token that can't be parsed, a tenant named by its domain,
// and a lookup that fails. What the state says of the tenant must not be passed over.
func TestAccGeneratedKey_AnotherTenant_ThatCantBeTold(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		times   int // that the lookup fails
		summary string
	}{
		"once":   {1, "Resource belongs to another tenant"},
		"always": {-1, "Unable to tell which tenant this is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{OpaqueTokens: true})
			tf := w.inProcess(t, w.Provider()+keyConfig())
			tf.apply(true)
			other := w.Server.NewTenant(emulator.TenantConfig{})
			tf.configure(w.Provider("tenant_id", strconv.Quote(other.Domain()), "client_id", strconv.Quote(other.ClientID()), "client_secret", strconv.Quote(other.ClientSecret())) + keyConfig())
			// The first lookup is that of signing in.
			other.Inject(emulator.Fault{Op: emulator.OpDiscovery, Skip: 1, Status: 503, Times: row.times})
			if o := tf.expect(false, "apply", "-auto-approve"); !o.has("error", row.summary, w.ID()) {
				t.Errorf("got %v", o.diagnostics)
			}
			if tf.state(keyAddress) == nil || len(other.KeySets()) > 0 {
				t.Errorf("state %v; %d key sets in the other tenant", tf.state(keyAddress), len(other.KeySets()))
			}
		})
	}
}
