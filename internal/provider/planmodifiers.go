// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// keepSpelling plans the state's value when the configuration's means the same key set, so that a
// prefix or a letter's case is never a change.
func keepSpelling() planmodifier.String { return keepSpellingModifier{} }

type keepSpellingModifier struct{}

// Description implements planmodifier.Describer.
func (keepSpellingModifier) Description(context.Context) string {
	return "The prefix B2C_1A_ and letter case make no difference."
}

// MarkdownDescription implements planmodifier.Describer.
func (m keepSpellingModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (keepSpellingModifier) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.PlanValue.IsNull() || req.PlanValue.IsUnknown() {
		return
	}
	if trustframework.SameID(req.StateValue.ValueString(), req.PlanValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}

// replaceFromValue replaces the resource when a map changes, but not when it is set for the first
// time, which is how it comes to an imported key.
func replaceFromValue() planmodifier.Map {
	const description = "Replaces the key when a value it already had changes."
	return mapplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.MapRequest, resp *mapplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !req.StateValue.IsNull()
		}, description, description)
}
