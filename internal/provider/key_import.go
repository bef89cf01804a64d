// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// importKey imports a key by an id, "key_set_id/kid", or by an identity. An id that names only a key set,
// or a kid that the set hasn't got, is answered with the set's keys. Every argument gets its default, so
// that the plan after it has nothing to do.
func importKey(ctx context.Context, data *providerData, kind keyKind, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx, cancel := data.clock.WithTimeout(ctx, data.readTimeout())
	defer cancel()
	tenant := data.sameTenant(ctx, req.ID, madeState{}, &resp.Diagnostics)
	keySetID, kid, tenant := keyToImport(ctx, data, tenant, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if kid == "" {
		listForImport(ctx, data, kind, keySetID, "Import ID names a key set, not a key", &resp.Diagnostics)
		return
	}
	key, set, err := data.client.Key(ctx, keySetID, kid, false)
	if trustframework.KindOf(err) == trustframework.KindKeyGone {
		listForImport(ctx, data, kind, set.ID, "Key to import is not in its key set", &resp.Diagnostics)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, "Unable to import key", path.Empty(), err)
		return
	}
	if kind.kty != "" && key.Kty != "" && key.Kty != kind.kty {
		resp.Diagnostics.AddError("Key is of another type",
			fmt.Sprintf("Key %q has kty = %q, and a %s always has %q. Import it as another resource.", keyID(set.ID, kid), key.Kty, resourceTypes()[kind.op], kind.kty))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), keyID(set.ID, kid))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("key_set_id"), set.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("kid"), kid)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("on_destroy"), onDestroyRetain)...)
	resp.Diagnostics.Append(madeState{TenantID: tenant}.save(ctx, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, keyIdentity{newKeySetIdentity(keySetIdentity{}, tenant, set.ID), nullIfEmpty(kid)})...)
}

// keyToImport reads the request. The kid is empty if the id names only a key set. The tenant is the one given,
// or one that the identity names and that turned out to be it.
func keyToImport(ctx context.Context, data *providerData, tenant string, req resource.ImportStateRequest, diags *diag.Diagnostics) (keySetID, kid, inTenant string) {
	const form = "The import ID is <key_set_id>/<kid>, such as B2C_1A_TokenSigningKeyContainer/Gaid7K8sO8RavMX9fzHir_Wg0femGhbY9b-B4rVIxbE. " +
		"An ID that names only the key set lists its keys."
	if req.ID != "" {
		keySetID, kid, err := splitKeyID(req.ID)
		if err != nil {
			diags.AddError("Invalid import ID", fmt.Sprintf("%q isn't the ID of a key: %v.\n\n%s", req.ID, err, form))
		}
		return keySetID, kid, tenant
	}
	var identity keyIdentity
	diags.Append(req.Identity.Get(ctx, &identity)...)
	if diags.HasError() {
		return "", "", ""
	}
	tenant = identity.check(ctx, data, tenant, diags)
	if why := notAPathSegment(identity.Kid.ValueString()); why != "" {
		diags.AddAttributeError(path.Root("kid"), "Invalid import identity", fmt.Sprintf("%q can't be a kid: %s.", identity.Kid.ValueString(), why))
	}
	return identity.KeySetID.ValueString(), identity.Kid.ValueString(), tenant
}

// listForImport answers an import that names no key with those there are.
func listForImport(ctx context.Context, data *providerData, kind keyKind, keySetID, summary string, diags *diag.Diagnostics) {
	set, err := data.client.KeySet(ctx, keySetID, false)
	if err != nil {
		addError(diags, summary, path.Empty(), err)
		return
	}
	if len(set.Keys) == 0 {
		diags.AddError(summary, fmt.Sprintf("Key set %q has no keys to import.", set.ID))
		return
	}
	active, _ := set.ActiveKey(data.clock.Now())
	p := paragraphs{}
	p.add("Key set %q holds these keys. Import each that a resource should own:", set.ID)
	for i, k := range set.Keys {
		if i == mostKids {
			p.add("There are %d more. The data source trustframework_key_set shows all.", len(set.Keys)-mostKids)
			break
		}
		description := []string{k.Use, k.Kty}
		if k.Nbf != nil {
			description = append(description, fmt.Sprintf("nbf %d (%s)", *k.Nbf, formatDate(*k.Nbf)))
		}
		if k.Exp != nil {
			description = append(description, fmt.Sprintf("exp %d (%s)", *k.Exp, formatDate(*k.Exp)))
		}
		if k.Status != "" {
			description = append(description, k.Status)
		}
		if k.Kid == active.Kid {
			description = append(description, "active")
		}
		p.add("%s: %s\n%s", redact.Plain(k.Kid), redact.Plain(strings.Join(description, ", ")), importCommands(kind.op, set.ID, []string{k.Kid}))
	}
	diags.AddError(summary, p.String())
}
