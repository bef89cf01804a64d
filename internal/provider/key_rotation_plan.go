// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// ModifyPlan shows a rotation that is due, looks ahead at its keys among those of others, and says what destroying it leaves
// behind.
func (r *keyRotationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.data == nil {
		return
	}
	var plan, state keyRotationModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.AddWarning("Keys stay in their key set",
			fmt.Sprintf("The %d key(s) of the rotation of key set %q are only forgotten by Terraform, and nothing makes the next one. The service can't delete a "+
				"single key: they stay in their key set, and go on being used until they expire, unless the key set is deleted too.", len(state.Keys.Elements()), state.ID.ValueString()))
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	look := rotationLook{data: r.data, plan: &plan}
	if !req.State.Raw.IsNull() {
		made := loadRotation(ctx, req.Private, req.Identity)
		r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics)
		own := state.own(ctx, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		r.data.client.Hold(state.ID.ValueString(), kidsOf(own)...)
		// A replacement is planned once more, without a state, but Terraform keeps no warnings of that.
		if plan.KeySetID.Equal(state.KeySetID) && plan.Use.Equal(state.Use) && plan.Kty.Equal(state.Kty) {
			look.own, look.made, look.force = own, made, made.forced(&plan, &state, r.data.clock.Now())
			due := look.ahead(ctx, &resp.Diagnostics)
			if due || state.ReadyForRotation.ValueBool() || !plan.sameArguments(&state) {
				plan.Keys, plan.NewestKid, plan.NextRotationAt = types.ListUnknown(rotationKeyType()), types.StringUnknown(), types.StringUnknown()
				plan.ReadyForRotation = types.BoolValue(false)
			} else {
				if !plan.Keys.IsUnknown() {
					return
				}
				// Another spelling of the set has made them unknown.
				plan.Keys, plan.NewestKid, plan.NextRotationAt, plan.ReadyForRotation = state.Keys, state.NewestKid, state.NextRotationAt, state.ReadyForRotation
			}
			resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
			return
		}
	}
	look.ahead(ctx, &resp.Diagnostics)
}

// rotationLook looks ahead at what an apply would do.
type rotationLook struct {
	data *providerData
	plan *keyRotationModel
	// own are the rotation's keys, and made is what is remembered of them.
	own  []trustframework.Key
	made rotationState
	// force asks for a key before its time.
	force bool
}

// ahead tells whether an apply makes keys. A set that isn't known yet, or isn't there, tells nothing: the apply decides afresh.
func (l rotationLook) ahead(ctx context.Context, diags *diag.Diagnostics) bool {
	settings, ok := l.plan.settings()
	if !ok || l.plan.KeySetID.IsUnknown() {
		return false
	}
	set, err := l.data.client.KeySet(ctx, l.plan.KeySetID.ValueString(), false)
	if err == nil {
		set, err = withStatuses(ctx, l.data, set, diags)
	}
	switch {
	case trustframework.KindOf(err) == trustframework.KindKeySetGone:
		return false
	case trustframework.KindOf(err) == trustframework.KindKeysHidden:
		diags.AddWarning("Unable to plan key rotation",
			fmt.Sprintf("The service's answer doesn't show the keys of key set %q, so that nobody can tell whether a key is due.", l.plan.KeySetID.ValueString()))
		return false
	case err != nil:
		addError(diags, "Unable to plan key rotation", path.Root("key_set_id"), err)
		return false
	}
	l.plan.checkSameKind(set, diags)
	if diags.HasError() {
		return false
	}
	now, own := l.data.clock.Now(), asShown(l.own, set)
	d := settings.Decide(now, l.made.asAsked(own), set.Keys, l.force)
	warnOfLateness(set.ID, d, settings, now, diags)
	l.warnOfForeignKeys(set, own, d, now, settings, diags)
	return d.Needed()
}

// checkSameKind holds the keys to be made against those in their set.
func (m *keyRotationModel) checkSameKind(set trustframework.KeySet, diags *diag.Diagnostics) {
	key := keyModel{Use: m.Use, Kty: m.Kty}
	key.checkSameKind(set, keyKind{arguments: []string{"use", "kty"}}, diags)
}

