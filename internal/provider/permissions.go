// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// graphAppID is the application ID of Microsoft Graph in each tenant and cloud (documented).
const graphAppID = "00000003-0000-0000-c000-000000000000"

// roleID is the ID of an application permission (source: Microsoft Graph permissions reference).
func roleID(permission string) string {
	if permission == trustframework.PermissionRead {
		return "fff194f1-7dce-4428-8301-1badb5518201"
	}
	return "4a771c9a-1cf2-4609-b88e-3d3e02d539cd"
}

// permissionAdvice tells what permissions a denied request's token has, which one it needs, and the commands that grant it.
func permissionAdvice(e *trustframework.Error) string {
	c := e.Caller
	if c == nil {
		return "Grant the application the application permission TrustFrameworkKeySet.ReadWrite.All of Microsoft Graph " +
			"(TrustFrameworkKeySet.Read.All is enough to plan and for data sources), with admin consent in the B2C tenant."
	}
	p := paragraphs{}
	needs := "This operation needs " + e.Needs + "."
	if e.Needs == trustframework.PermissionRead {
		needs = fmt.Sprintf("Reading needs %s, or %s, which applying needs too.", trustframework.PermissionRead, trustframework.PermissionReadWrite)
	}
	p.add("%s %s", callerText(c), needs)
	switch {
	case c.Has(e.Needs) && c.Delegated:
		p.add("The user needs a role in the tenant besides: B2C IEF Keyset Administrator is the least privileged that is enough.")
	case c.Has(e.Needs):
		p.add("The token has the permission already, so that granting it again doesn't help. Go by the words of the answer: if they aren't " +
			"Microsoft Graph's, something between here and there has refused. Microsoft's support asks for the IDs below.")
	case c.Delegated:
		p.add("Which permissions a user's login with the Azure CLI has is up to Microsoft, and nobody in the tenant can add to them. "+
			"Sign in as an application that has the application permission %s: set client_id and its secret, certificate or OIDC token, or sign the Azure CLI in as it:", e.Needs)
		p.add("  az login --service-principal --username CLIENT_ID --tenant %s --allow-no-subscriptions", guidOr(c.TenantID, "TENANT_ID"))
	case c.ManagedIdentity:
		p.add("To grant it, run this in a POSIX shell as an administrator of the tenant (a managed identity has no application registration):")
		p.add("%s", strings.Join([]string{
			loginCommand(c),
			"  GRAPH=$(az ad sp show --id " + graphAppID + " --query id --output tsv)",
			fmt.Sprintf(`  az rest --method POST --url %s/v1.0/servicePrincipals/%s/appRoleAssignments --headers Content-Type=application/json --body '{"principalId":"%s","resourceId":"'$GRAPH'","appRoleId":"%s"}'`,
				graphOf(c), guidOr(c.ObjectID, "OBJECT_ID"), guidOr(c.ObjectID, "OBJECT_ID"), roleID(e.Needs)),
		}, "\n"))
		p.add("Azure keeps the tokens of a managed identity, so that it can take hours until one has the permission.")
	default:
		id := guidOr(c.ClientID, "CLIENT_ID")
		p.add("To grant it, run this as an administrator of the tenant:")
		p.add("%s", strings.Join([]string{
			loginCommand(c),
			fmt.Sprintf("  az ad app permission add --id %s --api %s --api-permissions %s=Role", id, graphAppID, roleID(e.Needs)),
			"  az ad app permission admin-consent --id " + id,
		}, "\n"))
		p.add("Then run Terraform again: only a new token has the permission.")
	}
	return p.String()
}

// callerText says who was denied and what their token has.
func callerText(c *trustframework.Caller) string {
	who, kind := "application", "application permissions"
	switch {
	case c.Delegated:
		who, kind = "a user of application", "delegated permissions"
	case c.ManagedIdentity:
		who = "managed identity"
	}
	return fmt.Sprintf("The token is for %s %s in tenant %s. Its %s: %s.", who, guidOr(c.ClientID, "(unknown)"), guidOr(c.TenantID, "(unknown)"), kind, permissionList(c.Permissions))
}

// permissionList lists the permissions, those that matter here first, and no more than fit to read. What has another form
// than a permission's name is left out.
func permissionList(permissions []string) string {
	const most = 6
	var form *redact.Secrets // only the form counts: the names are the service's
	list := slices.DeleteFunc(slices.Clone(permissions), func(name string) bool { return form.ID(name) == "" })
	if len(list) == 0 {
		return "none"
	}
	slices.SortStableFunc(list, func(a, b string) int {
		rank := func(name string) int {
			if strings.HasPrefix(name, "TrustFrameworkKeySet.") {
				return 0
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	if rest := len(list) - most; rest > 0 {
		list = append(list[:most], fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(list, ", ")
}

func loginCommand(c *trustframework.Caller) string {
	return "  az login --tenant " + guidOr(c.TenantID, "TENANT_ID") + " --allow-no-subscriptions"
}

// graphOf returns the Graph that a caller's token is for, if it is that of a cloud, and that of the public cloud otherwise:
// "az rest" sends a token of the administrator to it, and what it is made of is an answer.
func graphOf(c *trustframework.Caller) string {
	clouds := auth.Environments()
	for _, cloud := range clouds {
		if c.Graph == cloud.GraphEndpoint {
			return c.Graph
		}
	}
	return clouds[0].GraphEndpoint
}

// guidOr lets nothing but a GUID into a command that people copy.
func guidOr(text, placeholder string) string {
	if auth.IsGUID(text) {
		return text
	}
	return placeholder
}
