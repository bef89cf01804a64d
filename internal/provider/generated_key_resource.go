// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func newGeneratedKeyResource() resource.Resource {
	return &keyResource[generatedKeyModel, *generatedKeyModel]{kind: keyKind{
		op:        trustframework.OpGenerateKey,
		schema:    generatedKeySchema,
		arguments: []string{"use", "kty", "nbf", "exp"},
	}}
}

type generatedKeyModel struct{ keyModel }

func generatedKeySchema(ctx context.Context) schema.Schema {
	attributes := keyAttributes(ctx, "generating the key")
	attributes["use"] = useArgument()
	attributes["kty"] = schema.StringAttribute{
		Required: true,
		MarkdownDescription: "The type of key: " + listOf(trustframework.KeyTypes()) + " (a symmetric key). All keys of a set have the same type for as long as the set lives, " +
			"so that a change works only together with another key set.",
		Validators:    []validator.String{stringvalidator.OneOf(trustframework.KeyTypes()...)},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
	attributes["nbf"] = dateArgument("When the key becomes valid (not before)")
	attributes["exp"] = dateArgument("When the key expires")
	return schema.Schema{
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

func (m *generatedKeyModel) replaces(state *generatedKeyModel) bool {
	return m.keyModel.replaces(state.keyModel)
}

// prepare makes the input of a configuration. There is none if a date isn't known yet.
func (m *generatedKeyModel) prepare(time.Time, *diag.Diagnostics) newKey {
	if m.Nbf.IsUnknown() || m.Exp.IsUnknown() {
		return newKey{}
	}
	return newKey{input: m.input()}
}

func (m *generatedKeyModel) input() trustframework.GenerateKeyInput {
	return trustframework.GenerateKeyInput{
		KeySetID: m.KeySetID.ValueString(),
		Use:      m.Use.ValueString(),
		Kty:      m.Kty.ValueString(),
		Nbf:      seconds(m.Nbf),
		Exp:      seconds(m.Exp),
	}
}

func (m *generatedKeyModel) recall(d *doubt) trustframework.KeyInput {
	in := m.input()
	in.Nbf, in.Exp = d.Nbf, d.Exp
	return in
}
