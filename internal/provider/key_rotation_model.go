// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const (
	defaultDelayDays = 1
	// How long a key stays valid after its successor has taken over: long enough for whoever has cached it, or for what it
	// has encrypted, such as refresh tokens, whose life is months.
	defaultSigOverlapDays = 30
	defaultEncOverlapDays = 365
	// maxDays keeps every date far from the last that a NumericDate and RFC 3339 can both write.
	maxDays = 36500
)

type keyRotationModel struct {
	KeySetID types.String `tfsdk:"key_set_id"`
	Use      types.String `tfsdk:"use"`
	Kty      types.String `tfsdk:"kty"`

	RotationDays        types.Int64 `tfsdk:"rotation_days"`
	ActivationDelayDays types.Int64 `tfsdk:"activation_delay_days"`
	OverlapDays         types.Int64 `tfsdk:"overlap_days"`
	SafetyNet           types.Bool  `tfsdk:"safety_net"`
	RotateWhenChanged   types.Map   `tfsdk:"rotate_when_changed"`

	ID               types.String `tfsdk:"id"`
	Keys             types.List   `tfsdk:"keys"`
	NewestKid        types.String `tfsdk:"newest_kid"`
	NextRotationAt   types.String `tfsdk:"next_rotation_at"`
	ReadyForRotation types.Bool   `tfsdk:"ready_for_rotation"`

	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

func rotationKeyType() basetypes.ObjectType {
	return types.ObjectType{AttrTypes: map[string]attr.Type{
		"kid": types.StringType, "nbf": types.Int64Type, "exp": types.Int64Type, "status": types.StringType,
		"activates_at": types.StringType, "expires_at": types.StringType,
	}}
}

func keyRotationSchema(ctx context.Context) schema.Schema {
	days := func(least int64, description string) schema.Int64Attribute {
		return schema.Int64Attribute{MarkdownDescription: description, Validators: []validator.Int64{int64validator.Between(least, maxDays)}}
	}
	rotationDays := days(1, "How many days a key signs before its successor takes over. Longer than `activation_delay_days`.")
	rotationDays.Required = true
	delayDays := days(0, fmt.Sprintf("How many days a key is published before it signs, so that everybody knows it by then. Defaults to `%d`.", defaultDelayDays))
	delayDays.Optional, delayDays.Computed, delayDays.Default = true, true, int64default.StaticInt64(defaultDelayDays)
	overlapDays := days(1, fmt.Sprintf("How many days a key stays valid after its successor has taken over. Longer than `activation_delay_days`. Defaults to `%d` for `sig` and `%d` for `enc`.",
		defaultSigOverlapDays, defaultEncOverlapDays))
	overlapDays.Optional = true
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	date := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{Computed: true, MarkdownDescription: description + ", as a NumericDate: seconds since 1970-01-01T00:00:00Z. Null if the key has none."}
	}
	return schema.Schema{
		MarkdownDescription: "Keeps a key set rolling, in place: each `terraform apply` makes the next key if it is due, and else none. " +
			"A new key is published for `activation_delay_days`, signs for `rotation_days`, and stays valid for `overlap_days` more.\n\n" +
			"Keys of others in the set are left alone and don't count. Destroying the resource leaves the keys in their set: the service can't delete a single one.",
		Attributes: map[string]schema.Attribute{
			"key_set_id": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "The key set to keep rolling: its `id`, or its name with or without the prefix `B2C_1A_`. " +
					"A change leaves the keys where they are and begins anew in the other set.",
				Validators:    []validator.String{isPathSegment()},
				PlanModifiers: []planmodifier.String{keepSpelling(), stringplanmodifier.RequiresReplace()},
			},
			"use": useArgument(),
			"kty": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "The type of key: " + listOf(trustframework.KeyTypes()) + " (a symmetric key). All keys of a set have the same type for as long as the set lives, " +
					"so that a change works only together with another key set.",
				Validators:    []validator.String{stringvalidator.OneOf(trustframework.KeyTypes()...)},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"rotation_days":         rotationDays,
			"activation_delay_days": delayDays,
			"overlap_days":          overlapDays,
			"safety_net": schema.BoolAttribute{
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(true),
				MarkdownDescription: "Whether the set is to have a key without dates, as Microsoft advises: it signs if all others have expired, because no apply " +
					"came in time. One is made if the set has no usable one. Defaults to `true`.",
			},
			"rotate_when_changed": schema.MapAttribute{
				Optional:    true,
				ElementType: types.StringType,
				MarkdownDescription: "Any values; when they change or are taken away, the next key is made before its time. The first values given to a resource that has none " +
					"don't count as a change.",
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, CreateDescription: timeoutText("making the first keys", defaultCreateTimeout) + " Finding out what became of a lost answer isn't cut short by it.",
				Read: true, ReadDescription: timeoutText("refreshing the keys", defaultReadTimeout),
				Update: true, UpdateDescription: timeoutText("making the next key", defaultCreateTimeout) + " Finding out what became of a lost answer isn't cut short by it.",
			}),

			"id": computedText("The key set's ID in the service's spelling."),
			"keys": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The keys that this resource has made or was given by an import: the one without dates first, the newest last.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"kid":          text("The key's ID within its key set, given by the service."),
					"nbf":          date("When the key becomes valid (not before)"),
					"exp":          date("When the key expires"),
					"status":       text("`enabled` or `disabled`, as it was when it could last be read, which takes `TrustFrameworkKeySet.ReadWrite.All` where the service's listing doesn't show it. Null if it never could; the key then counts as enabled."),
					"activates_at": text("`nbf` as an RFC 3339 date in UTC. Null if the key has none."),
					"expires_at":   text("`exp` as an RFC 3339 date in UTC. Null if the key has none."),
				}},
			},
			"newest_kid":       text("The `kid` of the newest key with dates that can be used now or later. Null if there is none."),
			"next_rotation_at": text("From when on an apply makes the next key, as an RFC 3339 date in UTC. Null means now: no key with dates can be used, or nothing signs until it is valid."),
			"ready_for_rotation": schema.BoolAttribute{
				Computed:            true,
				MarkdownDescription: "Whether an apply has something to do: a key is due, the one without dates is missing, or one that was made a moment ago is still disabled. A refresh sets it; the plan then shows it become `false`, which is why the keys change.",
			},
		},
	}
}

