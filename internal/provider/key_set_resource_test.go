// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const keySetAddress = "trustframework_key_set.test"

// keySetConfig is a key set; arguments are lines of HCL added to it.
func keySetConfig(name string, arguments ...string) string {
	return fmt.Sprintf("resource \"trustframework_key_set\" \"test\" {\n  name = %q\n  %s\n}\n", name, strings.Join(arguments, "\n  "))
}

func TestAccKeySet_Create_IsOnePostAndThenNoChange(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"Signing": "B2C_1A_Signing", "B2C_1A_Signing": "B2C_1A_Signing", "b2c_1a_signing": "b2c_1a_signing"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			config := w.Provider() + keySetConfig(name)
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{
					{
						Config: config,
						ConfigStateChecks: []statecheck.StateCheck{
							statecheck.ExpectKnownValue(keySetAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile("(?i)^"+id+"$"))),
							statecheck.ExpectKnownValue(keySetAddress, tfjsonpath.New("name"), knownvalue.StringExact(name)),
							statecheck.ExpectKnownValue(keySetAddress, tfjsonpath.New("delete_backup"), knownvalue.Bool(false)),
						},
						Check: w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: 1}),
					},
					{Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
				},
			})
		})
	}
}

func TestAccKeySet_Change(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before, after string
		action        plancheck.ResourceActionType
		writes        int
	}{
		"another name":     {keySetConfig("One"), keySetConfig("Two"), plancheck.ResourceActionReplace, 2},
		"prefix":           {keySetConfig("One"), keySetConfig("B2C_1A_One"), plancheck.ResourceActionNoop, 0},
		"case":             {keySetConfig("One"), keySetConfig("ONE"), plancheck.ResourceActionNoop, 0},
		"delete_backup":    {keySetConfig("One"), keySetConfig("One", "delete_backup = true"), plancheck.ResourceActionUpdate, 0},
		"timeouts":         {keySetConfig("One"), keySetConfig("One", `timeouts = { delete = "5m" }`), plancheck.ResourceActionUpdate, 0},
		"timeouts removed": {keySetConfig("One", `timeouts = { delete = "5m" }`), keySetConfig("One"), plancheck.ResourceActionUpdate, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{
					{Config: w.Provider() + row.before},
					{
						PreConfig:        w.ResetJournal,
						Config:           w.Provider() + row.after,
						ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(keySetAddress, row.action)}},
						Check: func(*terraform.State) error {
							if writes := w.Writes(); len(writes) != row.writes {
								return fmt.Errorf("%d writes, want %d", len(writes), row.writes)
							}
							return nil
						},
					},
				},
			})
		})
	}
}

func TestAccKeySet_Destroy_WarnsAndLeavesABackup(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		arguments string
		left      []string
		texts     []string
	}{
		"by default":         {"", []string{"B2C_1A_Test.bak"}, []string{"holds 2 key(s)", "is active", `keep a copy as "B2C_1A_Test.bak"`}},
		"with delete_backup": {"delete_backup = true", nil, []string{"holds 2 key(s)", "is active", `copy "B2C_1A_Test.bak" is deleted too`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+keySetConfig("Test", row.arguments))
			tf.apply(true)
			w.AddKey("B2C_1A_Test", emulator.KeySpec{Kty: "oct"})
			active := w.AddKey("B2C_1A_Test", emulator.KeySpec{Kty: "oct"})
			const summary = "Key set with keys would be deleted"
			if o, _ := tf.plan("-destroy"); !o.has("warning", summary, append(row.texts, active)...) {
				t.Errorf("destroy: %v", o.diagnostics)
			}
			tf.configure(w.Provider() + keySetConfig("Other", row.arguments))
			if o, _ := tf.plan(); !o.has("warning", summary, row.texts...) {
				t.Errorf("replace: %v", o.diagnostics)
			}
			tf.apply(true, "-destroy")
			var left []string
			for _, s := range w.KeySets() {
				left = append(left, s.ID)
			}
			if fmt.Sprint(left) != fmt.Sprint(row.left) {
				t.Errorf("left %v, want %v", left, row.left)
			}
		})
	}
}

// TestAccKeySet_Destroy_WaitsForItsBackup: the copy of a set with keys is sure to come.
func TestAccKeySet_Destroy_WaitsForItsBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keySetConfig("Test", "delete_backup = true"))
	tf.apply(true)
	w.AddKey("B2C_1A_Test", emulator.KeySpec{Kty: "oct"})
	w.clock.Advance(time.Hour)
	w.SetLag(20 * time.Second)
	tf.apply(true, "-destroy")
	if left := w.KeySets(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAccKeySet_Destroy_SaysHowToDeleteABackupThatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keySetConfig("Test", "delete_backup = true"))
	tf.apply(true)
	w.Inject(emulator.Fault{Op: emulator.OpDelete, KeySet: "B2C_1A_Test.bak", Status: 403, Code: "AADB2C", Message: "no"})
	o := tf.apply(false, "-destroy")
	if !o.has("error", "Unable to delete backup of key set", "Status: 403") || !o.has("warning", "Backup of key set is left", "B2C_1A_Test.bak", "import it") {
		t.Errorf("got %v", o.diagnostics)
	}
}

