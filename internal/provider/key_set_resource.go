// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// backupSuffix is what the service puts behind the id of a deleted key set's copy (observed).
const backupSuffix = ".bak"

var (
	_ resource.Resource                = (*keySetResource)(nil)
	_ resource.ResourceWithConfigure   = (*keySetResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*keySetResource)(nil)
	_ resource.ResourceWithIdentity    = (*keySetResource)(nil)
	_ resource.ResourceWithImportState = (*keySetResource)(nil)
)

func newKeySetResource() resource.Resource { return &keySetResource{} }

// keySetType is the resource's type.
const keySetType = "trustframework_key_set"

type keySetResource struct{ data *providerData }

type keySetModel struct {
	Name         types.String   `tfsdk:"name"`
	DeleteBackup types.Bool     `tfsdk:"delete_backup"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
	ID           types.String   `tfsdk:"id"`
}

func (m *keySetModel) set(s trustframework.KeySet) {
	m.ID = types.StringValue(s.ID)
	if m.Name.IsNull() {
		m.Name = types.StringValue(s.ID)
	}
}

// Metadata implements resource.Resource.
func (r *keySetResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = keySetType
}

// Schema implements resource.Resource.
func (r *keySetResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A key set (the portal calls it a policy key): a container of keys that custom policies refer to as `StorageReferenceId`.\n\n" +
			"Deleting a key set deletes its keys. The service was observed to keep a copy under the same name with the suffix `.bak`. " +
			"A plan that deletes or replaces a set with keys warns of it, except where Terraform shows no warnings: for `-replace`, `replace_triggered_by` and a tainted set.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "The key set's name. The service puts `B2C_1A_` before a name that lacks it; letter case makes no difference. " +
					"A change makes a new key set and deletes the old one with its keys.",
				Validators:    []validator.String{isPathSegment()},
				PlanModifiers: []planmodifier.String{keepSpelling(), stringplanmodifier.RequiresReplace()},
			},

			"delete_backup": schema.BoolAttribute{
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
				MarkdownDescription: "Whether to delete the copy `<id>.bak` too when the key set is deleted. An older copy of the same name goes with it. " +
					"A copy that the service is late to make is waited for, but not that of an empty key set, of which there may be none. " +
					"Defaults to `false`.",
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, CreateDescription: timeoutText("creating the key set", defaultCreateTimeout) + " Finding out what became of a lost answer isn't cut short by it.",
				Read: true, ReadDescription: timeoutText("refreshing the key set", defaultReadTimeout),
				Delete: true, DeleteDescription: timeoutText("deleting the key set", defaultDeleteTimeout),
			}),

			"id": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The key set's ID in the service's spelling, such as `B2C_1A_TokenSigningKeyContainer`.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *keySetResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: keySetIdentityAttributes()}
}

// Configure implements resource.ResourceWithConfigure.
func (r *keySetResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan warns before keys are deleted with their set.
func (r *keySetResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() {
		return
	}
	var state keySetModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	state.checkWhole(ctx, req.Identity, &resp.Diagnostics)
	loadMade(ctx, keySetType, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	if req.Plan.Raw.IsNull() {
		r.warnOfDeletion(ctx, state, &resp.Diagnostics)
		return
	}
	var plan keySetModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.Name.IsUnknown() || !trustframework.SameID(plan.Name.ValueString(), state.Name.ValueString()) {
		r.warnOfDeletion(ctx, state, &resp.Diagnostics)
	}
}

func (r *keySetResource) warnOfDeletion(ctx context.Context, state keySetModel, diags *diag.Diagnostics) {
	ctx, cancel := r.data.courtesyContext(ctx)
	defer cancel()
	set, err := r.data.client.KeySet(ctx, state.ID.ValueString(), false)
	switch {
	case trustframework.KindOf(err) == trustframework.KindKeySetGone:
		return
	case err != nil:
		diags.AddWarning(fmt.Sprintf("Key set %q would be deleted, perhaps with keys", state.ID.ValueString()),
			fmt.Sprintf("Key set %q would be deleted with the keys in it, but the provider can't tell whether it holds any.\n\n%s", state.ID.ValueString(), detailOf(err)))
		return
	}
	if len(set.Keys) == 0 {
		return
	}
	summary := fmt.Sprintf("Key set %q with keys would be deleted", set.ID)
	p := paragraphs{}
	p.add("Key set %q holds %d key(s), which are deleted with it and can't be brought back by the provider.", set.ID, len(set.Keys))
	if active, ok := set.ActiveKey(r.data.clock.Now()); ok {
		p.add("Key %q is active: policies that refer to the key set fail without it.", active.Kid)
		summary += fmt.Sprintf(", of which %q is active", active.Kid)
	}
	if state.DeleteBackup.ValueBool() {
		p.add("The service's copy %q is deleted too.", set.ID+backupSuffix)
	} else {
		p.add("The service is expected to keep a copy as %q.", set.ID+backupSuffix)
	}
	diags.AddWarning(summary, p.String())
}

// Create implements resource.Resource.
func (r *keySetResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan keySetModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	tenant := r.data.sameTenant(ctx, plan.Name.ValueString(), madeState{}, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	made, err := r.data.client.CreateKeySet(ctx, timeout, plan.Name.ValueString())
	if err != nil {
		addError(&resp.Diagnostics, "Unable to create key set", path.Root("name"), err)
		return
	}
	plan.set(made.KeySet)
	identify(ctx, resp.Identity, tenant, made.ID, &resp.Diagnostics)
	resp.Diagnostics.Append(madeState{TenantID: tenant, At: r.data.clock.Now()}.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	if made.Existed {
		resp.Diagnostics.AddWarning(fmt.Sprintf("Key set %q may have been there before", made.ID),
			fmt.Sprintf("The service says that it has created key set %q, but an empty one of this name was there a moment before: one that was deleted and showed late, "+
				"or somebody else's. If something else may have created it, check who owns it: terraform destroy would delete it.", made.ID))
	}
	if made.Recovered {
		resp.Diagnostics.AddWarning(fmt.Sprintf("Key set %q found after a lost answer", made.ID),
			fmt.Sprintf("The answer to the request that creates key set %q was lost. An empty key set of this name was there afterwards and is taken "+
				"for the one created. If something else may have created it at the same moment, check who owns it.", made.ID))
	}
}

// Read implements resource.Resource.
func (r *keySetResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state keySetModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, r.data.readTimeout())
	resp.Diagnostics.Append(diags...)
	state.checkState(ctx, req.Identity, &resp.Diagnostics)
	made := loadMade(ctx, keySetType, req.Private, req.Identity, &resp.Diagnostics)
	if state.Name.IsNull() && !made.At.IsZero() { // it wasn't imported
		addDamagedState(&resp.Diagnostics, keySetType, "It has no name.")
	}
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	tenant := r.data.sameTenant(ctx, state.ID.ValueString(), made, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	identify(ctx, resp.Identity, tenant, state.ID.ValueString(), &resp.Diagnostics)
	set, err := r.data.client.HasKeySet(ctx, state.ID.ValueString(), r.data.young(made.At))
	switch {
	case trustframework.KindOf(err) == trustframework.KindKeySetGone:
		tflog.Warn(ctx, "Key set is gone", map[string]any{"key_set_id": state.ID.ValueString()})
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		addError(&resp.Diagnostics, "Unable to read key set", path.Root("name"), err)
		return
	}
	state.set(set)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	if made.TenantID == "" && tenant != "" {
		made.TenantID = tenant
		resp.Diagnostics.Append(made.save(ctx, resp.Private)...)
	}
}

// Update writes the plan down: whatever reaches the service replaces the key set.
func (r *keySetResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state keySetModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	state.checkWhole(ctx, req.Identity, &resp.Diagnostics)
	made := loadMade(ctx, keySetType, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	identify(ctx, resp.Identity, made.TenantID, plan.ID.ValueString(), &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// Delete implements resource.Resource.
func (r *keySetResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state keySetModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	state.checkWhole(ctx, req.Identity, &resp.Diagnostics)
	made := loadMade(ctx, keySetType, req.Private, req.Identity, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	id := state.ID.ValueString()
	r.data.sameTenant(ctx, id, made, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	withBackup := state.DeleteBackup.ValueBool()
	backupComes := withBackup && r.mayHoldKeys(ctx, id)
	if err := r.data.client.DeleteKeySet(ctx, id, r.data.young(made.At)); err != nil {
		addError(&resp.Diagnostics, "Unable to delete key set", path.Empty(), err)
		return
	}
	if !withBackup {
		return
	}
	if err := r.data.client.DeleteKeySet(ctx, id+backupSuffix, backupComes); err != nil {
		addError(&resp.Diagnostics, "Unable to delete backup of key set", path.Empty(), err)
		resp.Diagnostics.AddWarning(fmt.Sprintf("Backup of key set %q is left", id),
			fmt.Sprintf("Key set %q is deleted, but its copy %q is not, and the next refresh drops the resource that would delete it. "+
				"Delete the copy in the portal (Identity Experience Framework, Policy keys), or import it as a key set and destroy that.", id, id+backupSuffix))
	}
}

// mayHoldKeys tells whether a copy of the set is to be expected when it is deleted, if not at once. None
// is of a set that is gone, and none may be of an empty one.
func (r *keySetResource) mayHoldKeys(ctx context.Context, id string) bool {
	ctx, cancel := r.data.courtesyContext(ctx)
	defer cancel()
	set, err := r.data.client.KeySet(ctx, id, false)
	if err != nil {
		return trustframework.KindOf(err) != trustframework.KindKeySetGone
	}
	return len(set.Keys) > 0
}

// ImportState takes the id or the name of a key set, or an identity. Every argument gets its default, so
// that the plan after it has nothing to do.
func (r *keySetResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx, cancel := r.data.clock.WithTimeout(ctx, r.data.readTimeout())
	defer cancel()
	tenant := r.data.sameTenant(ctx, req.ID, madeState{}, &resp.Diagnostics)
	id := req.ID
	if id == "" {
		var identity keySetIdentity
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
		tenant = identity.check(ctx, r.data, tenant, &resp.Diagnostics)
		id = identity.KeySetID.ValueString()
	} else if why := notAPathSegment(id); why != "" {
		resp.Diagnostics.AddError("Invalid import ID",
			fmt.Sprintf("%q can't name a key set: %s. The import ID is the key set's ID, such as B2C_1A_TokenSigningKeyContainer.", id, why))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	set, err := r.data.client.HasKeySet(ctx, id, false)
	if err != nil {
		addError(&resp.Diagnostics, "Unable to import key set", path.Empty(), err)
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), set.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("delete_backup"), false)...)
	resp.Diagnostics.Append(madeState{TenantID: tenant}.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, newKeySetIdentity(keySetIdentity{}, tenant, set.ID))...)
}
