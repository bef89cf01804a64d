// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const keyAddress = "trustframework_generated_key.test"

// keyConfig is a key set with one key; arguments are lines of HCL added to the key.
func keyConfig(arguments ...string) string {
	return fmt.Sprintf(`
resource "trustframework_key_set" "test" {
  name = "Signing"
}

resource "trustframework_generated_key" "test" {
  key_set_id = trustframework_key_set.test.id
  use        = "sig"
  kty        = "RSA"
  %s
}
`, strings.Join(arguments, "\n  "))
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

func TestAccGeneratedKey_Replace_WhenExpChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	differ := statecheck.CompareValue(compare.ValuesDiffer())
	same := statecheck.CompareValue(compare.ValuesSame())
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{
			{
				Config: w.Provider() + keyConfig(fmt.Sprintf("exp = %d", in(24*time.Hour))),
				ConfigStateChecks: []statecheck.StateCheck{
					differ.AddStateValue(keyAddress, tfjsonpath.New("kid")),
					same.AddStateValue("trustframework_key_set.test", tfjsonpath.New("id")),
				},
			},
			{
				PreConfig: w.ResetJournal,
				Config:    w.Provider() + keyConfig(fmt.Sprintf("exp = %d", in(48*time.Hour))),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(keyAddress, plancheck.ResourceActionReplace),
					plancheck.ExpectResourceAction("trustframework_key_set.test", plancheck.ResourceActionNoop),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					differ.AddStateValue(keyAddress, tfjsonpath.New("kid")),
					same.AddStateValue("trustframework_key_set.test", tfjsonpath.New("id")),
				},
			},
		},
	})
	for _, e := range w.Writes() {
		t.Logf("%s %s %d", e.Method, e.Path, e.Status)
	}
}