func TestAccKeySet_Destroy_OfAnEmptySetSaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{NoBackupOfEmpty: true})
	tf := w.inProcess(t, w.Provider()+keySetConfig("Test", "delete_backup = true"))
	tf.apply(true)
	if o := tf.apply(true, "-destroy"); len(o.diagnostics) > 0 {
		t.Errorf("got %v", o.diagnostics)
	}
	if n := len(w.KeySets()); n != 0 {
		t.Errorf("%d key sets left", n)
	}
}

// TestAccKeySet_Destroy_SurvivesLostAnswers: a DELETE that comes twice finds nothing to delete. For a
// set that was just made that isn't believed at once.
func TestAccKeySet_Destroy_SurvivesLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"504": emulator.GatewayTimeout(emulator.OpDelete), "cut": emulator.CutAfterCommit(emulator.OpDelete),
		"503": emulator.Unavailable(emulator.OpDelete), "429": emulator.Throttled(emulator.OpDelete, "0.5"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{NoBackupOfEmpty: true})
			tf := w.inProcess(t, w.Provider()+keySetConfig("Test"))
			tf.apply(true)
			w.clock.Advance(time.Hour)
			w.Inject(fault)
			tf.apply(true, "-destroy")
			if n := len(w.Requests(emulator.OpDelete)); n != 2 || len(w.KeySets()) > 0 {
				t.Errorf("%d DELETEs, %d key sets left", n, len(w.KeySets()))
			}
		})
	}
}

func TestAccKeySet_Exists_NamesTheImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	tf := w.inProcess(t, w.Provider()+keySetConfig("Test"))
	o := tf.apply(false)
	if !o.has("error", "Unable to create key set", "already exists", "terraform import trustframework_key_set.NAME B2C_1A_Test", "Code: AADB2C95028", "Request ID: ") {
		t.Errorf("got %v", o.diagnostics)
	}
	if n := len(w.Requests(emulator.OpCreate)); n != 1 {
		t.Errorf("%d POSTs", n)
	}
}

func TestAccKeySet_Import_WritesNothingAndPlansEmpty(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"B2C_1A_Test", "Test", "b2c_1a_TEST"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			tf := w.inProcess(t, w.Provider()+keySetConfig("Test"))
			tf.command("import", keySetAddress, id)
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
			}
			if got := tf.state(keySetAddress); got["id"] != "B2C_1A_Test" || len(w.Writes()) > 0 {
				t.Errorf("state %v, %d writes", got, len(w.Writes()))
			}
		})
	}
}

func TestAccKeySet_Import_RefusesWhatIsNoKeySet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	for id, want := range map[string]string{
		"B2C_1A_Test":     `(?s)There is no key set "B2C_1A_Test".*AADB2C90073`,
		"B2C_1A_Test/kid": `can't name a key set`,
		"a b":             `can't name a key set`,
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{{
					Config:        w.Provider() + keySetConfig("Test"),
					ResourceName:  keySetAddress,
					ImportState:   true,
					ImportStateId: id,
					ExpectError:   regexp.MustCompile(strings.ReplaceAll(want, " ", `\s+`)),
				}},
			})
		})
	}
}

func TestAccKeySet_Disappears_IsPlannedAgain(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{"400": {}, "404": {MissingStatus: 404}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, switches)
			config := w.Provider() + keySetConfig("Test")
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{
					{Config: config},
					{
						PreConfig:        func() { w.RemoveKeySet("B2C_1A_Test"); w.clock.Advance(time.Hour) },
						Config:           config,
						ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(keySetAddress, plancheck.ResourceActionCreate)}},
					},
				},
			})
		})
	}
}

func TestAccKeySet_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	for name, want := range map[string]string{
		"":                 "it is empty",
		"a/b":              "has one of",
		"..":               "means a folder",
		"with space":       "has a space",
		"new\nline":        "has a space or a control character",
		"B2C_1A_Test?x=1":  "has one of",
		"B2C_1A_T%2e%2e":   "has one of",
		"B2C_1A_it's mine": "has one of",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{{
					Config:      w.Provider() + keySetConfig(name),
					ExpectError: regexp.MustCompile(strings.ReplaceAll(want, " ", `\s+`)),
				}},
			})
			if n := len(w.Requests()); n > 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}
