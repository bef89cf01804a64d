// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const keyAddress = "trustframework_generated_key.test"

// keyConfig is a key set with one key; arguments are lines of HCL for the key, beside or instead of its
// own.
func keyConfig(arguments ...string) string {
	lines := []string{"key_set_id = trustframework_key_set.test.id", `use = "sig"`, `kty = "RSA"`}
	for _, argument := range arguments {
		name, _, _ := strings.Cut(argument, " ")
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+" ") })
		lines = append(lines, argument)
	}
	return fmt.Sprintf(`
resource "trustframework_key_set" "test" {
  name = "Signing"
}

resource "trustframework_generated_key" "test" {
  %s
}
`, strings.Join(lines, "\n  "))
}

// in is the NumericDate that lies d after the start of the test's world.
func in(d time.Duration) int64 { return start().Add(d).Unix() }

func TestAccGeneratedKey_Create_IsOnePostAndThenNoChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	config := w.Provider() + keyConfig(fmt.Sprintf("nbf = %d", in(-time.Hour)), fmt.Sprintf("exp = %d", in(24*time.Hour)))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{
			{
				Config: config,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue("trustframework_key_set.test", tfjsonpath.New("id"), knownvalue.StringExact("B2C_1A_Signing")),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("kid"), knownvalue.StringRegexp(regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`))),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^B2C_1A_Signing/[A-Za-z0-9_-]{43}$`))),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("n"), knownvalue.StringRegexp(regexp.MustCompile(`^[A-Za-z0-9_-]{342}$`))),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("e"), knownvalue.StringExact("AQAB")),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("activates_at"), knownvalue.StringExact("2030-01-01T11:00:00Z")),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("expires_at"), knownvalue.StringExact("2030-01-02T12:00:00Z")),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("public_key_pem"), knownvalue.StringRegexp(regexp.MustCompile(`^-----BEGIN PUBLIC KEY-----\n`))),
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("public_key_jwk"), knownvalue.StringRegexp(regexp.MustCompile(`^\{"kid":".{43}","kty":"RSA","use":"sig","n":`))),
				},
				// The listing is what tells a lost answer's key from others.
				Check: w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: 1, emulator.OpGenerateKey: 1}),
			},
			{
				Config:           config,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			},
		},
	})
}

// TestAccGeneratedKey_Replace_LeavesSetAndSiblings: a changed argument makes a new key and touches
// nothing else.
func TestAccGeneratedKey_Replace_LeavesSetAndSiblings(t *testing.T) {
	t.Parallel()
	day := int64(24 * 60 * 60)
	for name, row := range map[string]struct {
		before, after string
		action        plancheck.ResourceActionType
	}{
		"exp changes":                 {fmt.Sprintf("exp = %d", in(0)+day), fmt.Sprintf("exp = %d", in(0)+2*day), plancheck.ResourceActionReplace},
		"nbf changes":                 {fmt.Sprintf("nbf = %d", in(0)), fmt.Sprintf("nbf = %d", in(0)+day), plancheck.ResourceActionReplace},
		"exp is set":                  {"", fmt.Sprintf("exp = %d", in(0)+day), plancheck.ResourceActionReplace},
		"exp is no longer set":        {fmt.Sprintf("exp = %d", in(0)+day), "", plancheck.ResourceActionNoop},
		"exp is set to what it is":    {fmt.Sprintf("exp = %d", in(0)+day), fmt.Sprintf("exp = %d + %d", in(0), day), plancheck.ResourceActionNoop},
		"rotate_when_changed changes": {`rotate_when_changed = { a = "1" }`, `rotate_when_changed = { a = "2" }`, plancheck.ResourceActionReplace},
		"rotate_when_changed is new":  {"", `rotate_when_changed = { a = "1" }`, plancheck.ResourceActionUpdate},
		"rotate_when_changed is gone": {`rotate_when_changed = { a = "1" }`, "", plancheck.ResourceActionReplace},
		"timeouts change":             {"", `timeouts = { create = "30m" }`, plancheck.ResourceActionUpdate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing_by_others")
			compareKid := statecheck.CompareValue(compare.ValuesSame())
			posts := 0
			if row.action == plancheck.ResourceActionReplace {
				compareKid = statecheck.CompareValue(compare.ValuesDiffer())
				posts = 1
			}
			var sibling string
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{
					{
						Config:            w.Provider() + keyConfig(row.before),
						ConfigStateChecks: []statecheck.StateCheck{compareKid.AddStateValue(keyAddress, tfjsonpath.New("kid"))},
					},
					{
						PreConfig: func() {
							sibling = w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
							w.ResetJournal()
						},
						Config: w.Provider() + keyConfig(row.after),
						ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
							plancheck.ExpectResourceAction(keyAddress, row.action),
							plancheck.ExpectResourceAction("trustframework_key_set.test", plancheck.ResourceActionNoop),
						}},
						ConfigStateChecks: []statecheck.StateCheck{compareKid.AddStateValue(keyAddress, tfjsonpath.New("kid"))},
						Check: func(*terraform.State) error {
							if writes := w.Writes(); len(writes) != posts {
								return fmt.Errorf("%d writes, want %d", len(writes), posts)
							}
							keys := w.keys("B2C_1A_Signing")
							if len(keys) != 2+posts || keys[1].Kid != sibling {
								return fmt.Errorf("%d keys on the server", len(keys))
							}
							return nil
						},
					},
				},
			})
		})
	}
}

