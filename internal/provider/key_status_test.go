// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// statusWorld is a tenant whose key set Signing has a usable key of somebody else's.
func statusWorld(t *testing.T, switches emulator.Switches) *world {
	t.Helper()
	w := newWorld(t, switches)
	w.AddKeySet("B2C_1A_Signing")
	w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
	return w
}

// statusConfig is keyConfig without the set's resource.
func statusConfig(arguments ...string) string {
	return onlyKey(keyConfig(append([]string{`key_set_id = "B2C_1A_Signing"`}, arguments...)...))
}

// status is what the service holds of the key in state.
func (w *world) status(tf *client) string {
	kid := tf.state(keyAddress)["kid"]
	for _, k := range w.keys("B2C_1A_Signing") {
		if k.Kid == kid {
			return k.Status
		}
	}
	return ""
}

// TestAccGeneratedKey_Status_ChangesInPlace goes through a key's statuses and looks at what each step asks.
func TestAccGeneratedKey_Status_ChangesInPlace(t *testing.T) {
	t.Parallel()
	type requests = map[emulator.Op]int
	const list, keysV2, patch = emulator.OpList, emulator.OpListKeys, emulator.OpPatchKey
	w := statusWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+statusConfig())
	kid := ""
	for _, step := range []struct {
		name      string
		do        func()
		arguments []string
		status    any    // in state
		truth     string // on the server
		apply     requests
		refresh   requests
	}{
		{
			name: "unmanaged: nobody asks", truth: "enabled",
			apply: requests{list: 2, emulator.OpGenerateKey: 1}, refresh: requests{list: 1},
		},
		{
			name: "enabled, as it is: nothing is written", arguments: []string{`status = "enabled"`}, status: "enabled", truth: "enabled",
			apply: requests{list: 1, keysV2: 1}, refresh: requests{list: 1, keysV2: 1},
		},
		{
			// Planning asks whether another key is left, and so does the apply, which is another provider; setting
			// the status makes sure of it before and after.
			name: "disabled", arguments: []string{`status = "disabled"`}, status: "disabled", truth: "disabled",
			apply: requests{list: 2, keysV2: 4, patch: 1}, refresh: requests{list: 1, keysV2: 1},
		},
		{
			name: "drift is undone", do: func() { w.SetKeyStatus("B2C_1A_Signing", kid, true); w.clock.Advance(time.Hour) },
			arguments: []string{`status = "disabled"`}, status: "disabled", truth: "disabled",
			apply: requests{list: 2, keysV2: 4, patch: 1}, refresh: requests{list: 1, keysV2: 1},
		},
		{
			name: "no longer managed: it stays as it is", truth: "disabled",
			apply: requests{list: 1, keysV2: 1}, refresh: requests{list: 1},
		},
		{
			name: "enabled again", arguments: []string{`status = "enabled"`}, status: "enabled", truth: "enabled",
			apply: requests{list: 1, keysV2: 1, patch: 1}, refresh: requests{list: 1, keysV2: 1},
		},
	} {
		w.clock.Advance(2 * time.Minute) // what was read before is too old to be used
		if step.do != nil {
			step.do()
		}
		w.ResetJournal()
		tf.configure(w.Provider() + statusConfig(step.arguments...))
		if o := tf.apply(true); len(o.diagnostics) > 0 && step.name != "unmanaged: nobody asks" {
			t.Errorf("%s: %v", step.name, o.diagnostics)
		}
		if err := w.CheckRequests(step.apply)(nil); err != nil {
			t.Errorf("%s: apply: %v", step.name, err)
		}
		if kid == "" {
			kid, _ = tf.state(keyAddress)["kid"].(string)
		}
		if got := tf.state(keyAddress); got["status"] != step.status || got["kid"] != kid || w.status(tf) != step.truth {
			t.Errorf("%s: status %v, %s on the server", step.name, got["status"], w.status(tf))
		}
		w.clock.Advance(2 * time.Minute)
		if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
			t.Errorf("%s: changes: %t, %v", step.name, changes, o.diagnostics)
		}
		if err := w.CheckRequests(step.refresh)(nil); err != nil {
			t.Errorf("%s: plan: %v", step.name, err)
		}
	}
}

