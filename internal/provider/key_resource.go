// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

var (
	_ resource.Resource                   = (*keyResource[generatedKeyModel, *generatedKeyModel])(nil)
	_ resource.ResourceWithConfigure      = (*keyResource[generatedKeyModel, *generatedKeyModel])(nil)
	_ resource.ResourceWithValidateConfig = (*keyResource[generatedKeyModel, *generatedKeyModel])(nil)
	_ resource.ResourceWithModifyPlan     = (*keyResource[generatedKeyModel, *generatedKeyModel])(nil)
	_ resource.ResourceWithIdentity       = (*keyResource[generatedKeyModel, *generatedKeyModel])(nil)
	_ resource.ResourceWithImportState    = (*keyResource[generatedKeyModel, *generatedKeyModel])(nil)
)

// keyResource is any resource that is a key. They differ in what a key is made from: all else, and above all what
// keeps a key from being made twice, is the same for them.
type keyResource[M any, P managedKey[M]] struct {
	data *providerData
	kind keyKind
}

// keyKind is what a resource that is a key has of its own, besides its model.
type keyKind struct {
	// op is the request that makes the key, as errors have it.
	op string
	// schema is the schema of the model.
	schema func(context.Context) schema.Schema
	// kty is the type of all its keys; "" if they may have any.
	kty string
	// arguments are those that a refusal of the service may be about, besides the key set.
	arguments []string
}

// managedKey is the model of a resource that is a key.
type managedKey[M any] interface {
	*M
	// base is what all keys have in common.
	base() *keyModel
	// validate looks at a configuration by itself; what is unknown is left for later.
	validate(diags *diag.Diagnostics)
	// replaces tells whether the plan for a key makes a new one, as the plan modifiers have it.
	replaces(state *M) bool
	// prepare reads a configuration whose key is about to be made, and puts in what it tells of use and kty without
	// saying so.
	prepare(now time.Time, diags *diag.Diagnostics) newKey
	// set takes over what the service says of a key and, after a create, the certificate that was sent.
	set(keySetID string, k trustframework.Key, sent *material.Certificate, diags *diag.Diagnostics)
	// recall is the input of a request whose answer was lost, as far as a key can be recognized by it, or nil.
	recall(d *doubt) trustframework.KeyInput
}

// newKey is what a key is about to be made from.
type newKey struct {
	// input is nil if something that it needs is wrong, or not known yet.
	input trustframework.KeyInput
	// certificate is the one in the input, or nil.
	certificate *material.Certificate
}

// resourceTypes are the resources whose keys each operation makes.
func resourceTypes() map[string]string {
	return map[string]string{
		trustframework.OpGenerateKey:       "trustframework_generated_key",
		trustframework.OpUploadSecret:      "trustframework_uploaded_secret",
		trustframework.OpUploadCertificate: "trustframework_uploaded_certificate",
		trustframework.OpUploadPKCS12:      "trustframework_uploaded_pkcs12",
		opRotateKeys:                       "trustframework_key_rotation",
	}
}

// Metadata implements resource.Resource.
func (r *keyResource[M, P]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = resourceTypes()[r.kind.op]
}

// Schema implements resource.Resource.
func (r *keyResource[M, P]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.schema(ctx)
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *keyResource[M, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: keyIdentityAttributes()}
}