func TestAccGeneratedKey_Oct_HasNoPublicKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	config := w.Provider() + strings.ReplaceAll(keyConfig(), `"RSA"`, `"oct"`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{{
			Config: config,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("nbf"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("exp"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("n"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("e"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("activates_at"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("expires_at"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("public_key_pem"), knownvalue.Null()),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("public_key_jwk"), knownvalue.Null()),
			},
		}},
	})
}

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
		"B2C_1A_None/" + first: `non-existent remote object`,
		"B2C_1A_Signing/none":  `non-existent remote object`,
		"B2C_1A_None":          `(?s)There is no key set "B2C_1A_None".*AADB2C90073`,
		"Empty":                `has no keys to import`,
		"signing": `(?s)` + first + `: sig, RSA, nbf \d+ \(2030-01-01T12:00:00Z\), active\s+` +
			`terraform import trustframework_generated_key.<name> B2C_1A_Signing/` + first + `.*B2C_1A_Signing/` + second,
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

func TestAccGeneratedKey_Refresh_WhatLooksGoneAndIsNotStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keyConfig())
	tf.apply(true)
	kid := tf.state(keyAddress)["kid"]
	w.Inject(emulator.Fault{Op: emulator.OpList, Status: 403, Code: "AADB2C", Message: "no", Times: -1})
	w.Inject(emulator.Fault{Op: emulator.OpGet, Status: 403, Code: "AADB2C", Message: "no", Times: -1})
	if o := tf.expect(false, "plan", "-target", keyAddress); !o.has("error", "Unable to read key set", "TrustFrameworkKeySet.ReadWrite.All", "Status: 403", "Code: AADB2C", "Request ID: ") {
		t.Errorf("got %v", o.diagnostics)
	}
	if got := tf.state(keyAddress)["kid"]; got != kid {
		t.Errorf("kid %v, was %v", got, kid)
	}
	w.ClearFaults()
	if _, changes := tf.plan(); changes {
		t.Error("the plan has changes")
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
				if o := tf.expect(false, "plan"); !o.has("error", "Unable to read key", "doesn't show the keys", "stays there") {
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
	for name, imported := range map[string]bool{"made here": false, "imported": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			other := w.Server.NewTenant(emulator.TenantConfig{})
			other.AddKeySet("B2C_1A_Signing")
			tf := w.inProcess(t, w.Provider()+keyConfig())
			if imported {
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

func TestAccGeneratedKey_Destroy_LeavesTheKeyAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keyConfig())
	tf.apply(true)
	w.ResetJournal()
	o, _ := tf.plan("-destroy", "-target", keyAddress)
	if !o.has("warning", "Key stays in its key set", "B2C_1A_Signing/") {
		t.Errorf("got %v", o.diagnostics)
	}
	tf.apply(true, "-destroy", "-target", keyAddress)
	if len(w.Writes()) > 0 || len(w.keys("B2C_1A_Signing")) != 1 {
		t.Errorf("%d writes, %d keys", len(w.Writes()), len(w.keys("B2C_1A_Signing")))
	}
}

func TestAccGeneratedKey_Plan_Warns(t *testing.T) {
	t.Parallel()
	const tooSoon, exists = "Key would be used too soon", "Key may exist already"
	nbf, exp, later := in(-time.Hour), in(time.Hour), in(48*time.Hour)
	for name, row := range map[string]struct {
		others    []emulator.KeySpec
		arguments []string
		warnings  []string
	}{
		"nothing of the first key":                           {nil, nil, nil},
		"nothing of an encryption key":                       {[]emulator.KeySpec{{Use: "enc"}}, []string{`use = "enc"`}, nil},
		"nothing of a symmetric key":                         {[]emulator.KeySpec{{Kty: "oct"}}, []string{`kty = "oct"`}, nil},
		"of an undated key beside an undated":                {[]emulator.KeySpec{{}}, nil, []string{tooSoon}},
		"of a dated key beside an undated":                   {[]emulator.KeySpec{{}}, []string{fmt.Sprintf("nbf = %d", nbf)}, []string{tooSoon}},
		"nothing of an undated beside a dated":               {[]emulator.KeySpec{{Nbf: &nbf}}, nil, nil},
		"of a key for the next hour":                         {[]emulator.KeySpec{{}}, []string{fmt.Sprintf("nbf = %d", in(time.Hour))}, []string{tooSoon}},
		"of a key whose exp isn't known yet":                 {[]emulator.KeySpec{{}}, []string{"exp = terraform_data.later.output"}, []string{tooSoon}},
		"nothing of a key for later":                         {[]emulator.KeySpec{{}}, []string{fmt.Sprintf("nbf = %d", later)}, nil},
		"nothing beside an expired key":                      {[]emulator.KeySpec{{Exp: &nbf}}, nil, nil},
		"of a twin":                                          {[]emulator.KeySpec{{Nbf: &nbf, Exp: &exp}}, []string{fmt.Sprintf("nbf = %d", nbf), fmt.Sprintf("exp = %d", exp)}, []string{exists, tooSoon}},
		"nothing of a twin with another exp":                 {[]emulator.KeySpec{{Nbf: &later, Exp: nil}}, []string{fmt.Sprintf("nbf = %d", later), fmt.Sprintf("exp = %d", later+1)}, nil},
		"of a twin without exp":                              {[]emulator.KeySpec{{Nbf: &later}}, []string{fmt.Sprintf("nbf = %d", later)}, []string{exists}},
		"nothing of undated keys, whose twins can't be told": {[]emulator.KeySpec{{Nbf: &nbf}, {}}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			var last string
			for _, k := range row.others {
				last = w.AddKey("B2C_1A_Signing", k)
			}
			config := strings.ReplaceAll(keyConfig(row.arguments...), "trustframework_key_set.test.id", `"signing"`)
			config = config[strings.Index(config, `resource "trustframework_generated_key"`):]
			later := fmt.Sprintf("resource \"terraform_data\" \"later\" {\n  input = %d\n}\n", later)
			o, changes := w.inProcess(t, w.Provider()+later+config).plan()
			if !changes || len(o.diagnostics) != len(row.warnings) {
				t.Fatalf("changes: %t, %v", changes, o.diagnostics)
			}
			for _, summary := range row.warnings {
				if !o.has("warning", summary, last) {
					t.Errorf("no %q in %v", summary, o.diagnostics)
				}
			}
		})
	}
}

func TestAccGeneratedKey_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	const set = `"B2C_1A_Signing"`
	for name, row := range map[string]struct {
		config string
		want   string
		reads  bool // the check needs the key set
	}{
		"milliseconds":        {`exp = 1924991999000`, `looks like milliseconds.*1924991999, which is 2030-12-31T23:59:59Z`, false},
		"before 1970":         {`nbf = -1`, `lies before 1970`, false},
		"exp before nbf":      {fmt.Sprintf("nbf = %d\nexp = %d", in(time.Hour), in(time.Minute)), `would expire.*before or when`, false},
		"exp is nbf":          {fmt.Sprintf("nbf = %d\nexp = %d", in(time.Hour), in(time.Hour)), `would expire.*before or when`, false},
		"exp in the past":     {fmt.Sprintf("exp = %d", in(-time.Second)), `would have expired.*2030-01-01T11:59:59Z.*now it is 2030-01-01T12:00:00Z`, false},
		"unknown use":         {`use = "sign"`, `"sig" "enc".*got: "sign"`, false},
		"unknown kty":         {`kty = "EC"`, `"RSA" "oct".*got: "EC"`, false},
		"use the set has not": {`use = "enc"`, `holds keys with use = "sig".*can't mix`, true},
		"kty the set has not": {`kty = "oct"`, `holds keys with kty = "RSA".*can't mix`, true},
		"name with a slash":   {`key_set_id = "a/b"`, `can't name a key set`, false},
		"empty name":          {`key_set_id = ""`, `can't name a key set: it is empty`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			arguments := map[string]string{"key_set_id": set, "use": `"sig"`, "kty": `"RSA"`}
			for line := range strings.Lines(row.config) {
				argument, value, _ := strings.Cut(line, " = ")
				arguments[argument] = value
			}
			config := "resource \"trustframework_generated_key\" \"test\" {\n"
			for argument, value := range arguments {
				config += fmt.Sprintf("  %s = %s\n", argument, strings.TrimSpace(value))
			}
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{{
					Config:      w.Provider() + config + "}\n",
					ExpectError: regexp.MustCompile("(?s)" + strings.ReplaceAll(row.want, " ", `\s+`)),
				}},
			})
			if len(w.Writes()) > 0 || !row.reads && len(w.Requests()) > 0 {
				t.Errorf("requests: %v", w.Requests())
			}
		})
	}
}

