// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
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
	err := run.makeKeys(ctx, timeout, &resp.Diagnostics)
	switch {
	case err != nil && len(run.own) == 0:
		addError(&resp.Diagnostics, "Unable to rotate keys", argumentOf(err, path.Root("key_set_id"), "use", "kty"), asRotation(err))
		return
	case err != nil:
		resp.Diagnostics.AddWarning("Rotation begins without its first dated key",
			fmt.Sprintf("Key %q is made, which has no dates and signs meanwhile, but the one after it isn't. The next apply makes it.\n\n%v", run.own[0].Kid, err))
	}
	plan.ID = types.StringValue(run.set.ID)
	plan.show(ctx, run.own, run.set.Keys, made, r.data.clock.Now(), &resp.Diagnostics)
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
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	made := loadRotation(ctx, req.Private, req.Identity)
	made.TenantID = cmp.Or(made.TenantID, r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics))
	if resp.Diagnostics.HasError() {
		return
	}
	identify(ctx, resp.Identity, made.TenantID, state.ID.ValueString(), &resp.Diagnostics)
	own := state.own(ctx, &resp.Diagnostics)
	r.data.client.Hold(state.ID.ValueString(), kidsOf(own)...)
	young := r.data.young(made.At)
	set, err := r.data.client.KeySetWith(ctx, state.ID.ValueString(), kidsOf(own), young)
	if err == nil {
		set, err = r.withStatuses(ctx, set, own, young)
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
		own = slices.DeleteFunc(own, func(k trustframework.Key) bool {
			_, shown := set.Key(k.Kid)
			if !shown {
				warnOfVanishedKey(set.ID, k.Kid, &resp.Diagnostics)
			}
			return !shown
		})
	}
	own = append(asShown(own, set), made.takeOver(ctx, r.data, set, &state, &resp.Diagnostics)...)
	made.warnOfLateKeys(ctx, r.data, set, &state, own, &resp.Diagnostics)
	state.show(ctx, own, set.Keys, made, r.data.clock.Now(), &resp.Diagnostics)
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// withStatuses returns a set with the statuses of its keys. A young rotation has enabled keys which the service may have made
// disabled, and may be late to show as they are: what looks disabled, and wasn't, is read over the settle time.
func (r *keyRotationResource) withStatuses(ctx context.Context, set trustframework.KeySet, own []trustframework.Key, young bool) (trustframework.KeySet, error) {
	set, err := r.data.client.WithStatuses(ctx, set)
	if err != nil || !young {
		return set, err
	}
	late := false
	for _, k := range own {
		shown, _ := set.Key(k.Kid)
		if k.Status != trustframework.StatusEnabled || shown.Status != trustframework.StatusDisabled {
			continue
		}
		late = true
		if _, err := r.data.client.Status(ctx, set.ID, k.Kid, k.Status, true); err != nil {
			return trustframework.KeySet{}, err
		}
	}
	if !late {
		return set, nil
	}
	if set, err = r.data.client.KeySet(ctx, set.ID, false); err != nil {
		return trustframework.KeySet{}, err
	}
	return r.data.client.WithStatuses(ctx, set)
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
	if resp.Diagnostics.HasError() {
		return
	}
	made := loadRotation(ctx, req.Private, req.Identity)
	made.TenantID = cmp.Or(made.TenantID, r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics))
	if resp.Diagnostics.HasError() {
		return
	}
	run := rotationRun{data: r.data, plan: &plan, state: &state, made: &made, own: state.own(ctx, &resp.Diagnostics)}
	r.data.client.Hold(state.ID.ValueString(), kidsOf(run.own)...)
	err := run.makeKeys(ctx, timeout, &resp.Diagnostics)
	result := &plan
	if err != nil {
		// The arguments stay as they were, so that the next plan shows again what is still to be done.
		result = &state
		addError(&resp.Diagnostics, "Unable to rotate keys", argumentOf(err, path.Root("key_set_id"), "use", "kty"), asRotation(err))
	}
	result.ID = state.ID
	result.show(ctx, run.own, run.set.Keys, made, r.data.clock.Now(), &resp.Diagnostics)
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
	r.data.sameTenant(ctx, state.ID.ValueString(), loadRotation(ctx, req.Private, req.Identity).madeState, &resp.Diagnostics)
	// What comes after it in this run must not take them for leftovers.
	r.data.client.Hold(state.ID.ValueString(), kidsOf(state.own(ctx, &resp.Diagnostics))...)
}

// rotationRun makes the keys that a rotation needs.
type rotationRun struct {
	data *providerData
	plan *keyRotationModel
	// state is nil for a resource about to be made.
	state *keyRotationModel
	made  *rotationState
	// own are the rotation's keys, to which those made are added.
	own []trustframework.Key
	// set is the key set with the keys made.
	set trustframework.KeySet
}