// Configure implements resource.ResourceWithConfigure.
func (r *keyResource[M, P]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *keyResource[M, P]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	config := P(new(M))
	resp.Diagnostics.Append(req.Config.Get(ctx, config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	config.validate(&resp.Diagnostics)
}

// ModifyPlan looks ahead at a key that is about to be made, and says what destroying one leaves behind.
func (r *keyResource[M, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	plan, state, config := P(new(M)), P(new(M)), P(new(M))
	var made madeState
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		made = r.recorded(ctx, state.base(), req.Private, req.Identity, &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	if req.Plan.Raw.IsNull() {
		m := state.base()
		m.warnOfDestruction(&resp.Diagnostics)
		r.data.client.Hold(m.KeySetID.ValueString(), m.Kid.ValueString())
		if made.Doubt != nil {
			r.data.warnOfLateAtEnd(ctx, r.kind, m.serviceKeySetID(), m.Kid.ValueString(), state.recall(made.Doubt), made.Doubt, made.At, made, &resp.Diagnostics)
		}
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, r.data.readTimeout())
	defer cancel()
	if !req.State.Raw.IsNull() {
		// A replacement is planned once more, without a state, but Terraform keeps no warnings of that.
		if !plan.replaces(state) {
			warnOfFirstVersion(state.base().ID.ValueString(), plan, state, made, &resp.Diagnostics)
			planInPlace(ctx, r.data, plan.base(), state.base(), config.base(), made, resp)
			return
		}
		r.data.sameTenant(ctx, state.base().ID.ValueString(), made, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		r.data.client.Hold(state.base().KeySetID.ValueString(), state.base().Kid.ValueString())
	}
	prepared := config.prepare(r.data.clock.Now(), &resp.Diagnostics)
	r.data.client.Learn(prepared.input)
	if resp.Diagnostics.HasError() {
		return
	}
	config.base().checkNewKey(ctx, r.data, r.kind, prepared, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		config.base().checkStatus(ctx, r.data, types.StringNull(), "", &resp.Diagnostics)
	}
}

// recorded checks what the state has of a key, and returns what is remembered of it.
func (r *keyResource[M, P]) recorded(ctx context.Context, state *keyModel, private privateReader, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) madeState {
	resource := resourceTypes()[r.kind.op]
	state.checkState(ctx, resource, identity, diags)
	return loadMade(ctx, resource, private, identity, diags)
}

// planInPlace looks at a key that stays.
func planInPlace(ctx context.Context, data *providerData, plan, state, config *keyModel, made madeState, resp *resource.ModifyPlanResponse) {
	switch {
	case config.manages():
		data.sameTenant(ctx, state.ID.ValueString(), made, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		plan.checkStatus(ctx, data, state.Status, state.Kid.ValueString(), &resp.Diagnostics)
	case made.StatusManaged:
		// Update must hear of it, for a refresh doesn't see the configuration.
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("status"), types.StringUnknown())...)
	}
}

// Create makes the key. Once the kid is known nothing may fail any more: an error would taint the
// resource, and the next apply would make another key.
func (r *keyResource[M, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	planned, config := P(new(M)), P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, planned)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan := planned.base()
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	tenant := r.data.sameTenant(ctx, plan.KeySetID.ValueString(), madeState{}, &resp.Diagnostics)
	// What was unknown when this was planned hasn't been looked at yet.
	prepared := config.prepare(r.data.clock.Now(), &resp.Diagnostics)
	r.data.client.Learn(prepared.input)
	if resp.Diagnostics.HasError() {
		return
	}
	key, err := r.data.client.MakeKey(ctx, timeout, prepared.input)
	if err != nil {
		addError(&resp.Diagnostics, "Unable to "+r.kind.op, argumentOf(err, path.Root("key_set_id"), r.kind.arguments...), err)
		return
	}
	if names := plan.differs(key.Key); len(names) > 0 {
		resp.Diagnostics.AddWarning(fmt.Sprintf("Key %q differs from what was asked for", keyID(key.KeySetID, key.Kid)),
			fmt.Sprintf("The service made key %q with another value of %s. The next plan shows what it is, and would make another key to change it: "+
				"set the argument to what the service has made of it, or leave it out.", keyID(key.KeySetID, key.Kid), strings.Join(names, ", ")))
	}
	made := madeState{TenantID: tenant, At: r.data.clock.Now(), StatusManaged: config.base().manages()}
	// A key that was found may be another process's, and the one asked for yet to show.
	if key.Resent || key.Recovered {
		made.Doubt = &doubt{Nbf: seconds(config.base().Nbf), Exp: seconds(config.base().Exp), Found: !key.Resent, Asked: key.Asked, Known: append(append(key.Known, key.Kid), key.Twins...), Late: key.Twins}
	}
	planned.set(key.KeySetID, key.Key, prepared.certificate, &resp.Diagnostics)
	if made.StatusManaged {
		plan.setFirstStatus(ctx, r.data, &made, &resp.Diagnostics)
	}
	identifyKey(ctx, resp.Identity, tenant, key.KeySetID, key.Kid, &resp.Diagnostics)
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, planned)...)
	r.kind.warnOfRecovery(key, &resp.Diagnostics)
}

// Read implements resource.Resource.
func (r *keyResource[M, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	recorded := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, recorded)...)
	if resp.Diagnostics.HasError() {
		return
	}
	state := recorded.base()
	timeout, diags := state.Timeouts.Read(ctx, r.data.readTimeout())
	resp.Diagnostics.Append(diags...)
	made := r.recorded(ctx, state, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	tenant := r.data.sameTenant(ctx, state.ID.ValueString(), made, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	identifyKey(ctx, resp.Identity, tenant, state.serviceKeySetID(), state.Kid.ValueString(), &resp.Diagnostics)
	kid := state.Kid.ValueString()
	r.data.client.Hold(state.KeySetID.ValueString(), kid)
	key, set, err := r.data.client.Key(ctx, state.KeySetID.ValueString(), kid, r.data.young(made.At))
	switch trustframework.KindOf(err) {
	case trustframework.KindKeySetGone:
		tflog.Warn(ctx, "Key set of key is gone", map[string]any{"id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case trustframework.KindKeyGone:
		// Single keys can't be deleted, so that somebody must have rebuilt the set.
		resp.Diagnostics.AddWarning(fmt.Sprintf("Key %q has vanished from its key set", keyID(set.ID, kid)),
			fmt.Sprintf("Key %q is no longer in key set %q, though the set exists. The service can't delete single keys: the set has probably been "+
				"deleted and created again, or its content replaced. If the key is still configured, the plan makes a new one.", kid, set.ID))
		r.warnOfLate(ctx, recorded, made, set, &resp.Diagnostics) // it is forgotten with the resource
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, "Unable to read key", path.Root("key_set_id"), err)
		return
	}
	state.forget(key)
	recorded.set(set.ID, key, nil, &resp.Diagnostics)
	if err := state.readStatus(ctx, r.data, key, made, &resp.Diagnostics); err != nil {
		addError(&resp.Diagnostics, "Unable to read key's status", argumentOf(err, path.Root("status"), "key_set_id"), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, recorded)...)
	if made.TenantID == "" && tenant != "" {
		made.TenantID = tenant
		resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	}
	if r.warnOfLate(ctx, recorded, made, set, &resp.Diagnostics) {
		resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	}
}

// warnOfLate names the keys in a set that fit a lost request for a key, and reports whether there are any that weren't
// named before.
func (r *keyResource[M, P]) warnOfLate(ctx context.Context, recorded P, made madeState, set trustframework.KeySet, diags *diag.Diagnostics) bool {
	if made.Doubt == nil {
		return false
	}
	late := lateKeys(ctx, r.data, set, recorded.recall(made.Doubt), made.Doubt)
	r.kind.warnOfLateTwins(recorded.base().Kid.ValueString(), set.ID, late, "at "+made.At.UTC().Format(time.RFC3339), made.Doubt.Found, diags)
	made.Doubt.report(late)
	return len(late) > 0
}

// Update sets the key's status. The other arguments that change in place are Terraform's alone.
func (r *keyResource[M, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	planned, recorded, configured := P(new(M)), P(new(M)), P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, planned)...)
	resp.Diagnostics.Append(req.State.Get(ctx, recorded)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, configured)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan, state, config := planned.base(), recorded.base(), configured.base()
	timeout, diags := plan.Timeouts.Update(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(diags...)
	made := r.recorded(ctx, state, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if config.manages() && (!made.StatusManaged || !plan.Status.Equal(state.Status)) {
		ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
		defer cancel()
		r.data.sameTenant(ctx, plan.ID.ValueString(), made, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		if err := plan.setStatus(ctx, r.data, &made); err != nil {
			addError(&resp.Diagnostics, "Unable to set key's status", argumentOf(err, path.Root("status"), "key_set_id"), err)
			plan.Status = state.Status
		}
	}
	made.StatusManaged = config.manages()
	if plan.Status.IsUnknown() {
		plan.Status = types.StringNull() // no longer managed
	}
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	identifyKey(ctx, resp.Identity, made.TenantID, plan.serviceKeySetID(), plan.Kid.ValueString(), &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, planned)...)
}

// Delete leaves the key in its set: the service can't delete a single one.
func (r *keyResource[M, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	recorded := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, recorded)...)
	if resp.Diagnostics.HasError() {
		return
	}
	state := recorded.base()
	timeout, diags := state.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	made := r.recorded(ctx, state, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	state.destroy(ctx, r.data, r.kind.op, timeout, made, &resp.Diagnostics)
}

// ImportState implements resource.ResourceWithImportState.
func (r *keyResource[M, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	importKey(ctx, r.data, r.kind, req, resp)
}