// validate compares the settings with each other.
func (m *keyRotationModel) validate(diags *diag.Diagnostics) {
	delay := m.ActivationDelayDays
	if delay.IsNull() {
		delay = types.Int64Value(defaultDelayDays)
	}
	overlap := m.OverlapDays
	if overlap.IsNull() && known(m.Use) {
		overlap = types.Int64Value(defaultOverlap(m.Use.ValueString()))
	}
	if known(delay, m.RotationDays) && m.RotationDays.ValueInt64() <= delay.ValueInt64() {
		diags.AddAttributeError(path.Root("rotation_days"), "Invalid rotation",
			fmt.Sprintf("A key would have to be made before the one it follows is in use: rotation_days = %d must be longer than activation_delay_days = %d.",
				m.RotationDays.ValueInt64(), delay.ValueInt64()))
	}
	if known(delay, overlap) && overlap.ValueInt64() <= delay.ValueInt64() {
		diags.AddAttributeError(path.Root("overlap_days"), "Invalid rotation",
			fmt.Sprintf("A key could expire before the next one signs: overlap_days = %d must be longer than activation_delay_days = %d.",
				overlap.ValueInt64(), delay.ValueInt64()))
	}
}

func defaultOverlap(use string) int64 {
	if use == trustframework.UseEncryption {
		return defaultEncOverlapDays
	}
	return defaultSigOverlapDays
}

// settings are those of a plan or state; false means that they aren't all known.
func (m *keyRotationModel) settings() (rotation.Settings, bool) {
	if !known(m.RotationDays, m.ActivationDelayDays, m.SafetyNet, m.Use) || m.OverlapDays.IsUnknown() {
		return rotation.Settings{}, false
	}
	s := rotation.Settings{
		RotationDays: m.RotationDays.ValueInt64(), DelayDays: m.ActivationDelayDays.ValueInt64(),
		OverlapDays: m.OverlapDays.ValueInt64(), SafetyNet: m.SafetyNet.ValueBool(),
	}
	if m.OverlapDays.IsNull() {
		s.OverlapDays = defaultOverlap(m.Use.ValueString())
	}
	return s, true
}

