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
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

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
			config = onlyKey(config)
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
		"unknown status":      {`status = "off"`, `"enabled" "disabled".*got: "off"`, false},
		"unknown on_destroy":  {`on_destroy = "delete"`, `"retain" "disable".*got: "delete"`, false},
		"unreadable timeout":  {`timeouts = { create = "soon" }`, `"soon" must be a string.*decimal numbers`, false},
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
  input = { set = "Signing", use = "sig", kty = "oct", nbf = %d, exp = %d, tag = "x", status = "enabled", on_destroy = "disable", timeout = "30m" }
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
  status              = terraform_data.later.output.status
  on_destroy          = terraform_data.later.output.on_destroy
  timeouts            = { create = terraform_data.later.output.timeout }
}
`, in(time.Hour), in(2*time.Hour))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{{
			Config: w.Provider() + config,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("nbf"), knownvalue.Int64Exact(in(time.Hour))),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("key_set_id"), knownvalue.StringExact("B2C_1A_Signing")),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("status"), knownvalue.StringExact("enabled")),
				statecheck.ExpectKnownValue(keyAddress, tfjsonpath.New("on_destroy"), knownvalue.StringExact("disable")),
			},
		}, {
			Config:           w.Provider() + config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
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
	// One process, one token.
	tokens := 0
	w.ResetJournal()
	tf.plan()
	for _, e := range w.Journal() {
		if e.Op == emulator.OpToken {
			tokens++
		}
	}
	if tokens != 1 {
		t.Errorf("%d tokens for a plan", tokens)
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
