// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
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

const keyAddress = "trustframework_generated_key.test"

// keyConfig is a key set with one key; arguments are lines of HCL for the key, beside or instead of its
// own.
func keyConfig(arguments ...string) string {
	return `
resource "trustframework_key_set" "test" {
  name = "Signing"
}
` + resourceConfig("trustframework_generated_key", []string{"key_set_id = trustframework_key_set.test.id", `use = "sig"`, `kty = "RSA"`}, arguments...)
}

// resourceConfig is a resource with lines of HCL, and arguments beside or instead of them.
func resourceConfig(resourceType string, lines []string, arguments ...string) string {
	for _, argument := range arguments {
		name, _, _ := strings.Cut(argument, " ")
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+" ") })
		lines = append(lines, argument)
	}
	return fmt.Sprintf("\nresource %q \"test\" {\n  %s\n}\n", resourceType, strings.Join(lines, "\n  "))
}

// onlyKey is the part of keyConfig that is about the key.
func onlyKey(config string) string {
	return config[strings.Index(config, `resource "trustframework_generated_key"`):]
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
	replace, update, none := map[string]string{keyAddress: "replace"}, map[string]string{keyAddress: "update"}, map[string]string{}
	for name, row := range map[string]struct {
		before, after string
		actions       map[string]string
	}{
		"exp changes":                 {fmt.Sprintf("exp = %d", in(0)+day), fmt.Sprintf("exp = %d", in(0)+2*day), replace},
		"nbf changes":                 {fmt.Sprintf("nbf = %d", in(0)), fmt.Sprintf("nbf = %d", in(0)+day), replace},
		"exp is set":                  {"", fmt.Sprintf("exp = %d", in(0)+day), replace},
		"exp is no longer set":        {fmt.Sprintf("exp = %d", in(0)+day), "", none},
		"exp is set to what it is":    {fmt.Sprintf("exp = %d", in(0)+day), fmt.Sprintf("exp = %d + %d", in(0), day), none},
		"rotate_when_changed changes": {`rotate_when_changed = { a = "1" }`, `rotate_when_changed = { a = "2" }`, replace},
		"rotate_when_changed is new":  {"", `rotate_when_changed = { a = "1" }`, update},
		"rotate_when_changed is gone": {`rotate_when_changed = { a = "1" }`, "", replace},
		"timeouts change":             {"", `timeouts = { create = "30m" }`, update},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing_by_others")
			tf := w.inProcess(t, w.Provider()+keyConfig(row.before))
			tf.apply(true)
			kid, set := tf.state(keyAddress)["kid"], tf.state(keySetAddress)
			sibling := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			w.ResetJournal()
			tf.configure(w.Provider() + keyConfig(row.after))
			o := tf.apply(true)
			if got := o.actions(); !maps.Equal(got, row.actions) {
				t.Errorf("actions %v, want %v", got, row.actions)
			}
			made := 0
			if row.actions[keyAddress] == "replace" {
				made = 1
			}
			if got := tf.state(keyAddress)["kid"]; (got != kid) != (made == 1) || !reflect.DeepEqual(tf.state(keySetAddress), set) {
				t.Errorf("kid %v, was %v; key set %v, was %v", got, kid, tf.state(keySetAddress), set)
			}
			if writes := w.Writes(); len(writes) != made {
				t.Errorf("%d writes, want %d", len(writes), made)
			}
			if keys := w.keys("B2C_1A_Signing"); len(keys) != 2+made || keys[1].Kid != sibling {
				t.Errorf("%d keys on the server", len(keys))
			}
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