// TestAccGeneratedKey_Expired_StaysManageable: only a key about to be made must not have expired.
func TestAccGeneratedKey_Expired_StaysManageable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keyConfig(fmt.Sprintf("exp = %d", in(time.Hour))))
	tf.apply(true)
	w.clock.Advance(2 * time.Hour)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	tf.apply(true, "-destroy")
}

func TestAccGeneratedKey_UnknownValues_WaitForApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	config := fmt.Sprintf(`
resource "terraform_data" "later" {
  input = { set = "Signing", use = "sig", kty = "oct", nbf = %d, exp = %d, tag = "x" }
}

resource "trustframework_key_set" "test" {
  name = terraform_data.later.output.set
}

resource "trustframework_generated_key" "test" {
  key_set_id          = trustframework_key_set.test.id
  use                 = terraform_data.later.output.use
  kty                 = terraform_data.later.output.kty
  nbf                 = terraform_data.later.output.nbf
  exp                 = terraform_data.later.output.exp
  rotate_when_changed = { tag = terraform_data.later.output.tag }
}
`, in(time.Hour), in(2*time.Hour))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{{
			Config: w.Provider() + config,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("nbf"), knownvalue.Int64Exact(in(time.Hour))),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("key_set_id"), knownvalue.StringExact("B2C_1A_Signing")),
			},
		}},
	})
}

