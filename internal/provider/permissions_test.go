// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// grantCommands are what a refused application's administrator is to run.
func (w *world) grantCommands(roleID string) []string {
	return []string{
		"for application " + w.ClientID() + " in tenant " + w.ID(),
		"\n  az login --tenant " + w.ID() + " --allow-no-subscriptions\n",
		"\n  az ad app permission add --id " + w.ClientID() + " --api 00000003-0000-0000-c000-000000000000 --api-permissions " + roleID + "=Role\n",
		"\n  az ad app permission admin-consent --id " + w.ClientID() + "\n",
		"Status: 403", "Request ID: ",
	}
}

const (
	roleIDRead      = "fff194f1-7dce-4428-8301-1badb5518201"
	roleIDReadWrite = "4a771c9a-1cf2-4609-b88e-3d3e02d539cd"
)

// TestAccPermissions_WithoutAny_ARefreshNamesTheReadPermission, though the plan may want to write later.
func TestAccPermissions_WithoutAny_ARefreshNamesTheReadPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, w.Provider()+statusConfig())
	tf.apply(true)
	before := tf.state(keyAddress)
	w.SetRoles("Policy.Read.All", "Directory.Read.All")
	for summary, config := range map[string]string{"Unable to read key": "", "Unable to read key set": keySetData("Signing")} {
		w.ResetJournal()
		tf.configure(w.Provider() + statusConfig() + config)
		o := tf.expect(false, "plan")
		if !o.has("error", summary, append(w.grantCommands(roleIDRead), "Its application permissions: Directory.Read.All, Policy.Read.All. Reading needs TrustFrameworkKeySet.Read.All")...) {
			t.Errorf("%s: got %v", summary, o.diagnostics)
		}
		if n := len(w.Writes()); n > 0 {
			t.Errorf("%s: %d writes", summary, n)
		}
	}
	if after := tf.state(keyAddress); after["kid"] != before["kid"] {
		t.Errorf("the state has %v, had %v", after["kid"], before["kid"])
	}
}

// TestAccPermissions_OnlyToRead_PlansAndIsToldWhatApplyNeeds: no key is made, and the plan asks for nothing that it doesn't need.
func TestAccPermissions_OnlyToRead_PlansAndIsToldWhatApplyNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	w.SetRoles(emulator.RoleRead)
	tf := w.inProcess(t, w.Provider()+statusConfig())
	if o, changes := tf.plan(); !changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	w.ResetJournal()
	o := tf.apply(false)
	if !o.has("error", "Unable to generate key", append(w.grantCommands(roleIDReadWrite), "Nothing was changed.",
		"Its application permissions: TrustFrameworkKeySet.Read.All. This operation needs TrustFrameworkKeySet.ReadWrite.All.")...) || len(o.diagnostics) != 1 {
		t.Errorf("got %v", o.diagnostics)
	}
	posts := w.Requests(emulator.OpGenerateKey)
	if len(posts) != 1 || posts[0].Status != http.StatusForbidden || posts[0].Committed || len(w.Writes()) != 1 {
		t.Errorf("got %v", w.Writes())
	}
	if keys := w.keys("B2C_1A_Signing"); len(keys) > 0 || tf.state(keyAddress) != nil {
		t.Errorf("made %v", keys)
	}

	w.SetRoles(emulator.RoleReadWrite)
	tf.apply(true)
	if keys := w.keys("B2C_1A_Signing"); len(keys) != 1 {
		t.Errorf("made %v", keys)
	}
}

// TestAccPermissions_Unknown_AdvisesWithoutACommand: an opaque token doesn't tell whose it is, and one that has the
// permission was refused for something else.
func TestAccPermissions_Unknown_AdvisesWithoutACommand(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		roles    []string
		fault    *emulator.Fault
		texts    []string
	}{
		"opaque token": {emulator.Switches{OpaqueTokens: true}, []string{emulator.RoleRead}, nil, []string{"Grant the application the application permission", "admin consent"}},
		"not for want of a permission": {
			emulator.Switches{}, []string{emulator.RoleReadWrite},
			&emulator.Fault{Op: emulator.OpGenerateKey, Status: http.StatusForbidden, Code: "AADB2C", Message: "Not in this directory."},
			[]string{"Not in this directory.", "granting it again doesn't help"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.AddKeySet("B2C_1A_Signing")
			w.SetRoles(row.roles...)
			if row.fault != nil {
				w.Inject(*row.fault)
			}
			o := w.inProcess(t, w.Provider()+statusConfig()).apply(false)
			if !o.has("error", "Unable to generate key", append(slices.Clone(row.texts), "Nothing was changed.", "Status: 403")...) || o.has("error", "Unable to generate key", "  az ") {
				t.Errorf("got %v", o.diagnostics)
			}
			if keys := w.keys("B2C_1A_Signing"); len(keys) > 0 || len(w.Requests(emulator.OpGenerateKey)) != 1 {
				t.Errorf("made %v", keys)
			}
		})
	}
}
