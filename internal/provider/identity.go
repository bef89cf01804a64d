// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// keySetIdentity names a key set in all of Entra ID.
type keySetIdentity struct {
	// TenantID is the tenant's GUID; null where nothing tells it.
	TenantID types.String `tfsdk:"tenant_id"`
	// KeySetID is the id in the service's spelling.
	KeySetID types.String `tfsdk:"key_set_id"`
}

// keyIdentity names a key in all of Entra ID.
type keyIdentity struct {
	keySetIdentity
	Kid types.String `tfsdk:"kid"`
}

func keySetIdentityAttributes() map[string]identityschema.Attribute {
	return map[string]identityschema.Attribute{
		"tenant_id": identityschema.StringAttribute{
			OptionalForImport: true,
			Description:       "The tenant's GUID. An import into another tenant than the one the provider is signed in to is refused.",
		},
		"key_set_id": identityschema.StringAttribute{
			RequiredForImport: true,
			Description:       "The key set's ID, such as B2C_1A_TokenSigningKeyContainer.",
		},
	}
}

func keyIdentityAttributes() map[string]identityschema.Attribute {
	attributes := keySetIdentityAttributes()
	attributes["kid"] = identityschema.StringAttribute{
		RequiredForImport: true,
		Description:       "The key's ID within its key set.",
	}
	return attributes
}

// newKeySetIdentity is the identity of what was found under a set's id. Of an identity that is stored
// already everything stays that still means the same, for an identity must not change.
func newKeySetIdentity(stored keySetIdentity, tenant, keySetID string) keySetIdentity {
	if !stored.KeySetID.IsNull() && trustframework.SameID(stored.KeySetID.ValueString(), keySetID) {
		return stored
	}
	return keySetIdentity{TenantID: nullIfEmpty(tenant), KeySetID: types.StringValue(keySetID)}
}

// storedTenant is the tenant in an identity, or "".
func storedTenant(ctx context.Context, identity *tfsdk.ResourceIdentity) string {
	var tenant types.String
	if identity == nil || identity.Raw.IsFullyNull() || identity.GetAttribute(ctx, path.Root("tenant_id"), &tenant).HasError() {
		return ""
	}
	return tenant.ValueString()
}

// identify stores a key set's identity, where the client knows of identities.
func identify(ctx context.Context, identity *tfsdk.ResourceIdentity, tenant, keySetID string, diags *diag.Diagnostics) {
	if identity == nil {
		return
	}
	var stored keySetIdentity
	if !identity.Raw.IsFullyNull() {
		diags.Append(identity.Get(ctx, &stored)...)
	}
	diags.Append(identity.Set(ctx, newKeySetIdentity(stored, tenant, keySetID))...)
}

// identifyKey stores a key's identity, where the client knows of identities.
func identifyKey(ctx context.Context, identity *tfsdk.ResourceIdentity, tenant, keySetID, kid string, diags *diag.Diagnostics) {
	if identity == nil {
		return
	}
	var stored keyIdentity
	if !identity.Raw.IsFullyNull() {
		diags.Append(identity.Get(ctx, &stored)...)
	}
	diags.Append(identity.Set(ctx, keyIdentity{newKeySetIdentity(stored.keySetIdentity, tenant, keySetID), types.StringValue(kid)})...)
}

// check refuses the identity of an import that can't be one, or is one in another tenant than the one
// signed in to, which is "" if nobody knows. It returns the tenant.
func (i keySetIdentity) check(ctx context.Context, data *providerData, tenant string, diags *diag.Diagnostics) string {
	if why := notAPathSegment(i.KeySetID.ValueString()); why != "" {
		diags.AddAttributeError(path.Root("key_set_id"), "Invalid import identity", fmt.Sprintf("%q can't name a key set: %s.", i.KeySetID.ValueString(), why))
	}
	want := i.TenantID.ValueString()
	switch {
	case want == "":
	case tenant == "" && auth.IsGUID(want):
		return data.sameTenant(ctx, i.KeySetID.ValueString(), madeState{TenantID: want}, diags)
	case !auth.IsGUID(want):
		diags.AddAttributeError(path.Root("tenant_id"), "Invalid import identity",
			fmt.Sprintf("%q isn't a tenant's GUID, such as 11111111-2222-3333-4444-555555555555. Leave tenant_id out to import from the tenant that the provider is signed in to.", want))
	case tenant != "" && !strings.EqualFold(want, tenant):
		diags.AddAttributeError(path.Root("tenant_id"), "Resource belongs to another tenant",
			fmt.Sprintf("The identity names tenant %s, but the provider is signed in to tenant %s. Nothing was imported. "+
				"Set the provider's tenant_id and credentials to those of tenant %s.", want, tenant, want))
	}
	return tenant
}
