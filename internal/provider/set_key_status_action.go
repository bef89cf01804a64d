// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

var (
	_ action.Action               = (*setKeyStatusAction)(nil)
	_ action.ActionWithConfigure  = (*setKeyStatusAction)(nil)
	_ action.ActionWithModifyPlan = (*setKeyStatusAction)(nil)
)

func newSetKeyStatusAction() action.Action { return &setKeyStatusAction{} }

type setKeyStatusAction struct{ data *providerData }

type setKeyStatusModel struct {
	KeySetID types.String `tfsdk:"key_set_id"`
	Kid      types.String `tfsdk:"kid"`
	Status   types.String `tfsdk:"status"`

	Force    types.Bool     `tfsdk:"force"`
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// setKeyStatusArguments are what the arguments that are texts may be.
func setKeyStatusArguments() map[string][]validator.String {
	return map[string][]validator.String{
		"key_set_id": {isPathSegment()},
		"kid":        {isKid()},
		"status":     {stringvalidator.OneOf(trustframework.Statuses()...)},
	}
}

// validate looks at the arguments once more as they are planned and invoked: Terraform validates an action's configuration
// while its variables are unknown, and not again. What is unknown is left for later.
func (m *setKeyStatusModel) validate(ctx context.Context, diags *diag.Diagnostics) {
	for _, a := range []struct {
		name  string
		value types.String
	}{{"key_set_id", m.KeySetID}, {"kid", m.Kid}, {"status", m.Status}} {
		at := path.Root(a.name)
		if a.value.IsNull() {
			diags.AddAttributeError(at, "Missing argument", fmt.Sprintf("The argument %q is null: it must have a value.", a.name))
			continue
		}
		for _, v := range setKeyStatusArguments()[a.name] {
			resp := validator.StringResponse{}
			v.ValidateString(ctx, validator.StringRequest{Path: at, PathExpression: at.Expression(), ConfigValue: a.value}, &resp)
			diags.Append(resp.Diagnostics...)
		}
	}
}

// Metadata implements action.Action.
func (a *setKeyStatusAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_set_key_status"
}

// Schema implements action.Action.
func (a *setKeyStatusAction) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Enables or disables one key of a key set, whoever made it: for a key that has fallen into the wrong hands. A key that is so already is left alone. " +
			"No state records it: if a resource manages the `status` of the key, its next plan shows the difference, and its next apply undoes it: " +
			"change the argument too.",
		Attributes: map[string]schema.Attribute{
			"key_set_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The key set: its `id`, or its name with or without the prefix `B2C_1A_`; letter case makes no difference.",
				Validators:          setKeyStatusArguments()["key_set_id"],
			},
			"kid": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The key's ID within its key set.",
				Validators:          setKeyStatusArguments()["kid"],
			},
			"status": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "What the key is to be: " + listOf(trustframework.Statuses()) + ".",
				Validators:          setKeyStatusArguments()["status"],
			},

			"force": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to disable even the last usable key of the set, which is refused otherwise. Policies that refer to the set fail then, " +
					"until a key of it is enabled or made. Defaults to `false`.",
			},
			"timeouts": timeouts.AttributesWithOpts(ctx, timeouts.Opts{InvokeDescription: timeoutText("setting the key's status", defaultUpdateTimeout)}),
		},
	}
}

