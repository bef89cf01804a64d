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
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// enableTimeout bounds what comes between a key and its state: a run that is ended then leaves a key that nobody knows of.
const enableTimeout = 3 * time.Minute

// rotationRun makes the keys that a rotation needs.
type rotationRun struct {
	data *providerData
	plan *keyRotationModel
	// state is nil for a resource about to be made.
	state *keyRotationModel
	made  *rotationState
	// own are the rotation's keys, to which those made are added.
	own []trustframework.Key
	// set is the key set with the keys made.
	set trustframework.KeySet
}

// makeKeys decides under the set's lock, and makes what is needed. It returns the kids of the keys made; the error is MakeKeys'.
func (r *rotationRun) makeKeys(ctx context.Context, timeout time.Duration, diags *diag.Diagnostics) ([]string, error) {
	settings, _ := r.plan.settings() // all known at apply
	var asked []trustframework.GenerateKeyInput
	force, began := false, r.data.clock.Now()
	keys, err := r.data.client.MakeKeys(ctx, timeout, trustframework.OpGenerateKey, r.plan.KeySetID.ValueString(), func(set trustframework.KeySet) []trustframework.KeyInput {
		r.set, r.own = set, asShown(r.own, set)
		if r.state != nil {
			r.own = append(r.own, r.made.takeOver(ctx, r.data, set, r.state, diags)...)
			force = r.made.forced(r.plan, r.state, began)
			r.made.seen(r.own, r.data)
		}
		asked = r.plan.inputs(settings.Decide(r.data.clock.Now(), r.made.asAsked(r.own), set.Keys, force))
		var inputs []trustframework.KeyInput
		for _, in := range asked {
			inputs = append(inputs, in)
		}
		return inputs
	})
	var kids []string
	for i, k := range keys {
		r.record(asked[i], k, diags)
		kids = append(kids, k.Kid)
	}
	if r.set.ID != "" { // or else nobody has looked
		r.enable(ctx, append(r.made.toEnable(r.own), kids...), min(max(timeout-r.data.clock.Now().Sub(began), time.Minute), enableTimeout), diags)
	}
	switch trustframework.KindOf(err) {
	case trustframework.KindUnknownOutcome, trustframework.KindSeveral:
		in := asked[len(keys)]
		r.made.Doubts = append(r.made.Doubts, doubt{
			Nbf: in.Nbf, Exp: in.Exp, Asked: began, Known: kidsOf(r.set.Keys), Pending: true, Forced: force && in.Nbf != nil, Changed: textsOf(r.plan.RotateWhenChanged),
		})
	}
	return kids, err
}

// record takes over a key that was made.
func (r *rotationRun) record(in trustframework.GenerateKeyInput, made trustframework.MadeKey, diags *diag.Diagnostics) {
	k := made.Key
	var names []string
	for _, date := range []struct {
		name  string
		asked *int64
		given **int64
	}{{"nbf", in.Nbf, &k.Nbf}, {"exp", in.Exp, &k.Exp}} {
		if *date.given == nil {
			*date.given = date.asked // an answer may leave it out; the next refresh knows
		}
		if date.asked != nil && !types.Int64PointerValue(*date.given).Equal(types.Int64PointerValue(date.asked)) {
			names = append(names, date.name)
		}
	}
	if len(names) > 0 {
		diags.AddWarning(fmt.Sprintf("Key %q differs from what was asked for", keyID(made.KeySetID, k.Kid)),
			fmt.Sprintf("The service made key %q with another value of %s. The rotation goes on from what it has made.", keyID(made.KeySetID, k.Kid), strings.Join(names, ", ")))
	}
	r.made.At = r.data.clock.Now()
	r.made.freshen(k.Kid, r.made.At)
	if in.Nbf == nil && in.Exp == nil {
		r.made.Undated = append(r.made.Undated, k.Kid)
		r.made.madeUndated(k.Kid, r.made.At)
	}
	if made.Resent || made.Recovered {
		r.made.Doubts = append(r.made.Doubts, doubt{
			Nbf: in.Nbf, Exp: in.Exp, Found: !made.Resent, Asked: made.Asked, Kid: k.Kid, At: r.made.At, Known: append(append(made.Known, k.Kid), made.Twins...), Late: made.Twins,
		})
	}
	r.own = append(r.own, k)
	r.set.Keys = append(slices.Clone(r.set.Keys), k)
	keyKind{op: trustframework.OpGenerateKey}.warnOfRecovery(made, diags)
}

// enable enables fresh keys, should the service have made them disabled ("Policy keys overview" says so of keys uploaded in the
// portal): else the rotation would have none that can be used. That the status can't be read or set is no error, for the keys are
// there; the next apply tries again.
func (r *rotationRun) enable(ctx context.Context, kids []string, timeout time.Duration, diags *diag.Diagnostics) {
	ctx, cancel := r.data.clock.WithTimeout(ctx, timeout)
	defer cancel()
	places := make(map[string]int, len(r.own))
	for i, k := range r.own {
		places[k.Kid] = i
	}
	for _, kid := range kids {
		status := trustframework.StatusEnabled
		changed, err := r.data.client.ChangeStatus(ctx, r.set.ID, kid, status, true, false)
		switch {
		case err != nil:
			status = r.statusAfter(ctx, kid, err, diags)
		case changed:
			fresh := r.made.Fresh[kid]
			fresh.Enabled = true
			r.made.Fresh[kid] = fresh
		default: // it was seen
			delete(r.made.Fresh, kid)
		}
		if i, ok := places[kid]; ok {
			r.own[i].Status = status
		}
	}
}

// statusAfter is the status of a key that could not be enabled; "" if nobody can tell. Without the permission, or where the
// service has no keys_v2, nobody ever can, and the key counts as enabled.
func (r *rotationRun) statusAfter(ctx context.Context, kid string, err error, diags *diag.Diagnostics) string {
	status, unread := r.data.client.Status(ctx, r.set.ID, kid, trustframework.StatusEnabled, false)
	switch trustframework.KindOf(unread) {
	case trustframework.KindDenied, trustframework.KindRefused:
		return ""
	}
	if status != trustframework.StatusEnabled {
		diags.AddWarning(fmt.Sprintf("Key %q is made, but may be disabled", keyID(r.set.ID, kid)),
			fmt.Sprintf("Key %q is made. If the service has made it disabled, it could not be enabled: an apply within ten minutes tries again, a later one "+
				"makes another. It can be enabled by hand, too (Identity Experience Framework, Policy keys).\n\n%s", keyID(r.set.ID, kid), detailOf(err)))
	}
	return status
}