func TestAccGeneratedKey_Status_LastUsableKeyIsNeverDisabled(t *testing.T) {
	t.Parallel()
	w := statusWorld(t, emulator.Switches{})
	sibling := w.keys("B2C_1A_Signing")[0].Kid
	tf := w.inProcess(t, w.Provider()+statusConfig())
	tf.apply(true)
	tf.configure(w.Provider() + statusConfig(`status = "disabled"`))

	// At plan.
	w.SetKeyStatus("B2C_1A_Signing", sibling, false)
	w.clock.Advance(2 * time.Minute)
	if o := tf.expect(false, "plan"); !o.has("error", "Last usable key would be disabled", "B2C_1A_Signing", "Make another key first") {
		t.Errorf("plan: %v", o.diagnostics)
	}
	// Between plan and apply.
	w.SetKeyStatus("B2C_1A_Signing", sibling, true)
	w.clock.Advance(2 * time.Minute)
	tf.expect(true, "plan", "-out=plan")
	w.onAnswer(emulator.OpListKeys, 1, func() { w.SetKeyStatus("B2C_1A_Signing", sibling, false) })
	if o := tf.expect(false, "apply", "plan"); !o.has("error", "Unable to set key's status", "No other key", "Nothing was changed") {
		t.Errorf("apply: %v", o.diagnostics)
	}
	if got := tf.state(keyAddress); got["status"] != nil || w.status(tf) != "enabled" || len(w.Requests(emulator.OpPatchKey)) > 0 {
		t.Errorf("status %v, %s on the server", got["status"], w.status(tf))
	}
}

func TestAccGeneratedKey_Status_OfANewKey(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		alone    bool
		argument string
		fault    *emulator.Fault
		fails    bool   // at plan
		warning  string // at apply
		truth    string
	}{
		"disabled":                          {argument: `status = "disabled"`, truth: "disabled"},
		"enabled":                           {argument: `status = "enabled"`, truth: "enabled"},
		"enabled, where keys are disabled":  {switches: emulator.Switches{DisabledAtFirst: true}, argument: `status = "enabled"`, truth: "enabled"},
		"unmanaged, where they are":         {switches: emulator.Switches{DisabledAtFirst: true}, truth: "disabled"},
		"disabled, with status in listings": {switches: emulator.Switches{StatusInListing: true}, argument: `status = "disabled"`, truth: "disabled"},
		"disabled and alone":                {alone: true, argument: `status = "disabled"`, fails: true},
		"without keys_v2":                   {switches: emulator.Switches{NoKeysV2: true}, argument: `status = "disabled"`, warning: "Key is made, but its status isn't set", truth: "enabled"},
		"refused": {
			argument: `status = "disabled"`, fault: &emulator.Fault{Op: emulator.OpPatchKey, Status: 400, Code: "AADB2C99014", Message: "no"},
			warning: "Key is made, but its status isn't set", truth: "enabled",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.AddKeySet("B2C_1A_Signing")
			if !row.alone {
				w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			}
			if row.fault != nil {
				w.Inject(*row.fault)
			}
			// A key for later takes no other one's place, which would be warned of.
			tf := w.inProcess(t, w.Provider()+statusConfig(append([]string{fmt.Sprintf("exp = %d", in(time.Hour))}, row.argument)...))
			if row.fails {
				if o := tf.expect(false, "plan"); !o.has("error", "Last usable key would be disabled") {
					t.Errorf("plan: %v", o.diagnostics)
				}
				return
			}
			o := tf.apply(true)
			if row.warning != "" && !o.has("warning", row.warning, "the next apply sets it") {
				t.Errorf("got %v", o.diagnostics)
			}
			if got := w.status(tf); got != row.truth || len(w.Requests(emulator.OpGenerateKey)) != 1 {
				t.Errorf("status %q", got)
			}
			if row.switches.NoKeysV2 {
				return
			}
			// The plan after a failure replaces nothing, and the next apply mends it.
			tf.apply(true)
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			if n := len(w.Requests(emulator.OpGenerateKey)); n != 1 {
				t.Errorf("%d keys made", n)
			}
			if row.fault != nil && w.status(tf) != "disabled" {
				t.Errorf("status %q after the second apply", w.status(tf))
			}
		})
	}
}

