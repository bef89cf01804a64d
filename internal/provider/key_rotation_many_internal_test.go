// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestKeyRotation_20000Keys: what a rotation does with its set's keys takes time that grows with their number. With its square
// each step here takes minutes; an import of this size took 450 s.
func TestKeyRotation_20000Keys(t *testing.T) {
	t.Parallel()
	const count, bound = 20_000, 15 * time.Second // of about one with the race detector
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	set := trustframework.KeySet{ID: "B2C_1A_Signing"}
	made := rotationState{Fresh: map[string]freshKey{}}
	for i := range count {
		nbf := now.Add(time.Duration(i) * time.Hour).Unix()
		exp := nbf + 120*24*60*60
		k := trustframework.Key{Kid: fmt.Sprintf("kid%039d", i), Use: "sig", Kty: "oct", Nbf: &nbf, Exp: &exp, Status: trustframework.StatusEnabled}
		set.Keys = append(set.Keys, k)
		made.Undated = append(made.Undated, fmt.Sprintf("undated%d", i))
		made.Fresh[k.Kid] = freshKey{At: now, Enabled: true}
	}
	clock := clocktest.NewFake(now.Add(24 * time.Hour)) // nothing is young
	data := &providerData{clock: clock, client: &trustframework.Client{}}
	model := keyRotationModel{
		KeySetID: types.StringValue(set.ID), Use: types.StringValue("sig"), Kty: types.StringValue("oct"), RotationDays: types.Int64Value(90),
		ActivationDelayDays: types.Int64Value(1), OverlapDays: types.Int64Value(30), SafetyNet: types.BoolValue(true), RotateWhenChanged: types.MapNull(types.StringType),
		ID: types.StringValue(set.ID),
	}
	settings, _ := model.settings()
	var diags diag.Diagnostics
	for _, step := range []struct {
		name string
		do   func() int
		want int
	}{
		{"which to import", func() int { return len(keysToImport(set, kidsOf(set.Keys), now, &diags)) }, count},
		{"as the set shows them", func() int { return len(asShown(set.Keys, set)) }, count},
		{"as asked", func() int { return len(made.asAsked(set.Keys)) }, count},
		{"show", func() int {
			model.show(set.Keys, set.Keys, made, now, &diags)
			return len(model.Keys.Elements())
		}, count},
		{"check the state", func() int { model.checkState(t.Context(), nil, &diags); return 0 }, 0},
		{"seen", func() int { made.seen(set.Keys, data); return len(made.Fresh) }, 0},
		{"decide", func() int { return count - len(model.inputs(settings.Decide(now, set.Keys, set.Keys, false))) }, count - 1},
		{"decide beside them", func() int { return count - len(model.inputs(settings.Decide(now, nil, set.Keys, false))) }, count - 2},
		{"turns", func() int { return len(rotation.Turns(set.Keys, now)) }, count + 1},
		{"keys of others", func() int {
			var diags diag.Diagnostics
			other := settings
			other.RotationDays = 80
			look := rotationLook{data: data, plan: &model}
			look.warnOfForeignKeys(set, nil, rotation.Decision{}, now, other, &diags)
			return diags.WarningsCount()
		}, mostKids + 1},
		{"leftovers", func() int {
			var diags diag.Diagnostics
			look := rotationLook{data: data, plan: &model}
			look.warnOfForeignKeys(set, nil, rotation.Decision{}, now, settings, &diags)
			return diags.WarningsCount()
		}, mostKids + 1},
	} {
		began := time.Now() //nolint:forbidigo // how long it really takes
		got := step.do()
		if took := time.Since(began); took > bound { //nolint:forbidigo // see above
			t.Errorf("%s took %v, want %v at most", step.name, took, bound)
		} else {
			t.Logf("%s took %v", step.name, took)
		}
		if got != step.want {
			t.Errorf("%s: got %d, want %d", step.name, got, step.want)
		}
	}
	if len(diags) > 0 {
		t.Errorf("got %v", diags)
	}
}
