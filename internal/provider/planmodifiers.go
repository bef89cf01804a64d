// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
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

// keepCertificate plans the state's value when the configuration's is the same certificate in another spelling.
func keepCertificate(parse func(string) (*material.Certificate, error)) planmodifier.String {
	return keepCertificateModifier{parse: parse}
}

type keepCertificateModifier struct {
	parse func(string) (*material.Certificate, error)
}

// Description implements planmodifier.Describer.
func (keepCertificateModifier) Description(context.Context) string {
	return "How the certificate is spelled makes no difference."
}

// MarkdownDescription implements planmodifier.Describer.
func (m keepCertificateModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (m keepCertificateModifier) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	state, plan := certificateIn(req.StateValue, m.parse), certificateIn(req.PlanValue, m.parse)
	if state != nil && plan != nil && state.SameAs(plan) {
		resp.PlanValue = req.StateValue
	}
}

// What stands for the material of a key replaces it when it changes, but not when it is set for the first time, which
// is how it comes to an imported key.
const replacesFromValue = "Replaces the key when a value it already had changes."

func replaceFromValue() planmodifier.Map {
	return mapplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.MapRequest, resp *mapplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !req.StateValue.IsNull()
		}, replacesFromValue, replacesFromValue)
}

func replaceNumberFromValue() planmodifier.Int64 {
	return int64planmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.Int64Request, resp *int64planmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !req.StateValue.IsNull()
		}, replacesFromValue, replacesFromValue)
}

func replaceTextFromValue() planmodifier.String {
	return stringplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !req.StateValue.IsNull()
		}, replacesFromValue, replacesFromValue)
}