// makeKeys decides under the set's lock, and makes what is needed. The error is MakeKeys'.
func (r *rotationRun) makeKeys(ctx context.Context, timeout time.Duration, diags *diag.Diagnostics) error {
	settings, _ := r.plan.settings() // all known at apply
	var asked []trustframework.GenerateKeyInput
	began := r.data.clock.Now()
	keys, err := r.data.client.MakeKeys(ctx, timeout, trustframework.OpGenerateKey, r.plan.KeySetID.ValueString(), func(set trustframework.KeySet) []trustframework.KeyInput {
		r.set, r.own = set, asShown(r.own, set)
		force := false
		if r.state != nil {
			r.own = append(r.own, r.made.takeOver(ctx, r.data, set, r.state, diags)...)
			force = r.plan.forcedFrom(r.state)
		}
		d := settings.Decide(r.data.clock.Now(), r.made.asAsked(r.own), set.Keys, force)
		warnOfLateness(set.ID, d, diags)
		asked = r.plan.inputs(d)
		var inputs []trustframework.KeyInput
		for _, in := range asked {
			inputs = append(inputs, in)
		}
		return inputs
	})
	for i, k := range keys {
		r.record(asked[i], k, diags)
	}
	r.enable(ctx, keys, diags)
	switch trustframework.KindOf(err) {
	case trustframework.KindUnknownOutcome, trustframework.KindSeveral:
		in := asked[len(keys)]
		r.made.Doubts = append(r.made.Doubts, doubt{Nbf: in.Nbf, Exp: in.Exp, Asked: began, Known: kidsOf(r.set.Keys), Pending: true, Changed: textsOf(r.plan.RotateWhenChanged)})
	}
	return err
}

// record takes over a key that was made.
func (r *rotationRun) record(in trustframework.GenerateKeyInput, made trustframework.MadeKey, diags *diag.Diagnostics) {
	k := made.Key
	var names []string
	for _, date := range []struct {
		name  string
		asked *int64
		given **int64
	}{{"nbf", in.Nbf, &k.Nbf}, {"exp", in.Exp, &k.Exp}} {
		if *date.given == nil {
			*date.given = date.asked // an answer may leave it out; the next refresh knows
		}
		if date.asked != nil && !types.Int64PointerValue(*date.given).Equal(types.Int64PointerValue(date.asked)) {
			names = append(names, date.name)
		}
	}
	if len(names) > 0 {
		diags.AddWarning("Key differs from what was asked for",
			fmt.Sprintf("The service made key %q with another value of %s. The rotation goes on from what it has made.", keyID(made.KeySetID, k.Kid), strings.Join(names, ", ")))
	}
	if in.Nbf == nil && in.Exp == nil {
		r.made.Undated = append(r.made.Undated, k.Kid)
	}
	r.made.At = r.data.clock.Now()
	if made.Resent || made.Recovered {
		r.made.Doubts = append(r.made.Doubts, doubt{
			Nbf: in.Nbf, Exp: in.Exp, Found: !made.Resent, Asked: made.Asked, Kid: k.Kid, At: r.made.At, Known: append(append(made.Known, k.Kid), made.Twins...),
		})
	}
	r.own = append(r.own, k)
	r.set.Keys = append(slices.Clone(r.set.Keys), k)
	keyKind{op: trustframework.OpGenerateKey}.warnOfRecovery(made, diags)
}

// enable enables the keys just made, should the service make them disabled ("Policy keys overview" says so of keys uploaded in
// the portal): else the next apply would make others. That the status can't be read or set is no error, for the keys are there.
func (r *rotationRun) enable(ctx context.Context, keys []trustframework.MadeKey, diags *diag.Diagnostics) {
	ctx, cancel := r.data.clock.WithTimeout(ctx, defaultUpdateTimeout)
	defer cancel()
	for _, k := range keys {
		status := trustframework.StatusEnabled
		if err := r.data.client.SetStatus(ctx, k.KeySetID, k.Kid, status, true); err != nil {
			status = r.statusAfter(ctx, k, err, diags)
		}
		for i := range r.own {
			if r.own[i].Kid == k.Kid {
				r.own[i].Status = status
			}
		}
	}
}

// statusAfter is the status of a key that could not be enabled; "" if nobody can tell. Without the permission, or where the
// service has no keys_v2, nobody ever can, and the key counts as enabled.
func (r *rotationRun) statusAfter(ctx context.Context, k trustframework.MadeKey, err error, diags *diag.Diagnostics) string {
	status, unread := r.data.client.Status(ctx, k.KeySetID, k.Kid, trustframework.StatusEnabled, false)
	switch trustframework.KindOf(unread) {
	case trustframework.KindDenied, trustframework.KindRefused:
		return ""
	}
	if status != trustframework.StatusEnabled {
		diags.AddWarning("Key is made, but may be disabled",
			fmt.Sprintf("Key %q is made. If the service has made it disabled, it could not be enabled, and the next apply makes another, unless it is enabled "+
				"by hand (Identity Experience Framework, Policy keys).\n\n%v", keyID(k.KeySetID, k.Kid), err))
	}
	return status
}

// asShown are keys as their set shows them. What it doesn't tell stays as it was.
func asShown(own []trustframework.Key, set trustframework.KeySet) []trustframework.Key {
	own = slices.Clone(own)
	for i, k := range own {
		if shown, ok := set.Key(k.Kid); ok {
			shown.Status = cmp.Or(shown.Status, k.Status)
			own[i] = shown
		}
	}
	return own
}

func kidsOf(keys []trustframework.Key) []string {
	kids := make([]string, len(keys))
	for i, k := range keys {
		kids[i] = k.Kid
	}
	return kids
}
