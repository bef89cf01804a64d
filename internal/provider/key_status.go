// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// What becomes of a key that its resource gives up.
const (
	onDestroyRetain  = "retain"
	onDestroyDisable = "disable"
)

// manages tells whether a configuration says which status the key has.
func (m *keyModel) manages() bool { return !m.Status.IsNull() }

// checkStatus refuses a plan that would disable the last key that can be used. The model is the planned
// one; before is the key's status, and kid is "" for a key about to be made. Who may not read statuses is
// told at apply.
func (m *keyModel) checkStatus(ctx context.Context, data *providerData, before types.String, kid string, diags *diag.Diagnostics) {
	if m.Status.ValueString() != trustframework.StatusDisabled || m.Status.Equal(before) || m.KeySetID.IsUnknown() {
		return
	}
	if kid == "" && m.Nbf.ValueInt64() > data.clock.Now().Unix() {
		return // it isn't used yet
	}
	last, err := data.client.LastUsable(ctx, m.KeySetID.ValueString(), kid)
	switch {
	case trustframework.KindOf(err) == trustframework.KindKeySetGone, trustframework.KindOf(err) == trustframework.KindKeysHidden:
		// The set may be made by this very apply; setting the status has the last word.
	case err != nil:
		addError(diags, "Unable to plan key", argumentOf(err, path.Root("status"), "key_set_id"), err)
	case last:
		diags.AddAttributeError(path.Root("status"), "Last usable key would be disabled",
			fmt.Sprintf("No other key of key set %q can be used now: all others are disabled, expired, or not valid yet. Policies that refer to the "+
				"key set would fail. Make another key first, in an apply of its own, or leave this one enabled.", trustframework.CanonicalID(m.KeySetID.ValueString())))
	}
}

// setStatus brings a key to the planned status, for a resource whose configuration manages it.
func (m *keyModel) setStatus(ctx context.Context, data *providerData, made *madeState) error {
	err := data.client.SetStatus(ctx, m.KeySetID.ValueString(), m.Kid.ValueString(), m.Status.ValueString(), data.young(made.At))
	if err == nil {
		made.StatusAt = data.clock.Now()
	}
	return err
}

// setFirstStatus is setStatus for a key that was made a moment ago. It must not fail: an error would taint
// the resource, and the next apply would make another key.
func (m *keyModel) setFirstStatus(ctx context.Context, data *providerData, made *madeState, diags *diag.Diagnostics) {
	ctx, cancel := data.clock.WithTimeout(ctx, defaultUpdateTimeout)
	defer cancel()
	if err := m.setStatus(ctx, data, made); err != nil {
		diags.AddAttributeWarning(path.Root("status"), fmt.Sprintf("Key %q is made, but its status isn't set", m.ID.ValueString()),
			fmt.Sprintf("Key %q exists and is in state, but status = %q could not be set. The next plan shows the key's status as it is, "+
				"and the next apply sets it.\n\n%s", m.ID.ValueString(), m.Status.ValueString(), detailOf(err)))
	}
}

// readStatus takes over the status that the service shows: one that is managed from keys_v2, which wants a
// permission of its own, any other from the listing, or null. The error is that of a service that failed.
func (m *keyModel) readStatus(ctx context.Context, data *providerData, key trustframework.Key, made madeState, diags *diag.Diagnostics) error {
	if !made.StatusManaged {
		m.Status = nullIfEmpty(key.Status)
		return nil
	}
	status, err := data.client.Status(ctx, m.KeySetID.ValueString(), m.Kid.ValueString(), m.Status.ValueString(), data.young(made.StatusAt))
	switch trustframework.KindOf(err) {
	case "":
		m.Status = types.StringValue(status)
	case trustframework.KindDenied, trustframework.KindRefused, trustframework.KindKeyGone:
		diags.AddAttributeWarning(path.Root("status"), fmt.Sprintf("Unable to read key %q's status", m.ID.ValueString()),
			fmt.Sprintf("Whether key %q is still as the state has it, status = %q, isn't known. Only keys_v2 shows a status, and reading it takes "+
				"TrustFrameworkKeySet.ReadWrite.All; leave status out of the configuration to do without.\n\n%s",
				m.ID.ValueString(), m.Status.ValueString(), detailOf(err)))
	default:
		return err
	}
	return nil
}

// warnOfDestruction says at plan what becomes of a key that is given up.
func (m *keyModel) warnOfDestruction(diags *diag.Diagnostics) {
	if m.OnDestroy.ValueString() == onDestroyDisable {
		diags.AddWarning(fmt.Sprintf("Key %q stays in its key set, disabled", m.ID.ValueString()),
			fmt.Sprintf("Key %q would be disabled, and forgotten by Terraform. The service can't delete a single key: it stays in its key set unless the "+
				"key set is deleted too. The last usable key of a set isn't disabled.", m.ID.ValueString()))
		return
	}
	diags.AddWarning(fmt.Sprintf("Key %q stays in its key set", m.ID.ValueString()),
		fmt.Sprintf("Key %q is only forgotten by Terraform. The service can't delete a single key: it stays in its key set, "+
			"and may go on being used, unless the key set is deleted too.", m.ID.ValueString()))
}

// destroy gives up a key that an operation makes: it can't be deleted on its own, only disabled.
func (m *keyModel) destroy(ctx context.Context, data *providerData, op string, timeout time.Duration, made madeState, diags *diag.Diagnostics) {
	data.sameTenant(ctx, m.ID.ValueString(), made, diags)
	// The key that replaces it must not take it for a leftover.
	data.client.Hold(m.KeySetID.ValueString(), m.Kid.ValueString())
	if diags.HasError() {
		return
	}
	if m.OnDestroy.ValueString() != onDestroyDisable {
		data.client.GiveUp(op, m.KeySetID.ValueString(), m.Kid.ValueString())
		return
	}
	ctx, cancel := data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	m.Status = types.StringValue(trustframework.StatusDisabled)
	err := m.setStatus(ctx, data, &made)
	kind := trustframework.KindOf(err)
	if kind == trustframework.KindKeySetGone || kind == trustframework.KindKeyGone {
		// There is nothing left to disable, if the set says so too: keys_v2 may only be late.
		_, _, readErr := data.client.Key(ctx, m.KeySetID.ValueString(), m.Kid.ValueString(), false)
		if gone := trustframework.KindOf(readErr); gone == trustframework.KindKeySetGone || gone == trustframework.KindKeyGone {
			return
		}
	}
	switch kind {
	case trustframework.KindLastUsable:
		data.client.GiveUp(op, m.KeySetID.ValueString(), m.Kid.ValueString())
		diags.AddWarning(fmt.Sprintf("Last usable key %q stays enabled", m.ID.ValueString()),
			fmt.Sprintf("Key %q is forgotten by Terraform, but not disabled: no other key of its key set can be used now, and policies that refer to "+
				"the set would fail. With create_before_destroy a replaced key is disabled only after its successor has been made.", m.ID.ValueString()))
	default:
		if err != nil {
			addError(diags, "Unable to disable key", path.Empty(), err,
				"To give the key up as it is, apply on_destroy = \""+onDestroyRetain+"\" first.")
		}
	}
}
