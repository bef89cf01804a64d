// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

var (
	_ resource.Resource                   = (*generatedKeyResource)(nil)
	_ resource.ResourceWithConfigure      = (*generatedKeyResource)(nil)
	_ resource.ResourceWithValidateConfig = (*generatedKeyResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*generatedKeyResource)(nil)
	_ resource.ResourceWithIdentity       = (*generatedKeyResource)(nil)
	_ resource.ResourceWithImportState    = (*generatedKeyResource)(nil)
)

func newGeneratedKeyResource() resource.Resource { return &generatedKeyResource{} }

type generatedKeyResource struct{ data *providerData }

type generatedKeyModel struct {
	keyModel
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// Metadata implements resource.Resource.
func (r *generatedKeyResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_generated_key"
}

// Schema implements resource.Resource.
func (r *generatedKeyResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
			Create: true, CreateDescription: timeoutText("generating the key", defaultCreateTimeout) + " Finding out what became of a lost answer isn't cut short by it.",
			Read: true, ReadDescription: timeoutText("refreshing the key", defaultReadTimeout),
			Update: true, UpdateDescription: timeoutText("setting the key's status", defaultUpdateTimeout),
			Delete: true, DeleteDescription: timeoutText("disabling the key, where on_destroy says so,", defaultDeleteTimeout),
		}),
	}
	maps.Copy(attributes, keyAttributes())
	resp.Schema = schema.Schema{
		MarkdownDescription: "A key that the service generates in a key set (`generateKey`). Its private half never leaves the service.\n\n" +
			"A key can't be changed or removed on its own: a change of an argument makes a new key beside the old one, and destroying the resource " +
			"leaves the key in its set until the set is deleted. Refer to the set by its `id`, not by a literal, so that Terraform knows which of " +
			"the two comes first.\n\n" +
			"With `create_before_destroy` a key that the service refuses to replace stays in state, which else forgets it first. But Terraform passes " +
			"the setting on to the key set, and two sets can't have one name: `-replace` of the set then fails until the setting is taken away.\n\n" +
			"The plan warns of a signing key that would be used within a day in place of another, and of a key that may exist already. " +
			"Terraform shows no such warnings in the plan for `-replace` and `replace_triggered_by`.",
		Attributes: attributes,
	}
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *generatedKeyResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: keyIdentityAttributes()}
}

// Configure implements resource.ResourceWithConfigure.
func (r *generatedKeyResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *generatedKeyResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config generatedKeyModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	config.checkDates(&resp.Diagnostics)
}

