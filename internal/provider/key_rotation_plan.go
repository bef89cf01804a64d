// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// mostKids is how many keys one text names.
const mostKids = 20

// ModifyPlan shows a rotation that is due, looks ahead at its keys among those of others, and says what destroying it leaves
// behind.
func (r *keyRotationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, state keyRotationModel
	var made rotationState
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		made = loadRotation(ctx, &state, req.Private, req.Identity, &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	if req.Plan.Raw.IsNull() {
		own := state.own(&resp.Diagnostics)
		resp.Diagnostics.AddWarning(fmt.Sprintf("Keys stay in their key set %q", state.ID.ValueString()),
			fmt.Sprintf("The %d key(s) of the rotation of key set %q are only forgotten by Terraform, and nothing makes the next one. The service can't delete a "+
				"single key: they stay in their key set, and go on being used until they expire, unless the key set is deleted too: %s.",
				len(own), state.ID.ValueString(), someOf(kidsOf(own))))
		r.data.client.Hold(state.ID.ValueString(), kidsOf(own)...)
		for i := range made.Doubts {
			d := &made.Doubts[i]
			if d.Pending {
				r.data.warnOfPendingAtEnd(ctx, &state, d, made.madeState, &resp.Diagnostics)
			} else {
				r.data.warnOfLateAtEnd(ctx, keyKind{op: trustframework.OpGenerateKey}, state.ID.ValueString(), d.Kid, state.input(d.Nbf, d.Exp), d, d.At, made.madeState, &resp.Diagnostics)
			}
		}
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.clock.WithTimeout(ctx, r.data.readTimeout())
	defer cancel()
	look := rotationLook{data: r.data, plan: &plan}
	if !req.State.Raw.IsNull() {
		r.data.sameTenant(ctx, state.ID.ValueString(), made.madeState, &resp.Diagnostics)
		own := state.own(&resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
		r.data.client.Hold(state.ID.ValueString(), kidsOf(own)...)
		if !plan.KeySetID.Equal(state.KeySetID) || !plan.Use.Equal(state.Use) || !plan.Kty.Equal(state.Kty) {
			for i := range made.Doubts {
				if made.Doubts[i].Pending {
					r.data.warnOfPendingAtEnd(ctx, &state, &made.Doubts[i], made.madeState, &resp.Diagnostics)
				}
			}
		}
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
		diags.AddWarning(fmt.Sprintf("Unable to plan key rotation of key set %q", l.plan.KeySetID.ValueString()),
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
	diags.AddWarning(fmt.Sprintf("Key rotation comes too late in key set %q", keySetID),
		fmt.Sprintf("No key of key set %q signs until a new one would have been published for activation_delay_days: those that it has expire before, or are disabled, and none "+
			"that can be used is without dates. The new key signs %s: whoever checks signatures may have cached the set's public keys for about "+
			"24 hours, and refuses the new one's until then. %s", keySetID, when, advice))
}

// warnOfForeignKeys names the keys of others that are used, or will be, in place of the rotation's, and those that a run may
// have left that was ended while it made the rotation's first keys. Each has a warning of its own.
func (l rotationLook) warnOfForeignKeys(set trustframework.KeySet, own []trustframework.Key, d rotation.Decision, now time.Time, settings rotation.Settings, diags *diag.Diagnostics) {
	const planned = "" // no key of the service's has an empty kid
	byKid, mine := set.ByKid(), kidSet(append(kidsOf(own), planned))
	all := slices.Clone(set.Keys)
	for _, k := range own {
		if _, shown := byKid[k.Kid]; !shown {
			all = append(all, k)
		}
	}
	for _, in := range l.plan.inputs(d) {
		all = append(all, trustframework.Key{Kid: planned, Nbf: in.Nbf, Exp: in.Exp})
	}
	turns := rotation.Turns(all, now)
	used := map[string]string{} // when, by kid
	var foreign []trustframework.Key
	for _, at := range activations(set, mine, now) {
		i := rotation.TurnAt(turns, at)
		active := turns[i].Key
		if active == nil || mine[active.Kid] || at.After(now) && (active.Nbf == nil || *active.Nbf != at.Unix()) {
			continue
		}
		when := "is in use"
		if at.After(now) {
			when = "will be in use from " + formatDate(at.Unix())
		}
		used[active.Kid] = when + " " + until(turns[i+1:])
		foreign = append(foreign, *active)
	}
	left := l.leftovers(set, own, now, settings)
	told := kidSet(kidsOf(left))
	foreign = slices.DeleteFunc(foreign, func(k trustframework.Key) bool { return told[k.Kid] })
	if more := len(foreign) - mostKids; more > 0 {
		foreign = foreign[:mostKids]
		diags.AddWarning(fmt.Sprintf("Keys of others in the key set %q are used: %d more than are named", set.ID, more),
			fmt.Sprintf("The next %d are named each in a warning of its own. The data source trustframework_key_set shows all.", mostKids))
	}
	for _, k := range foreign {
		p := paragraphs{}
		p.add("Key %q of key set %q, which isn't this resource's, %s. Keys of others are left alone, and don't count when the next one is due.", k.Kid, set.ID, used[k.Kid])
		if livesAs(k, settings) && !l.data.client.Holds(set.ID, k.Kid) {
			p.add("It lives as long as this resource's keys do: it may be left over from a run that was ended before it could record it.")
		}
		p.add("To give the resource all usable keys of the set, import it instead:\n\n  %s%s", forgetFirst(own), importCommand(resourceTypes()[opRotateKeys], set.ID))
		diags.AddWarning(fmt.Sprintf("Key %q of others in the key set is used", keyID(set.ID, k.Kid)), p.String())
	}
	warnOfLeftovers(set.ID, left, used, diags)
}

// leftovers are the keys of a set that nothing in this run owns, and that are like the first ones of a rotation that has
// none: what a run has made, perhaps, that was ended before it could record them.
func (l rotationLook) leftovers(set trustframework.KeySet, own []trustframework.Key, now time.Time, settings rotation.Settings) []trustframework.Key {
	if len(own) > 0 {
		return nil
	}
	// A disabled one may be left over, too: the service may make keys disabled. It may fill in the nbf of one without dates.
	return slices.DeleteFunc(slices.Clone(set.Keys), func(k trustframework.Key) bool {
		alike := settings.SafetyNet && k.Exp == nil && (k.Nbf == nil || *k.Nbf <= now.Unix()) || livesAs(k, settings)
		return !alike || k.Exp != nil && *k.Exp <= now.Unix() || l.data.client.Holds(set.ID, k.Kid)
	})
}

// livesAs reports whether a key lives exactly as long as those of the rotation with dates.
func livesAs(k trustframework.Key, settings rotation.Settings) bool {
	return k.Nbf != nil && k.Exp != nil && *k.Exp-*k.Nbf == (settings.RotationDays+settings.OverlapDays)*24*60*60
}

// warnOfLeftovers names each key that may be left over, and the command that gives all of them to the rotation.
func warnOfLeftovers(keySetID string, left []trustframework.Key, used map[string]string, diags *diag.Diagnostics) {
	id := keyID(keySetID, strings.Join(kidsOf(left), ","))
	if more := len(left) - mostKids; more > 0 {
		id, left = keySetID, left[:mostKids] // all usable keys of the set
		diags.AddWarning(fmt.Sprintf("Keys in key set %q may be left over from an interrupted run: %d more than are named", keySetID, more),
			fmt.Sprintf("%d are named each in a warning of its own. The data source trustframework_key_set shows all.", mostKids))
	}
	for _, k := range left {
		p := paragraphs{}
		likeness := "lives as long as this resource's keys do"
		if k.Exp == nil {
			likeness = "has no dates, as this resource's safety net"
			if k.Nbf != nil {
				likeness = "never expires, as this resource's safety net"
			}
		}
		p.add("Key %q of key set %q %s, and no resource of this run owns it: it may be left over from a run that was ended before it could record it, "+
			"or belong to somebody else.", k.Kid, keySetID, likeness)
		if when, ok := used[k.Kid]; ok {
			p.add("It %s.", when)
		}
		p.add("If it is left over, import it before you apply; otherwise the apply makes another where one is missing, and this one stays in its key set. "+
			"To begin the rotation with all keys that may be left over:\n\n  %s",
			importCommand(resourceTypes()[opRotateKeys], id))
		diags.AddWarning(fmt.Sprintf("Key %q may be left over from an interrupted run", keyID(keySetID, k.Kid)), p.String())
	}
}

// forgetFirst is the command that must come before an import if there is a resource already.
func forgetFirst(own []trustframework.Key) string {
	if len(own) == 0 {
		return ""
	}
	return forgetCommand(resourceTypes()[opRotateKeys]) + "\n  "
}

// activations are now, and the times at which keys of others become valid.
func activations(set trustframework.KeySet, mine map[string]bool, now time.Time) []time.Time {
	times := []time.Time{now}
	for _, k := range set.Keys {
		if k.Nbf != nil && *k.Nbf > now.Unix() && !mine[k.Kid] {
			times = append(times, time.Unix(*k.Nbf, 0))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}

// someOf are kids for a text.
func someOf(kids []string) string {
	if len(kids) <= mostKids {
		return fmt.Sprintf("%q", kids)
	}
	return fmt.Sprintf("%q and %d more", kids[:mostKids], len(kids)-mostKids)
}

// until says how long a key that is used goes on being used, of the turns that follow its own.
func until(next []rotation.Turn) string {
	if len(next) == 0 {
		return "for as long as nothing else is made"
	}
	return "until " + formatDate(next[0].From.Unix())
}