func TestAccGeneratedKey_Spelling_OfTheSetChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	config := func(name, id string) string {
		return w.Provider() + strings.Replace(strings.Replace(keyConfig("depends_on = [trustframework_key_set.test]"),
			"trustframework_key_set.test.id", strconv.Quote(id), 1), `"Signing"`, strconv.Quote(name), 1)
	}
	empty := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{
			{
				Config: config("Signing", "SIGNING"),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile("^B2C_1A_Signing/"))),
				},
			},
			{Config: config("B2C_1A_Signing", "b2c_1a_signing"), ConfigPlanChecks: empty},
			{Config: config("signing", "Signing"), ConfigPlanChecks: empty},
		},
	})
}

func TestAccGeneratedKey_WrongKind_NeedsAnotherSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{
			{Config: w.Provider() + keyConfig()},
			{
				Config:      w.Provider() + strings.ReplaceAll(keyConfig(), `"sig"`, `"enc"`),
				ExpectError: regexp.MustCompile(`Key doesn't fit its key set`),
			},
			// A set of another name comes with the change.
			{Config: w.Provider() + strings.ReplaceAll(strings.ReplaceAll(keyConfig(), `"sig"`, `"enc"`), `"Signing"`, `"Encryption"`)},
		},
	})
}

// TestAccGeneratedKey_Plan_OfAHundredKeysIsOneListing counts what applying and refreshing ask for.
func TestAccGeneratedKey_Plan_OfAHundredKeysIsOneListing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+`
resource "trustframework_key_set" "test" {
  count = 20
  name  = "Set${count.index}"
}

resource "trustframework_generated_key" "test" {
  count      = 100
  key_set_id = trustframework_key_set.test[count.index % 20].id
  use        = "sig"
  kty        = "oct"
}
`)
	tf.apply(true)
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: 20, emulator.OpGenerateKey: 100})(nil); err != nil {
		t.Errorf("apply: %v", err)
	}
	if _, changes := tf.plan(); changes {
		t.Error("the plan has changes")
	}
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1})(nil); err != nil {
		t.Errorf("plan: %v", err)
	}
	if n := len(w.Requests(emulator.OpToken)); n > 1 {
		t.Errorf("%d tokens since the journal was reset", n)
	}
}

// TestAccGeneratedKey_Plan_WarnsOfAReplacement: Terraform shows no warnings of the plan that makes the
// new key, so that they come with the one that gives up the old.
func TestAccGeneratedKey_Plan_WarnsOfAReplacement(t *testing.T) {
	t.Parallel()
	dated := func(exp time.Duration, rotate string) string {
		return keyConfig(fmt.Sprintf("nbf = %d", in(-time.Hour)), fmt.Sprintf("exp = %d", in(exp)), "rotate_when_changed = { a = "+strconv.Quote(rotate)+" }")
	}
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+dated(24*time.Hour, "1"))
	tf.apply(true)
	kid, _ := tf.state(keyAddress)["kid"].(string)
	for name, config := range map[string]string{"exp": dated(48*time.Hour, "1"), "rotate_when_changed": dated(24*time.Hour, "2")} {
		tf.configure(w.Provider() + config)
		// The key's own predecessor is no twin of it.
		if o, _ := tf.plan(); len(o.diagnostics) != 1 || !o.has("warning", "Key would be used too soon", kid) {
			t.Errorf("%s: %v", name, o.diagnostics)
		}
	}
	tf.configure(w.Provider() + dated(24*time.Hour, "2"))
	if o := tf.apply(true); o.has("warning", "Key may exist already") {
		t.Errorf("the key just given up is taken for a leftover: %v", o.diagnostics)
	}
}