// ModifyPlan looks ahead at a key that is about to be made, and says what destroying one leaves behind.
func (r *generatedKeyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.data == nil {
		return
	}
	var plan, state, config generatedKeyModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		state.warnOfDestruction(&resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	if !req.State.Raw.IsNull() {
		made := loadMade(ctx, req.Private, req.Identity)
		// A replacement is planned once more, without a state, but Terraform keeps no warnings of that.
		if !plan.replaces(state.keyModel) {
			r.planInPlace(ctx, plan, state, config, made, resp)
			return
		}
		r.data.sameTenant(ctx, state.ID.ValueString(), made, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		r.data.client.Hold(state.KeySetID.ValueString(), state.Kid.ValueString())
	}
	config.checkNewKey(ctx, r.data, &resp.Diagnostics)
	if !resp.Diagnostics.HasError() {
		config.checkStatus(ctx, r.data, types.StringNull(), "", &resp.Diagnostics)
	}
}

// planInPlace looks at a key that stays.
func (r *generatedKeyResource) planInPlace(ctx context.Context, plan, state, config generatedKeyModel, made madeState, resp *resource.ModifyPlanResponse) {
	switch {
	case config.manages():
		r.data.sameTenant(ctx, state.ID.ValueString(), made, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		plan.checkStatus(ctx, r.data, state.Status, state.Kid.ValueString(), &resp.Diagnostics)
	case made.StatusManaged:
		// Update must hear of it, for a refresh doesn't see the configuration.
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("status"), types.StringUnknown())...)
	}
}

// Create makes the key. Once the kid is known nothing may fail any more: an error would taint the
// resource, and the next apply would make another key.
func (r *generatedKeyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config generatedKeyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	tenant := r.data.sameTenant(ctx, plan.KeySetID.ValueString(), madeState{}, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	key, err := r.data.client.MakeKey(ctx, timeout, plan.input())
	if err != nil {
		addError(&resp.Diagnostics, "Unable to generate key", argumentOf(err, path.Root("key_set_id"), "use", "kty", "nbf", "exp"), err)
		return
	}
	if names := plan.differs(key.Key); len(names) > 0 {
		resp.Diagnostics.AddWarning("Key differs from what was asked for",
			fmt.Sprintf("The service made key %q with another value of %s. The next plan shows what it is, and would make another key to change it: "+
				"set the argument to what the service has made of it, or leave it out.", keyID(key.KeySetID, key.Kid), strings.Join(names, ", ")))
	}
	made := madeState{TenantID: tenant, At: r.data.clock.Now(), StatusManaged: config.manages()}
	// A key that was found may be another process's, and the one asked for yet to show.
	if in := plan.input(); key.Resent || key.Recovered {
		made.Doubt = &doubt{Nbf: in.Nbf, Exp: in.Exp, Found: !key.Resent, Asked: key.Asked, Known: append(append(key.Known, key.Kid), key.Twins...)}
	}
	plan.set(key.KeySetID, key.Key, &resp.Diagnostics)
	if config.manages() {
		plan.setFirstStatus(ctx, r.data, &made, &resp.Diagnostics)
	}
	identifyKey(ctx, resp.Identity, tenant, key.KeySetID, key.Kid, &resp.Diagnostics)
	resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	warnOfRecovery(key, &resp.Diagnostics)
}

// warnOfRecovery tells what a lost answer may have left.
func warnOfRecovery(key trustframework.MadeKey, diags *diag.Diagnostics) {
	if key.Recovered {
		diags.AddWarning("Key found after a lost answer",
			fmt.Sprintf("The answer to the request that generates a key was lost. Key %q has appeared in key set %q since, fits what was asked for, "+
				"and is taken for the one generated. If another process may have generated a key with the same use, kty and dates in this set at the same moment, "+
				"check which is whose.", key.Kid, key.KeySetID))
	}
	if len(key.Twins) > 0 {
		warnOfLateTwins(key.Kid, key.KeySetID, key.Twins, "a moment ago", false, diags)
	}
}

// warnOfLateTwins names keys that fit a request whose answer was lost: the one before the request that made the key or,
// if the key was found, the only one.
func warnOfLateTwins(kid, keySetID string, twins []string, when string, found bool, diags *diag.Diagnostics) {
	if found {
		diags.AddWarning("Key may belong to a lost request",
			fmt.Sprintf("When key %q was generated, %s, the answer to the request was lost, and the key was found in key set %q and taken for the one generated. "+
				"Now the set holds another key that fits that request too. Unless one of your resources owns it, or another process that writes to the set, "+
				"it is what the request made, and key %q is that process's: import it, or leave it unused, for it can't be deleted on its own.\n\n%s",
				kid, when, keySetID, kid, importCommands(keySetID, twins)))
		return
	}
	diags.AddWarning("Key may have been made twice",
		fmt.Sprintf("When key %q was generated, %s, the answer to an earlier request was lost, nothing appeared in key set %q for the settle time, "+
			"and the request was sent again. Now the set holds a key that fits that request too. Unless one of your resources owns it, "+
			"import it, or leave it unused: it can't be deleted on its own. A longer settle_time makes this less likely.\n\n%s",
			kid, when, keySetID, importCommands(keySetID, twins)))
}

// Read implements resource.Resource.
func (r *generatedKeyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state generatedKeyModel
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
	made := loadMade(ctx, req.Private, req.Identity)
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
		resp.Diagnostics.AddWarning("Key has vanished from its key set",
			fmt.Sprintf("Key %q is no longer in key set %q, though the set exists. The service can't delete single keys: the set has probably been "+
				"deleted and created again, or its content replaced. If the key is still configured, the plan makes a new one.", kid, set.ID))
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, "Unable to read key", path.Root("key_set_id"), err)
		return
	}
	state.forget(key)
	state.set(set.ID, key, &resp.Diagnostics)
	if err := state.readStatus(ctx, r.data, key, made, &resp.Diagnostics); err != nil {
		addError(&resp.Diagnostics, "Unable to read key's status", argumentOf(err, path.Root("status"), "key_set_id"), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	if made.TenantID == "" && tenant != "" {
		made.TenantID = tenant
		resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	}
	if made.Doubt != nil {
		in := state.input()
		in.Nbf, in.Exp = made.Doubt.Nbf, made.Doubt.Exp
		if late := r.lateKeys(ctx, set, in, made.Doubt); len(late) > 0 {
			warnOfLateTwins(kid, set.ID, late, "at "+made.At.UTC().Format(time.RFC3339), made.Doubt.Found, &resp.Diagnostics)
			made.Doubt.Known = append(made.Doubt.Known, late...)
			resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
		}
	}
}

// lateKeys are the keys that may come of a request whose answer was lost. The reads of a refresh have no order, so
// that siblings which are alike get a moment to claim their own.
func (r *generatedKeyResource) lateKeys(ctx context.Context, set trustframework.KeySet, in trustframework.GenerateKeyInput, d *doubt) []string {
	const step, patience = 100 * time.Millisecond, 2 * time.Second
	for waited := time.Duration(0); ; waited += step {
		late := r.data.client.Late(set, in, d.Asked, d.Known)
		if len(late) == 0 || waited >= patience || r.data.clock.Sleep(ctx, step) != nil {
			return late
		}
	}
}

// Update sets the key's status. The other arguments that change in place are Terraform's alone.
func (r *generatedKeyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state, config generatedKeyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Update(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	made := loadMade(ctx, req.Private, req.Identity)
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
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// Delete leaves the key in its set: the service can't delete a single one.
func (r *generatedKeyResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state generatedKeyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	state.destroy(ctx, r.data, timeout, loadMade(ctx, req.Private, req.Identity), &resp.Diagnostics)
}

// ImportState implements resource.ResourceWithImportState.
func (r *generatedKeyResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	importKey(ctx, r.data, req, resp)
}