// Configure implements action.ActionWithConfigure.
func (a *setKeyStatusAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan refuses a key that isn't there, and warns of the last usable one: the action may follow the
// making of another.
func (a *setKeyStatusAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config setKeyStatusModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	config.validate(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || a.data == nil || config.KeySetID.IsUnknown() || config.Kid.IsUnknown() {
		return
	}
	ctx, cancel := a.data.clock.WithTimeout(ctx, a.data.readTimeout())
	defer cancel()
	set, err := a.find(ctx, config)
	if trustframework.KindOf(err) == trustframework.KindKeySetGone {
		return // it may be made by this very apply; setting the status has the last word
	}
	if err != nil {
		addError(&resp.Diagnostics, "Unable to plan key's status", argumentOf(err, path.Root("kid"), "key_set_id"), err)
		return
	}
	if config.Status.ValueString() != trustframework.StatusDisabled {
		return
	}
	last, err := a.data.client.LastUsable(ctx, set.ID, config.Kid.ValueString())
	switch trustframework.KindOf(err) {
	case "":
	case trustframework.KindKeySetGone, trustframework.KindKeysHidden:
		return
	default:
		addError(&resp.Diagnostics, "Unable to plan key's status", argumentOf(err, path.Root("kid"), "key_set_id"), err)
		return
	}
	if last {
		config.warnOfLastUsable(set.ID, &resp.Diagnostics)
	}
}

func (m *setKeyStatusModel) warnOfLastUsable(keySetID string, diags *diag.Diagnostics) {
	outcome := "Unless another one can be used by the time the action is invoked, it is refused, or else policies that refer to the key set would fail. " +
		"Make another key first, or set force to true to disable this one all the same."
	if m.Force.ValueBool() {
		outcome = "Policies that refer to the key set fail as soon as it is disabled, until a key of the set is enabled or made."
	}
	diags.AddAttributeWarning(path.Root("kid"), fmt.Sprintf("Last usable key %q would be disabled", keyID(keySetID, m.Kid.ValueString())),
		fmt.Sprintf("No key of key set %q but %q can be used now: all others are disabled, expired, or not valid yet. %s", keySetID, m.Kid.ValueString(), outcome))
}

// Invoke implements action.Action.
func (a *setKeyStatusAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config setKeyStatusModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := config.Timeouts.Invoke(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(diags...)
	config.validate(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := a.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	kid, status := config.Kid.ValueString(), config.Status.ValueString()
	set, err := a.find(ctx, config)
	changed := false
	if err == nil {
		changed, err = a.data.client.ChangeStatus(ctx, set.ID, kid, status, false, config.Force.ValueBool())
	}
	if err != nil {
		var advice []string
		if trustframework.KindOf(err) == trustframework.KindLastUsable {
			advice = append(advice, "With force = true the key is disabled all the same, and these policies fail until a key of the set is enabled or made.")
		}
		addError(&resp.Diagnostics, "Unable to set key's status", argumentOf(err, path.Root("kid"), "key_set_id", "status"), err, advice...)
		return
	}
	say := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	if !changed {
		say("Key %q of key set %q is %s already: nothing was changed.", kid, set.ID, status)
		return
	}
	say("Key %q of key set %q is %s now.", kid, set.ID, status)
	// Whoever plans next should see it: a rotation makes a successor only for a key that it sees disabled.
	switch shown, err := a.data.client.AwaitStatus(ctx, set.ID, kid, status); {
	case err != nil:
		say("Whether the service shows that isn't known: %s.", redact.Plain(err.Error()))
	case shown != status:
		say("The service is late to show that: plans still take the key for what it was.")
	}
	if status == trustframework.StatusDisabled {
		say("%s", a.activeNow(ctx, set.ID, kid))
	}
}

// find returns the set of the key, which must be there if the service shows the set's keys: the status of a key that
// isn't could fail for many a reason. The error is an *Error.
func (a *setKeyStatusAction) find(ctx context.Context, config setKeyStatusModel) (trustframework.KeySet, error) {
	_, set, err := a.data.client.Key(ctx, config.KeySetID.ValueString(), config.Kid.ValueString(), false)
	if trustframework.KindOf(err) == trustframework.KindKeysHidden {
		return set, nil
	}
	return set, err
}

// activeNow says which key of a set is in use after one was disabled. That nobody can tell is no failure: the key is
// disabled.
func (a *setKeyStatusAction) activeNow(ctx context.Context, keySetID, disabled string) string {
	active, err := a.data.client.ActiveKey(ctx, keySetID)
	switch {
	case trustframework.KindOf(err) == trustframework.KindNoActiveKey:
		return fmt.Sprintf("No key of key set %q is active now: policies that refer to it fail until a key is enabled or made.", keySetID)
	case err != nil:
		return fmt.Sprintf("Which key of key set %q is active now isn't known: %s.", keySetID, redact.Plain(err.Error()))
	case active.Kid == disabled:
		return fmt.Sprintf("The service still names the disabled key as the active one of key set %q: it is late to show the change.", keySetID)
	}
	return fmt.Sprintf("The active key of key set %q is %q now.", keySetID, active.Kid)
}
