// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// ImportState takes the id of a key set, whose usable keys become the rotation's, or an id with kids, which become its alone.
// Every argument gets its default, and rotation_days what the newest key was made with if that is to be seen, so that the plan
// after it has nothing to do.
func (r *keyRotationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx, cancel := r.data.clock.WithTimeout(ctx, r.data.readTimeout())
	defer cancel()
	tenant := r.data.sameTenant(ctx, req.ID, madeState{}, &resp.Diagnostics)
	keySetID, kids, tenant := r.rotationToImport(ctx, tenant, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	set, err := r.data.client.KeySet(ctx, keySetID, false)
	if err == nil {
		set, err = withStatuses(ctx, r.data, set, &resp.Diagnostics)
	}
	if err != nil {
		addError(&resp.Diagnostics, "Unable to import key rotation", path.Empty(), err)
		return
	}
	now := r.data.clock.Now()
	keys := keysToImport(set, kids, now, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	imported := keyRotationModel{}
	imported.show(keys, set.Keys, rotationState{}, now, &resp.Diagnostics)
	put := func(name string, value any) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
	put("id", set.ID)
	put("key_set_id", set.ID)
	put("use", keys[0].Use)
	put("kty", keys[0].Kty)
	put("rotation_days", rotationDaysOf(keys, now))
	put("activation_delay_days", int64(defaultDelayDays))
	put("safety_net", true)
	put("keys", imported.Keys)
	resp.Diagnostics.Append(rotationState{madeState: madeState{TenantID: tenant}}.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, newKeySetIdentity(keySetIdentity{}, tenant, set.ID))...)
}

// rotationToImport reads the request. There are no kids if all usable keys are meant. The tenant is the one given, or one that
// the identity names and that turned out to be it.
func (r *keyRotationResource) rotationToImport(ctx context.Context, tenant string, req resource.ImportStateRequest, diags *diag.Diagnostics) (keySetID string, kids []string, inTenant string) {
	const form = "The import ID is the key set's ID, such as B2C_1A_TokenSigningKeyContainer, for all its usable keys, or <key_set_id>/<kid>,<kid>… for some of them."
	if req.ID == "" {
		var identity keySetIdentity
		diags.Append(req.Identity.Get(ctx, &identity)...)
		if diags.HasError() {
			return "", nil, ""
		}
		return identity.KeySetID.ValueString(), nil, identity.check(ctx, r.data, tenant, diags)
	}
	keySetID, list, some := strings.Cut(req.ID, "/")
	if some {
		kids = strings.Split(list, ",")
	}
	for _, segment := range append([]string{keySetID}, kids...) {
		if why := notAPathSegment(segment); why != "" {
			diags.AddError("Invalid import ID", fmt.Sprintf("%q isn't the ID of a key rotation: %q can't name a key set or key: %s.\n\n%s", req.ID, segment, why, form))
			break
		}
	}
	return keySetID, kids, tenant
}

// keysToImport are the keys that an import is about.
func keysToImport(set trustframework.KeySet, kids []string, now time.Time, diags *diag.Diagnostics) []trustframework.Key {
	if len(kids) == 0 {
		keys := rotation.Usable(set.Keys, now)
		if len(keys) == 0 {
			diags.AddError("Key set has no keys to import",
				fmt.Sprintf("Key set %q holds %d key(s), none of which can be used now or later. There is nothing to import: create the resource, and it makes the first keys.", set.ID, len(set.Keys)))
		}
		return keys
	}
	var keys []trustframework.Key
	var missing []string
	byKid, taken := set.ByKid(), map[string]bool{}
	for _, kid := range kids {
		key, ok := byKid[kid]
		switch {
		case taken[kid]:
			continue
		case !ok:
			missing = append(missing, kid)
		default:
			keys = append(keys, key)
		}
		taken[kid] = true
	}
	if len(missing) > 0 {
		diags.AddError("Key to import is not in its key set",
			fmt.Sprintf("Key set %q has no %s. It has: %s.", set.ID, quoted("key", missing), redact.Plain(listOf(kidsOf(set.Keys)))))
	}
	return keys
}

// rotationDaysOf tells which rotation the newest of some keys was made for, if it has the default overlap; null if that can't be.
func rotationDaysOf(keys []trustframework.Key, now time.Time) types.Int64 {
	const day = 24 * 60 * 60
	newest, ok := rotation.Newest(keys, now)
	if !ok || newest.Nbf == nil || newest.Exp == nil || (*newest.Exp-*newest.Nbf)%day != 0 {
		return types.Int64Null()
	}
	days := (*newest.Exp-*newest.Nbf)/day - defaultOverlap(newest.Use)
	if days <= defaultDelayDays || days > maxDays {
		return types.Int64Null()
	}
	return types.Int64Value(days)
}
