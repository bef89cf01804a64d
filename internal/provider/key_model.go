// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// keyModel is what every resource that is a key has in common.
type keyModel struct {
	KeySetID types.String `tfsdk:"key_set_id"`
	Use      types.String `tfsdk:"use"`
	Kty      types.String `tfsdk:"kty"`

	Nbf               types.Int64 `tfsdk:"nbf"`
	Exp               types.Int64 `tfsdk:"exp"`
	RotateWhenChanged types.Map   `tfsdk:"rotate_when_changed"`

	Status    types.String `tfsdk:"status"`
	OnDestroy types.String `tfsdk:"on_destroy"`

	ID           types.String `tfsdk:"id"`
	Kid          types.String `tfsdk:"kid"`
	N            types.String `tfsdk:"n"`
	E            types.String `tfsdk:"e"`
	ActivatesAt  types.String `tfsdk:"activates_at"`
	ExpiresAt    types.String `tfsdk:"expires_at"`
	PublicKeyPEM types.String `tfsdk:"public_key_pem"`
	PublicKeyJWK types.String `tfsdk:"public_key_jwk"`

	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

func (m *keyModel) base() *keyModel { return m }

// useArgument is use where it is asked for.
func useArgument() schema.StringAttribute {
	return schema.StringAttribute{
		Required: true,
		MarkdownDescription: "What the key is for: " + listOf(trustframework.Uses()) + ". All keys of a set have the same use for as long as the set lives, " +
			"so that a change works only together with another key set.",
		Validators:    []validator.String{stringvalidator.OneOf(trustframework.Uses()...)},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

// dateArgument is nbf or exp where it is asked for.
func dateArgument(description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional: true,
		Computed: true,
		MarkdownDescription: description + ", as a NumericDate: seconds since 1970-01-01T00:00:00Z. The function `numeric_date` makes it from a date. " +
			"Left out, it is whatever the key has. A change makes a new key.",
		Validators: []validator.Int64{isNumericDate()},
		PlanModifiers: []planmodifier.Int64{
			int64planmodifier.UseStateForUnknown(),
			int64planmodifier.RequiresReplaceIfConfigured(),
		},
	}
}

// computedText is an attribute that no change in place moves.
func computedText(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// keyAttributes is the schema of keyModel where a key is made from nothing that the model has. What is how its making
// is spoken of.
func keyAttributes(ctx context.Context, what string) map[string]schema.Attribute {
	computed := computedText
	date := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{
			Computed:            true,
			MarkdownDescription: description + ", as a NumericDate: seconds since 1970-01-01T00:00:00Z. Null if the key has none.",
			PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
		}
	}
	return map[string]schema.Attribute{
		"key_set_id": schema.StringAttribute{
			Required: true,
			MarkdownDescription: "The key set to make the key in: its `id`, or its name with or without the prefix `B2C_1A_`. " +
				"A change makes a new key in the other set.",
			Validators:    []validator.String{isPathSegment()},
			PlanModifiers: []planmodifier.String{keepSpelling(), stringplanmodifier.RequiresReplace()},
		},
		"rotate_when_changed": schema.MapAttribute{
			Optional:    true,
			ElementType: types.StringType,
			MarkdownDescription: "Any values; when they change or are taken away, a new key is made. The first values given to a key that has none, " +
				"such as an imported one, don't count as a change.",
			PlanModifiers: []planmodifier.Map{replaceFromValue()},
		},
		"status": schema.StringAttribute{
			Optional: true,
			Computed: true,
			MarkdownDescription: "Whether the key may be used: " + listOf(trustframework.Statuses()) + ". Changes in place. Left out, it isn't managed: it is null, " +
				"or what the service's listing shows. Managing it needs `TrustFrameworkKeySet.ReadWrite.All` to plan too, without which the plan warns and " +
				"goes by the state. The last usable key of a set can't be disabled; of two processes that disable one each at the same moment, both take it back, " +
				"if each sees in time what the other has done. A new key is made enabled, and disabled a moment later.",
			Validators:    []validator.String{stringvalidator.OneOf(trustframework.Statuses()...)},
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"on_destroy": schema.StringAttribute{
			Optional: true,
			Computed: true,
			Default:  stringdefault.StaticString(onDestroyRetain),
			MarkdownDescription: "What becomes of the key when the resource is destroyed or replaced: `" + onDestroyRetain + "` leaves it as it is, `" + onDestroyDisable +
				"` disables it, unless it is the last usable key of its set, which is kept with a warning. Use `" + onDestroyDisable +
				"` together with `create_before_destroy`, so that a replaced key isn't the last one. What was applied last counts: a value that changes " +
				"together with what replaces the key is the new key's. Defaults to `" + onDestroyRetain + "`.",
			Validators: []validator.String{stringvalidator.OneOf(onDestroyRetain, onDestroyDisable)},
		},

		"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
			Create: true, CreateDescription: timeoutText(what, defaultCreateTimeout) + " Finding out what became of a lost answer isn't cut short by it.",
			Read: true, ReadDescription: timeoutText("refreshing the key", defaultReadTimeout),
			Update: true, UpdateDescription: timeoutText("setting the key's status", defaultUpdateTimeout),
			Delete: true, DeleteDescription: timeoutText("disabling the key, where on_destroy says so,", defaultDeleteTimeout),
		}),

		"use":            computed("What the key is for: " + listOf(trustframework.Uses()) + "."),
		"kty":            computed("The type of key: " + listOf(trustframework.KeyTypes()) + " (a symmetric key)."),
		"nbf":            date("When the key becomes valid (not before)"),
		"exp":            date("When the key expires"),
		"id":             computed("The key's ID, `<key_set_id>/<kid>`, with the key set in the service's spelling."),
		"kid":            computed("The key's ID within its key set, given by the service."),
		"n":              computed("An RSA key's modulus, base64url. Null for `oct`."),
		"e":              computed("An RSA key's public exponent, base64url. Null for `oct`."),
		"activates_at":   computed("`nbf` as an RFC 3339 date in UTC. Null if the key has none."),
		"expires_at":     computed("`exp` as an RFC 3339 date in UTC. Null if the key has none."),
		"public_key_pem": computed("An RSA key's public half in PEM (PKIX). Null for `oct`."),
		"public_key_jwk": computed("An RSA key's public half as a JSON Web Key (RFC 7517). Null for `oct`."),
	}
}

// set takes over what the service says of a key. The key set's spelling and whatever is known from the
// configuration stay: Terraform wants back what it planned, and the next refresh shows a difference.
// Public material that can't be decoded is left null with a warning, for the key itself exists.
func (m *keyModel) set(keySetID string, k trustframework.Key, _ *material.Certificate, diags *diag.Diagnostics) {
	if m.KeySetID.IsNull() || m.KeySetID.IsUnknown() {
		m.KeySetID = types.StringValue(keySetID)
	}
	m.ID = types.StringValue(keyID(keySetID, k.Kid))
	m.Kid = types.StringValue(k.Kid)
	m.Use = keepKnown(m.Use, k.Use)
	m.Kty = keepKnown(m.Kty, k.Kty)
	m.N = nullIfEmpty(k.N)
	m.E = nullIfEmpty(k.E)
	if m.Nbf.IsUnknown() {
		m.Nbf = types.Int64PointerValue(k.Nbf)
	}
	if m.Exp.IsUnknown() {
		m.Exp = types.Int64PointerValue(k.Exp)
	}
	if m.Status.IsUnknown() {
		m.Status = nullIfEmpty(k.Status)
	}
	m.ActivatesAt = dateValue(k.Nbf)
	m.ExpiresAt = dateValue(k.Exp)
	pem, pemErr := k.PublicKeyPEM()
	m.PublicKeyPEM = nullIfEmpty(pem)
	jwk, jwkErr := k.PublicKeyJWK()
	m.PublicKeyJWK = nullIfEmpty(jwk)
	for _, err := range []error{pemErr, jwkErr} {
		if err != nil {
			diags.AddWarning(fmt.Sprintf("Unable to show public key of %q", m.ID.ValueString()), fmt.Sprintf("Key %q: %s", m.ID.ValueString(), sentence(err)))
		}
	}
}

// forget makes everything unknown that the service says of a key, so that set takes it over. A use or
// kty that it leaves out stays as it was.
func (m *keyModel) forget(k trustframework.Key) {
	if k.Use != "" {
		m.Use = types.StringUnknown()
	}
	if k.Kty != "" {
		m.Kty = types.StringUnknown()
	}
	m.Nbf, m.Exp = types.Int64Unknown(), types.Int64Unknown()
}

// replaces tells whether the plan for a key makes a new one, as the plan modifiers have it.
func (m *keyModel) replaces(state keyModel) bool {
	return !m.KeySetID.Equal(state.KeySetID) || !m.Use.Equal(state.Use) || !m.Kty.Equal(state.Kty) ||
		!m.Nbf.Equal(state.Nbf) || !m.Exp.Equal(state.Exp) ||
		!state.RotateWhenChanged.IsNull() && !m.RotateWhenChanged.Equal(state.RotateWhenChanged)
}

// differs names the planned values that the service didn't take over, or nil.
func (m *keyModel) differs(k trustframework.Key) []string {
	var names []string
	if k.Use != "" && known(m.Use) && m.Use.ValueString() != k.Use {
		names = append(names, "use")
	}
	if k.Kty != "" && known(m.Kty) && m.Kty.ValueString() != k.Kty {
		names = append(names, "kty")
	}
	if !m.Nbf.IsUnknown() && !m.Nbf.Equal(types.Int64PointerValue(k.Nbf)) {
		names = append(names, "nbf")
	}
	if !m.Exp.IsUnknown() && !m.Exp.Equal(types.Int64PointerValue(k.Exp)) {
		names = append(names, "exp")
	}
	return names
}

func keepKnown(planned types.String, value string) types.String {
	if planned.IsNull() || planned.IsUnknown() {
		return nullIfEmpty(value)
	}
	return planned
}

func nullIfEmpty(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// dateValue shows a date of the service's. It is null if there is none, or one that RFC 3339 has no year for.
func dateValue(seconds *int64) types.String {
	if seconds == nil {
		return types.StringNull()
	}
	if year := time.Unix(*seconds, 0).UTC().Year(); year < 0 || year > 9999 {
		return types.StringNull()
	}
	return types.StringValue(formatDate(*seconds))
}

// seconds is a NumericDate, or nil for none or one that isn't known yet.
func seconds(date types.Int64) *int64 {
	if !known(date) {
		return nil
	}
	return date.ValueInt64Pointer()
}

// serviceKeySetID is the set's id in the service's spelling, which key_set_id needn't have.
func (m *keyModel) serviceKeySetID() string {
	keySetID, _, _ := strings.Cut(m.ID.ValueString(), "/")
	return keySetID
}

// keyID is a key's id in Terraform. Neither half can hold a slash.
func keyID(keySetID, kid string) string { return keySetID + "/" + kid }

// splitKeyID takes an id apart. The kid is empty if the id names only a key set.
func splitKeyID(id string) (keySetID, kid string, err error) {
	keySetID, kid, both := strings.Cut(id, "/")
	switch {
	case notAPathSegment(keySetID) != "":
		return "", "", fmt.Errorf("the part before the slash can't name a key set: %s", notAPathSegment(keySetID))
	case both && notAPathSegment(kid) != "":
		return "", "", fmt.Errorf("the part after the slash can't be a kid: %s", notAPathSegment(kid))
	}
	return keySetID, kid, nil
}