// TestAccGeneratedKey_Status_PlansWithTheReadRole: keys_v2 wants more even to read.
func TestAccGeneratedKey_Status_PlansWithTheReadRole(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{"refused": {}, "in the listing": {StatusInListing: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := statusWorld(t, switches)
			tf := w.inProcess(t, w.Provider()+statusConfig(`status = "enabled"`))
			tf.apply(true)
			w.SetRoles(emulator.RoleRead)
			w.clock.Advance(2 * time.Hour) // for a new token
			o, changes := tf.plan()
			warned := o.has("warning", "Unable to read key's status", "TrustFrameworkKeySet.ReadWrite.All", "B2C_1A_Signing/")
			if changes || warned != (name == "refused") {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			tf.configure(w.Provider() + statusConfig(`status = "disabled"`))
			if _, changes := tf.plan(); !changes {
				t.Error("the change isn't planned")
			}
		})
	}
}

// TestAccGeneratedKey_Status_UnderLag: what was set and doesn't show yet is no drift.
func TestAccGeneratedKey_Status_UnderLag(t *testing.T) {
	t.Parallel()
	w := statusWorld(t, emulator.Switches{})
	w.SetLag(40 * time.Second)
	tf := w.inProcess(t, w.Provider()+statusConfig(`status = "disabled"`))
	tf.apply(true)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	if n := len(w.Requests(emulator.OpGenerateKey)); n != 1 || w.status(tf) != "disabled" {
		t.Errorf("%d keys made, status %q", n, w.status(tf))
	}
}

func TestAccGeneratedKey_OnDestroy(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		argument string
		alone    bool
		warning  string
		truth    string
		patches  int
	}{
		"by default":               {truth: "enabled"},
		"retain":                   {argument: `on_destroy = "retain"`, truth: "enabled"},
		"disable":                  {argument: `on_destroy = "disable"`, truth: "disabled", patches: 1},
		"disable the last one":     {argument: `on_destroy = "disable"`, alone: true, warning: "Last usable key stays enabled", truth: "enabled"},
		"disable where it's lost":  {argument: `on_destroy = "disable"`, truth: "gone"},
		"disable with the key set": {argument: `on_destroy = "disable"`, truth: "no set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			if !row.alone {
				w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			}
			tf := w.inProcess(t, w.Provider()+statusConfig())
			tf.apply(true)
			kid, _ := tf.state(keyAddress)["kid"].(string)
			tf.configure(w.Provider() + statusConfig(row.argument))
			tf.apply(true) // in place, and nothing is sent
			if n := len(w.Writes()); n != 1 {
				t.Errorf("%d writes before the end", n)
			}
			summary := "Key stays in its key set"
			if row.truth != "enabled" || row.alone {
				summary += ", disabled"
			}
			if o, _ := tf.plan("-destroy"); !o.has("warning", summary, kid) {
				t.Errorf("plan: %v", o.diagnostics)
			}
			w.clock.Advance(time.Hour)
			refresh := "-refresh=false"
			switch row.truth {
			case "gone":
				w.RemoveKey("B2C_1A_Signing", kid)
			case "no set":
				w.RemoveKeySet("B2C_1A_Signing")
			}
			o := tf.apply(true, "-destroy", refresh)
			if row.warning != "" && !o.has("warning", row.warning, kid, "create_before_destroy") {
				t.Errorf("apply: %v", o.diagnostics)
			}
			for _, k := range w.keys("B2C_1A_Signing") {
				if k.Kid == kid && k.Status != row.truth {
					t.Errorf("status %q", k.Status)
				}
			}
			if n := len(w.Requests(emulator.OpPatchKey)); row.truth != "gone" && n != row.patches {
				t.Errorf("%d PATCHes", n)
			}
			if tf.state(keyAddress) != nil {
				t.Error("the key is still in state")
			}
		})
	}
}

// TestAccGeneratedKey_OnDestroy_OfAReplacedKey: the successor comes first, so that the old one isn't the
// last.
func TestAccGeneratedKey_OnDestroy_OfAReplacedKey(t *testing.T) {
	t.Parallel()
	const first = "lifecycle { create_before_destroy = true }"
	for name, row := range map[string]struct {
		lifecycle string
		truth     string
	}{
		"create_before_destroy": {first, "disabled"},
		"destroy first":         {"", "enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			config := func(version string) string {
				return w.Provider() + statusConfig(`on_destroy = "disable"`, `rotate_when_changed = { v = "`+version+`" }`, row.lifecycle)
			}
			tf := w.inProcess(t, config("1"))
			tf.apply(true)
			old := tf.state(keyAddress)["kid"]
			tf.configure(config("2"))
			o := tf.apply(true)
			if kept := o.has("warning", "Last usable key stays enabled"); kept != (row.truth == "enabled") {
				t.Errorf("got %v", o.diagnostics)
			}
			keys := w.keys("B2C_1A_Signing")
			if len(keys) != 2 || keys[0].Kid != old || keys[0].Status != row.truth || keys[1].Status != "enabled" {
				t.Errorf("keys %v", keys)
			}
		})
	}
}

