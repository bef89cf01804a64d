// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const (
	deniedClient = "66666666-7777-8888-9999-000000000000"
	deniedObject = "77777777-7777-8888-9999-000000000000"
	deniedTenant = "11111111-2222-3333-4444-555555555555"
)

// denied is what a user sees of a 403 at an operation.
func denied(t *testing.T, needs string, caller *trustframework.Caller) string {
	t.Helper()
	var diags diag.Diagnostics
	addError(&diags, "Unable to create key", path.Empty(), &trustframework.Error{
		Op: "generate key", KeySetID: "B2C_1A_Signing", Kind: trustframework.KindDenied, Status: http.StatusForbidden, Code: "AADB2C", Message: "No.", RequestID: "r",
		Needs: needs, Caller: caller,
	})
	if len(diags) != 1 {
		t.Fatalf("got %v", diags)
	}
	return diags[0].Detail()
}

// TestDenied_AsPrinted is the whole text for each kind of caller that lacks the permission.
func TestDenied_AsPrinted(t *testing.T) {
	t.Parallel()
	const (
		before = "The service denied access to key set \"B2C_1A_Signing\". Nothing was changed.\n\nNo.\n\n"
		after  = "\n\nStatus: 403\nCode: AADB2C\nRequest ID: r"
	)
	for name, row := range map[string]struct {
		needs  string
		caller trustframework.Caller
		want   string
	}{
		"application": {
			trustframework.PermissionReadWrite,
			trustframework.Caller{ClientID: deniedClient, ObjectID: deniedObject, TenantID: deniedTenant, Permissions: []string{"Directory.Read.All", trustframework.PermissionRead}},
			`The token is for application 66666666-7777-8888-9999-000000000000 in tenant 11111111-2222-3333-4444-555555555555. Its application permissions: TrustFrameworkKeySet.Read.All, Directory.Read.All. This operation needs TrustFrameworkKeySet.ReadWrite.All.

To grant it, run this as an administrator of the tenant:

  az login --tenant 11111111-2222-3333-4444-555555555555 --allow-no-subscriptions
  az ad app permission add --id 66666666-7777-8888-9999-000000000000 --api 00000003-0000-0000-c000-000000000000 --api-permissions 4a771c9a-1cf2-4609-b88e-3d3e02d539cd=Role
  az ad app permission admin-consent --id 66666666-7777-8888-9999-000000000000

Then run Terraform again: only a new token has the permission.`,
		},
		"application that only reads": {
			trustframework.PermissionRead,
			trustframework.Caller{ClientID: deniedClient, TenantID: deniedTenant},
			`The token is for application 66666666-7777-8888-9999-000000000000 in tenant 11111111-2222-3333-4444-555555555555. Its application permissions: none. Reading needs TrustFrameworkKeySet.Read.All, or TrustFrameworkKeySet.ReadWrite.All, which applying needs too.

To grant it, run this as an administrator of the tenant:

  az login --tenant 11111111-2222-3333-4444-555555555555 --allow-no-subscriptions
  az ad app permission add --id 66666666-7777-8888-9999-000000000000 --api 00000003-0000-0000-c000-000000000000 --api-permissions fff194f1-7dce-4428-8301-1badb5518201=Role
  az ad app permission admin-consent --id 66666666-7777-8888-9999-000000000000

Then run Terraform again: only a new token has the permission.`,
		},
		"managed identity": {
			trustframework.PermissionReadWrite,
			trustframework.Caller{ClientID: deniedClient, ObjectID: deniedObject, TenantID: deniedTenant, Graph: "https://graph.microsoft.us", ManagedIdentity: true},
			`The token is for managed identity 66666666-7777-8888-9999-000000000000 in tenant 11111111-2222-3333-4444-555555555555. Its application permissions: none. This operation needs TrustFrameworkKeySet.ReadWrite.All.

To grant it, run this in a POSIX shell as an administrator of the tenant (a managed identity has no application registration):

  az login --tenant 11111111-2222-3333-4444-555555555555 --allow-no-subscriptions
  GRAPH=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id --output tsv)
  az rest --method POST --url https://graph.microsoft.us/v1.0/servicePrincipals/77777777-7777-8888-9999-000000000000/appRoleAssignments --headers Content-Type=application/json --body '{"principalId":"77777777-7777-8888-9999-000000000000","resourceId":"'$GRAPH'","appRoleId":"4a771c9a-1cf2-4609-b88e-3d3e02d539cd"}'

Azure keeps the tokens of a managed identity, so that it can take hours until one has the permission.`,
		},
		"user": {
			trustframework.PermissionReadWrite,
			trustframework.Caller{ClientID: deniedClient, TenantID: deniedTenant, Permissions: []string{"Directory.AccessAsUser.All", "User.Read"}, Delegated: true},
			`The token is for a user of application 66666666-7777-8888-9999-000000000000 in tenant 11111111-2222-3333-4444-555555555555. Its delegated permissions: Directory.AccessAsUser.All, User.Read. This operation needs TrustFrameworkKeySet.ReadWrite.All.

Which permissions a user's login with the Azure CLI has is up to Microsoft, and nobody in the tenant can add to them. Sign in as an application that has the application permission TrustFrameworkKeySet.ReadWrite.All: set client_id and its secret, certificate or OIDC token, or sign the Azure CLI in as it:

  az login --service-principal --username CLIENT_ID --tenant 11111111-2222-3333-4444-555555555555 --allow-no-subscriptions`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := denied(t, row.needs, &row.caller); got != before+row.want+after {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}

func TestDenied_SaysNoMoreThanIsKnown(t *testing.T) {
	t.Parallel()
	const grants = "az ad app permission|az rest|Grant the application|az login"
	for name, row := range map[string]struct {
		caller    *trustframework.Caller
		want, not string // parts, separated by bars
	}{
		"opaque token":           {nil, "Grant the application the application permission TrustFrameworkKeySet.ReadWrite.All|admin consent", "az |The token is for"},
		"it has the permission":  {&trustframework.Caller{ClientID: deniedClient, Permissions: []string{trustframework.PermissionReadWrite}}, "granting it again doesn't help", grants},
		"the identity has it":    {&trustframework.Caller{ManagedIdentity: true, Permissions: []string{trustframework.PermissionReadWrite}}, "granting it again doesn't help", grants},
		"the user has it":        {&trustframework.Caller{Delegated: true, Permissions: []string{trustframework.PermissionReadWrite}}, "B2C IEF Keyset Administrator", grants},
		"no claims":              {&trustframework.Caller{}, "application (unknown) in tenant (unknown)|permissions: none|az login --tenant TENANT_ID |--id CLIENT_ID ", ""},
		"no claims, identity":    {&trustframework.Caller{ManagedIdentity: true}, "https://graph.microsoft.com/v1.0/servicePrincipals/OBJECT_ID/|\"OBJECT_ID\"", ""},
		"odd claims":             {&trustframework.Caller{ClientID: "$(reboot)", TenantID: "`reboot`"}, "--tenant TENANT_ID |--id CLIENT_ID ", "--id $|--tenant `"},
		"another's Graph":        {&trustframework.Caller{ManagedIdentity: true, Graph: "https://evil.example"}, "--url https://graph.microsoft.com/v1.0/", "evil"},
		"a cloud's Graph":        {&trustframework.Caller{ManagedIdentity: true, Graph: "https://microsoftgraph.chinacloudapi.cn"}, "--url https://microsoftgraph.chinacloudapi.cn/v1.0/", "graph.microsoft.com"},
		"claims for a terminal":  {&trustframework.Caller{ClientID: "\x1b[2K", TenantID: "\nNo changes.", Permissions: []string{"\x1b[31m", "Directory.Read.All", "a\nb"}}, "application (unknown) in tenant (unknown). Its application permissions: Directory.Read.All. ", "\x1b|No changes|a\nb"},
		"odd claims of a user's": {&trustframework.Caller{TenantID: "`reboot`", Delegated: true}, "--tenant TENANT_ID ", "--tenant `"},
		"many permissions": {
			&trustframework.Caller{ClientID: deniedClient, Permissions: []string{"A", "B", "C", "D", "E", "F", "G", trustframework.PermissionRead}},
			"permissions: TrustFrameworkKeySet.Read.All, A, B, C, D, E, and 2 more. ", "F, ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := denied(t, trustframework.PermissionReadWrite, row.caller)
			for part := range strings.SplitSeq(row.want+"|Nothing was changed.|Status: 403", "|") {
				if !strings.Contains(got, part) {
					t.Errorf("lacks %q:\n%s", part, got)
				}
			}
			for part := range strings.SplitSeq(row.not, "|") {
				if part != "" && strings.Contains(got, part) {
					t.Errorf("has %q:\n%s", part, got)
				}
			}
		})
	}
}