// own are the keys that the state has.
func (m *keyRotationModel) own(diags *diag.Diagnostics) []trustframework.Key {
	if m.Keys.IsNull() || m.Keys.IsUnknown() {
		return nil
	}
	keys := make([]trustframework.Key, 0, len(m.Keys.Elements()))
	for _, element := range m.Keys.Elements() {
		// Not by the framework's reflection, which looks at the struct's tags again for each of many keys.
		object, ok := element.(types.Object)
		if !ok {
			diags.AddError("Unexpected value in state", fmt.Sprintf("A key is a %T. This is a bug in the provider; please report it.", element))
			return nil
		}
		shown := object.Attributes()
		text := func(name string) string { value, _ := shown[name].(types.String); return value.ValueString() }
		date := func(name string) *int64 { value, _ := shown[name].(types.Int64); return seconds(value) }
		keys = append(keys, trustframework.Key{
			Kid: text("kid"), Use: m.Use.ValueString(), Kty: m.Kty.ValueString(), Nbf: date("nbf"), Exp: date("exp"), Status: text("status"),
		})
	}
	return keys
}

// show writes down the keys, and what follows from them at a given time.
func (m *keyRotationModel) show(own, set []trustframework.Key, made rotationState, now time.Time, diags *diag.Diagnostics) {
	asked := made.asAsked(own)
	rotation.Sort(asked)
	shown := make([]attr.Value, len(own))
	keyType := rotationKeyType().AttrTypes
	byKid := trustframework.KeySet{Keys: own}.ByKid()
	for i, k := range asked {
		k = byKid[k.Kid]
		object, problems := types.ObjectValue(keyType, map[string]attr.Value{
			"kid": types.StringValue(k.Kid), "nbf": types.Int64PointerValue(k.Nbf), "exp": types.Int64PointerValue(k.Exp), "status": nullIfEmpty(k.Status),
			"activates_at": dateValue(k.Nbf), "expires_at": dateValue(k.Exp),
		})
		diags.Append(problems...)
		shown[i] = object
	}
	list, problems := types.ListValue(rotationKeyType(), shown)
	diags.Append(problems...)
	m.Keys = list
	newest, _ := rotation.Newest(asked, now)
	m.NewestKid = nullIfEmpty(newest.Kid)
	m.NextRotationAt, m.ReadyForRotation = types.StringNull(), types.BoolValue(false)
	s, ok := m.settings()
	if !ok {
		return // imported, and not applied yet
	}
	if due, ok := s.DueAt(now, asked, set); ok {
		at := due.Unix()
		m.NextRotationAt = dateValue(&at)
	}
	m.ReadyForRotation = types.BoolValue(s.Decide(now, asked, set, false).Needed() || len(made.toEnable(own)) > 0)
}

// input is the key to be made.
func (m *keyRotationModel) input(nbf, exp *int64) trustframework.GenerateKeyInput {
	return trustframework.GenerateKeyInput{KeySetID: m.KeySetID.ValueString(), Use: m.Use.ValueString(), Kty: m.Kty.ValueString(), Nbf: nbf, Exp: exp}
}

// inputs are the keys that a decision asks for. The one without dates comes first: whatever happens then, something signs.
func (m *keyRotationModel) inputs(d rotation.Decision) []trustframework.GenerateKeyInput {
	var inputs []trustframework.GenerateKeyInput
	if d.SafetyNet {
		inputs = append(inputs, m.input(nil, nil))
	}
	if d.Due {
		inputs = append(inputs, m.input(&d.Nbf, &d.Exp))
	}
	return inputs
}

// forcedFrom tells whether a change asks for a key before its time.
func (m *keyRotationModel) forcedFrom(state *keyRotationModel) bool {
	return !state.RotateWhenChanged.IsNull() && !m.RotateWhenChanged.Equal(state.RotateWhenChanged)
}

// sameArguments tells whether two models of the same keys in the same set are configured alike.
func (m *keyRotationModel) sameArguments(other *keyRotationModel) bool {
	return m.RotationDays.Equal(other.RotationDays) && m.ActivationDelayDays.Equal(other.ActivationDelayDays) && m.OverlapDays.Equal(other.OverlapDays) &&
		m.SafetyNet.Equal(other.SafetyNet) && m.RotateWhenChanged.Equal(other.RotateWhenChanged) && m.Timeouts.Equal(other.Timeouts)
}
