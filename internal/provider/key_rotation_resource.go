// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

var (
	_ resource.Resource                   = (*keyRotationResource)(nil)
	_ resource.ResourceWithConfigure      = (*keyRotationResource)(nil)
	_ resource.ResourceWithValidateConfig = (*keyRotationResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*keyRotationResource)(nil)
	_ resource.ResourceWithIdentity       = (*keyRotationResource)(nil)
	_ resource.ResourceWithImportState    = (*keyRotationResource)(nil)
)

func newKeyRotationResource() resource.Resource { return &keyRotationResource{} }

// statusPatience is how long statuses are waited for that can be done without.
const statusPatience = 2 * time.Minute

// keyRotationResource keeps a key set rolling, in place.
type keyRotationResource struct{ data *providerData }

// Metadata implements resource.Resource.
func (r *keyRotationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = resourceTypes()[opRotateKeys]
}

// Schema implements resource.Resource.
func (r *keyRotationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = keyRotationSchema(ctx)
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *keyRotationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: keySetIdentityAttributes()}
}

// Configure implements resource.ResourceWithConfigure.
func (r *keyRotationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *keyRotationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config keyRotationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	config.validate(&resp.Diagnostics)
}

// Create makes the first keys. Once there is one nothing may fail any more: an error would taint the resource, and the
// next apply would begin anew.
func (r *keyRotationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan keyRotationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	plan.validate(&resp.Diagnostics) // what was unknown when this was planned
	if resp.Diagnostics.HasError() {
		return
	}
	made := rotationState{madeState: madeState{TenantID: r.data.sameTenant(ctx, plan.KeySetID.ValueString(), madeState{}, &resp.Diagnostics)}}
	if resp.Diagnostics.HasError() {
		return
	}
	run := rotationRun{data: r.data, plan: &plan, made: &made}
	_, err := run.makeKeys(ctx, timeout, &resp.Diagnostics)
	switch {
	case err != nil && len(run.own) == 0:
		addError(&resp.Diagnostics, "Unable to rotate keys", argumentOf(err, path.Root("key_set_id"), "use", "kty"), asRotation(err))
		return
	case err != nil:
		resp.Diagnostics.AddWarning(fmt.Sprintf("Rotation begins without its first dated key in key set %q", run.set.ID),
			fmt.Sprintf("Key %q is made, which has no dates and signs meanwhile, but the one after it isn't. The next apply makes it.\n\n%s", run.own[0].Kid, detailOf(asRotation(err))))
	}
	plan.ID = types.StringValue(run.set.ID)
	plan.show(run.own, run.set.Keys, made, r.data.clock.Now(), &resp.Diagnostics)
	identify(ctx, resp.Identity, made.TenantID, run.set.ID, &resp.Diagnostics)
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// Read implements resource.Resource.
func (r *keyRotationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state keyRotationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, r.data.readTimeout())
	resp.Diagnostics.Append(diags...)
	made := loadRotation(ctx, &state, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	made.TenantID = cmp.Or(made.TenantID, r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics))
	if resp.Diagnostics.HasError() {
		return
	}
	identify(ctx, resp.Identity, made.TenantID, state.ID.ValueString(), &resp.Diagnostics)
	own := state.own(&resp.Diagnostics)
	r.data.client.Hold(state.ID.ValueString(), kidsOf(own)...)
	young := r.data.young(made.At)
	set, err := r.data.client.KeySetWith(ctx, state.ID.ValueString(), kidsOf(own), young)
	if err == nil {
		set, err = r.statusesOf(ctx, set, own, made, &resp.Diagnostics)
	}
	if trustframework.KindOf(err) == trustframework.KindKeySetGone {
		tflog.Warn(ctx, "Key set of key rotation is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, "Unable to read key rotation", path.Root("key_set_id"), err)
		return
	}
	if !young { // a key can't be deleted, so that a young one that doesn't show is late
		byKid := set.ByKid()
		own = slices.DeleteFunc(own, func(k trustframework.Key) bool {
			_, shown := byKid[k.Kid]
			if !shown {
				warnOfVanishedKey(set.ID, k.Kid, &resp.Diagnostics)
			}
			return !shown
		})
	}
	own = append(asShown(own, set), made.takeOver(ctx, r.data, set, &state, &resp.Diagnostics)...)
	made.seen(own, r.data)
	made.warnOfLateKeys(ctx, r.data, set, &state, own, &resp.Diagnostics)
	state.show(own, set.Keys, made, r.data.clock.Now(), &resp.Diagnostics)
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// statusesOf returns a set with the statuses of its keys. Keys that were enabled a moment ago, because the service made them disabled,
// may be late to show that: they are read over the settle time.
func (r *keyRotationResource) statusesOf(ctx context.Context, set trustframework.KeySet, own []trustframework.Key, made rotationState, diags *diag.Diagnostics) (trustframework.KeySet, error) {
	set, err := withStatuses(ctx, r.data, set, diags)
	if err != nil {
		return set, err
	}
	late, byKid := false, set.ByKid()
	for _, k := range own {
		fresh := made.Fresh[k.Kid]
		if shown := byKid[k.Kid]; !fresh.Enabled || !r.data.young(fresh.At) || shown.Status != trustframework.StatusDisabled {
			continue
		}
		late = true
		if _, err := r.data.client.Status(ctx, set.ID, k.Kid, trustframework.StatusEnabled, true); err != nil {
			tflog.Warn(ctx, "Unable to see whether a key shows as enabled", map[string]any{"kid": k.Kid, "error": err.Error()})
		}
	}
	if !late {
		return set, nil
	}
	if set, err = r.data.client.KeySet(ctx, set.ID, false); err != nil {
		return set, err
	}
	return withStatuses(ctx, r.data, set, diags)
}

// withStatuses returns a set with the statuses of its keys, as far as they can be read: keys_v2, which shows them, isn't needed to
// make a key. The error is an *Error.
func withStatuses(ctx context.Context, data *providerData, set trustframework.KeySet, diags *diag.Diagnostics) (trustframework.KeySet, error) {
	patient, cancel := data.clock.WithTimeout(ctx, statusPatience)
	defer cancel()
	shown, err := data.client.WithStatuses(patient, set)
	if err == nil || ctx.Err() != nil || trustframework.KindOf(err) != trustframework.KindUnavailable && patient.Err() == nil {
		return shown, err
	}
	diags.AddWarning(fmt.Sprintf("Unable to read keys' statuses in key set %q", set.ID),
		fmt.Sprintf("The service fails to show which keys of key set %q are disabled. Each counts as it was when that was last read, and as enabled if it never was: "+
			"a key that was disabled since has no successor yet, and one of others without dates counts as a safety net.\n\n%s", set.ID, detailOf(err)))
	return set, nil
}

// Update decides afresh, and makes the keys that are due, which may be none.
func (r *keyRotationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state keyRotationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Update(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	plan.validate(&resp.Diagnostics) // what was unknown when this was planned
	made := loadRotation(ctx, &state, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	made.TenantID = cmp.Or(made.TenantID, r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics))
	if resp.Diagnostics.HasError() {
		return
	}
	run := rotationRun{data: r.data, plan: &plan, state: &state, made: &made, own: state.own(&resp.Diagnostics)}
	r.data.client.Hold(state.ID.ValueString(), kidsOf(run.own)...)
	kids, err := run.makeKeys(ctx, timeout, &resp.Diagnostics)
	result := &plan
	if err != nil {
		// The arguments stay as they were, so that the next plan shows again what is still to be done.
		result = &state
		var advice []string
		if len(kids) > 0 {
			advice = append(advice, fmt.Sprintf("%s was made before that, and is in state: only what comes after it is missing.", quoted("Key", kids)))
		}
		addError(&resp.Diagnostics, "Unable to rotate keys", argumentOf(err, path.Root("key_set_id"), "use", "kty"), asRotation(err), advice...)
	}
	result.ID = state.ID
	result.show(run.own, run.set.Keys, made, r.data.clock.Now(), &resp.Diagnostics)
	result.ReadyForRotation = types.BoolValue(false) // as planned; the next refresh tells what is left to do
	identify(ctx, resp.Identity, made.TenantID, state.ID.ValueString(), &resp.Diagnostics)
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, *result)...)
}

// Delete leaves the keys in their set: the service can't delete a single one.
func (r *keyRotationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state keyRotationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	made := loadRotation(ctx, &state, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics)
	// What comes after it in this run must not take them for leftovers.
	r.data.client.Hold(state.ID.ValueString(), kidsOf(state.own(&resp.Diagnostics))...)
}

// asShown are keys as their set shows them. What it doesn't tell stays as it was.
func asShown(own []trustframework.Key, set trustframework.KeySet) []trustframework.Key {
	own = slices.Clone(own)
	byKid := set.ByKid()
	for i, k := range own {
		if shown, ok := byKid[k.Kid]; ok {
			shown.Status = cmp.Or(shown.Status, k.Status)
			own[i] = shown
		}
	}
	return own
}

// kidSet is a set of kids.
func kidSet(kids []string) map[string]bool {
	set := make(map[string]bool, len(kids))
	for _, kid := range kids {
		set[kid] = true
	}
	return set
}

func kidsOf(keys []trustframework.Key) []string {
	kids := make([]string, len(keys))
	for i, k := range keys {
		kids[i] = k.Kid
	}
	return kids
}