// warnOfLateness tells of a key that signs before everybody can know it.
func warnOfLateness(keySetID string, d rotation.Decision, settings rotation.Settings, now time.Time, diags *diag.Diagnostics) {
	if !d.Late {
		return
	}
	when, advice := "at once", "Run Terraform more often, or set safety_net to true."
	if d.Nbf > now.Unix() {
		when = "from " + formatDate(d.Nbf)
	}
	if settings.SafetyNet {
		advice = "Run Terraform more often; from now on the key without dates that is made too signs meanwhile."
	}
	diags.AddWarning("Key rotation comes too late",
		fmt.Sprintf("No key of key set %q signs until a new one would have been published for activation_delay_days: those that it has expire before, or are disabled, and none "+
			"that can be used is without dates. The new key signs %s: whoever checks signatures may have cached the set's public keys for about "+
			"24 hours, and refuses the new one's until then. %s", keySetID, when, advice))
}

// warnOfForeignKeys names the keys of others that are used, or will be, in place of the rotation's.
func (l rotationLook) warnOfForeignKeys(set trustframework.KeySet, own []trustframework.Key, d rotation.Decision, now time.Time, settings rotation.Settings, diags *diag.Diagnostics) {
	const planned = "" // no key of the service's has an empty kid
	all := set
	all.Keys = slices.Clone(set.Keys)
	mine := append(kidsOf(own), planned)
	for _, k := range own {
		if _, shown := set.Key(k.Kid); !shown {
			all.Keys = append(all.Keys, k)
		}
	}
	for _, in := range l.plan.inputs(d) {
		all.Keys = append(all.Keys, trustframework.Key{Kid: planned, Nbf: in.Nbf, Exp: in.Exp})
	}
	for _, at := range activations(set, mine, now) {
		active, ok := all.ActiveKey(at)
		if !ok || slices.Contains(mine, active.Kid) || at.After(now) && (active.Nbf == nil || *active.Nbf != at.Unix()) {
			continue
		}
		p := paragraphs{}
		when := "is in use"
		if at.After(now) {
			when = "will be in use from " + formatDate(at.Unix())
		}
		p.add("Key %q of key set %q, which isn't this resource's, %s %s. Keys of others are left alone, and don't count when the next one is due.",
			active.Kid, set.ID, when, until(all, active.Kid, at))
		if active.Nbf != nil && active.Exp != nil && *active.Exp-*active.Nbf == (settings.RotationDays+settings.OverlapDays)*24*60*60 && !l.data.client.Holds(set.ID, active.Kid) {
			p.add("It lives as long as this resource's keys do: it may be left over from a run that was ended before it could record it.")
		}
		p.add("To give the resource all usable keys of the set, import it instead:\n\n  %sterraform import %s.<name> %s", forgetFirst(own), resourceTypes()[opRotateKeys], set.ID)
		diags.AddWarning("Key of others in the key set is used", p.String())
	}
}

// forgetFirst is the command that must come before an import if there is a resource already.
func forgetFirst(own []trustframework.Key) string {
	if len(own) == 0 {
		return ""
	}
	return "terraform state rm " + resourceTypes()[opRotateKeys] + ".<name>\n  "
}

// activations are now, and the times at which keys of others become valid.
func activations(set trustframework.KeySet, mine []string, now time.Time) []time.Time {
	times := []time.Time{now}
	for _, k := range set.Keys {
		if k.Nbf != nil && *k.Nbf > now.Unix() && !slices.Contains(mine, k.Kid) {
			times = append(times, time.Unix(*k.Nbf, 0))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}

// until tells how long a key that is used at a time goes on being used.
func until(set trustframework.KeySet, kid string, from time.Time) string {
	var changes []int64
	for _, k := range set.Keys {
		for _, date := range []*int64{k.Nbf, k.Exp} {
			if date != nil && *date > from.Unix() {
				changes = append(changes, *date)
			}
		}
	}
	slices.Sort(changes)
	for _, at := range changes {
		if active, _ := set.ActiveKey(time.Unix(at, 0)); active.Kid != kid {
			return "until " + formatDate(at)
		}
	}
	return "for as long as nothing else is made"
}