// TestAccGeneratedKey_OnDestroy_AFailureKeepsTheResource: what could not be disabled is tried again.
func TestAccGeneratedKey_OnDestroy_AFailureKeepsTheResource(t *testing.T) {
	t.Parallel()
	w := statusWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+statusConfig(`on_destroy = "disable"`))
	tf.apply(true)
	w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 403, Code: "AADB2C", Message: "no"})
	if o := tf.apply(false, "-destroy"); !o.has("error", "Unable to disable key", "Status: 403", "Request ID: ") {
		t.Errorf("got %v", o.diagnostics)
	}
	if tf.state(keyAddress) == nil {
		t.Fatal("the key is no longer in state")
	}
	tf.apply(true, "-destroy")
	if n := len(w.Requests(emulator.OpPatchKey)); n != 2 {
		t.Errorf("%d PATCHes", n)
	}
}

// TestAccGeneratedKey_OnDestroy_BelievesOnlyTheSet: that keys_v2 doesn't know a set or a key isn't the end of it.
func TestAccGeneratedKey_OnDestroy_BelievesOnlyTheSet(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"no set to read":   {Op: emulator.OpListKeys, Status: 400, Code: "AADB2C90073", Message: "cannot be found"},
		"no set to change": {Op: emulator.OpPatchKey, Status: 400, Code: "AADB2C90073", Message: "cannot be found"},
		"no key to change": {Op: emulator.OpPatchKey, Status: 404, Code: "Request_ResourceNotFound", Message: "does not exist"},
		"a page":           {Op: emulator.OpPatchKey, Status: 200, Body: "<html>", ContentType: "text/html"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := statusWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+statusConfig(`on_destroy = "disable"`))
			tf.apply(true)
			w.clock.Advance(time.Hour / 2)
			if fault.Status == 200 {
				fault.Times = -1
			}
			w.Inject(fault)
			if o := tf.apply(false, "-destroy"); !o.has("error", "Unable to disable key", `on_destroy = "retain"`) {
				t.Errorf("got %v", o.diagnostics)
			}
			if tf.state(keyAddress) == nil {
				t.Fatal("the key is no longer in state")
			}
			w.ClearFaults()
			tf.apply(true, "-destroy")
			if keys := w.keys("B2C_1A_Signing"); keys[1].Status != "disabled" {
				t.Errorf("status %q", keys[1].Status)
			}
		})
	}
}

// TestAccGeneratedKey_Status_InAnotherTenant: neither a change nor an end may reach a key of the same name
// in another tenant.
func TestAccGeneratedKey_Status_InAnotherTenant(t *testing.T) {
	t.Parallel()
	w := statusWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+statusConfig(`on_destroy = "disable"`, `status = "enabled"`))
	tf.apply(true)
	other := w.Server.NewTenant(emulator.TenantConfig{})
	elsewhere := w.Provider("tenant_id", strconv.Quote(other.ID()), "client_id", strconv.Quote(other.ClientID()), "client_secret", strconv.Quote(other.ClientSecret()))
	tf.configure(elsewhere + statusConfig(`on_destroy = "disable"`, `status = "disabled"`))
	for _, arguments := range [][]string{{"-refresh=false"}, {"-refresh=false", "-destroy"}} {
		if o := tf.apply(false, arguments...); !o.has("error", "Resource belongs to another tenant", other.ID()) {
			t.Errorf("%v: %v", arguments, o.diagnostics)
		}
	}
	for _, e := range other.Journal() {
		if e.Write() || e.Op == emulator.OpListKeys {
			t.Errorf("%s %s", e.Method, e.Path)
		}
	}
	if tf.state(keyAddress) == nil || w.status(tf) != "enabled" {
		t.Errorf("state %v, status %q", tf.state(keyAddress), w.status(tf))
	}
}
