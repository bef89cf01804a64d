// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
)

// TestProviderConfig_SignIn_IsSelectedFromConfigurationAndEnvironment shows what people and services set, and which
// way of signing in comes of it.
func TestProviderConfig_SignIn_IsSelectedFromConfigurationAndEnvironment(t *testing.T) {
	t.Parallel()
	const id, other = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	yes, no, text := types.BoolValue(true), types.BoolValue(false), types.StringValue
	application := map[string]string{"ARM_CLIENT_ID": id}
	secret := map[string]string{"ARM_CLIENT_ID": id, "ARM_CLIENT_SECRET": "s"}
	certificate := map[string]string{"ARM_CLIENT_ID": id, "ARM_CLIENT_CERTIFICATE_PATH": "/c.pfx", "ARM_CLIENT_CERTIFICATE_PASSWORD": "p"}
	gitHub := map[string]string{"ARM_CLIENT_ID": id, "ARM_USE_OIDC": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://g", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"} //nolint:gosec // nobody's
	azureDevOps := map[string]string{
		"ARM_CLIENT_ID": id, "ARM_USE_OIDC": "true", "SYSTEM_OIDCREQUESTURI": "https://d", "SYSTEM_ACCESSTOKEN": "t", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": "c",
	}
	hcp := map[string]string{"ARM_CLIENT_ID": id, "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "t"}
	pod := map[string]string{"AZURE_CLIENT_ID": id, "AZURE_TENANT_ID": "contoso.example", "AZURE_FEDERATED_TOKEN_FILE": "/token"}

	for name, row := range map[string]struct {
		config      providerModel
		environment map[string]string
		without     string // a variable that environment lacks after all
		want        auth.Method
		check       func(auth.Config) bool
		summary     string // of the one error, about an argument
		argument    string
		texts       []string
	}{
		// A laptop.
		"nothing but the tenant":                     {want: auth.MethodCLI},
		"a client and no more":                       {environment: application, want: auth.MethodCLI},
		"no Azure CLI":                               {config: providerModel{UseCLI: no}, summary: "No way of signing in is configured", texts: []string{"client secret: lacks client_secret or client_secret_file_path, client_id", "Azure CLI: lacks use_cli"}},
		"no Azure CLI, by its variable":              {environment: map[string]string{"ARM_USE_CLI": "false"}, summary: "No way of signing in is configured"},
		"the CLI is no match for what is configured": {config: providerModel{UseCLI: yes}, environment: secret, want: auth.MethodSecret},

		// A client secret.
		"secret of the environment":   {environment: secret, want: auth.MethodSecret},
		"secret of the configuration": {config: providerModel{ClientID: text(id), ClientSecret: text("mine")}, environment: map[string]string{"ARM_CLIENT_ID": other, "ARM_CLIENT_SECRET": "s"}, want: auth.MethodSecret, check: func(c auth.Config) bool { return c.ClientID.Value == id && c.ClientSecret.Value == "mine" }},
		"secret and client in files":  {config: providerModel{ClientIDFilePath: text("/id"), ClientSecretFilePath: text("/secret")}, want: auth.MethodSecret, check: func(c auth.Config) bool { return c.ClientID.Path == "/id" && c.ClientSecret.Path == "/secret" }},
		"files by their variables":    {environment: map[string]string{"ARM_CLIENT_ID_FILE_PATH": "/id", "ARM_CLIENT_SECRET_FILE_PATH": "/secret"}, want: auth.MethodSecret},
		"secret without client":       {environment: secret, without: "ARM_CLIENT_ID", summary: "Incomplete sign-in configuration", argument: "client_id", texts: []string{"client secret, so that no other way", "lacks client_id"}},
		"an empty secret is none":     {config: providerModel{ClientSecret: text("")}, environment: application, want: auth.MethodCLI},

		// A certificate.
		"certificate file":            {environment: certificate, want: auth.MethodCertificate, check: func(c auth.Config) bool { return c.Certificate.Path == "/c.pfx" && c.CertificatePassword == "p" }},
		"certificate itself":          {environment: map[string]string{"ARM_CLIENT_ID": id, "ARM_CLIENT_CERTIFICATE": "AAAA"}, want: auth.MethodCertificate},
		"certificate before a secret": {config: providerModel{ClientCertificatePath: text("/c.pem")}, environment: secret, want: auth.MethodCertificate},
		"certificate without client":  {environment: certificate, without: "ARM_CLIENT_ID", summary: "Incomplete sign-in configuration", argument: "client_id"},

		// Workflows and pipelines.
		"GitHub Actions":                          {environment: gitHub, want: auth.MethodGitHub, check: func(c auth.Config) bool { return c.OIDCRequestURL == "https://g" && c.OIDCRequestToken == "t" }},
		"GitHub Actions, use_oidc configured":     {config: providerModel{UseOIDC: yes}, environment: gitHub, without: "ARM_USE_OIDC", want: auth.MethodGitHub},
		"GitHub Actions without use_oidc":         {environment: gitHub, without: "ARM_USE_OIDC", want: auth.MethodCLI},
		"GitHub Actions without use_oidc and CLI": {config: providerModel{UseCLI: no}, environment: gitHub, without: "ARM_USE_OIDC", summary: "No way of signing in is configured", texts: []string{"OIDC request (GitHub Actions): lacks use_oidc\n"}},
		"GitHub Actions without id-token: write":  {environment: gitHub, without: "ACTIONS_ID_TOKEN_REQUEST_URL", summary: "Incomplete sign-in configuration", argument: "use_oidc", texts: []string{"OIDC request (GitHub Actions): lacks oidc_request_url"}},
		"use_oidc turned off":                     {config: providerModel{UseOIDC: no}, environment: gitHub, want: auth.MethodCLI},
		"a secret before GitHub Actions":          {config: providerModel{ClientSecret: text("s")}, environment: gitHub, want: auth.MethodSecret},
		"Azure DevOps":                            {environment: azureDevOps, want: auth.MethodAzureDevOps, check: func(c auth.Config) bool { return c.ServiceConnectionID == "c" && c.OIDCRequestURL == "https://d" }},
		"Azure DevOps by the other variable":      {environment: with(azureDevOps, "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID", "c"), without: "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", want: auth.MethodAzureDevOps},
		"Azure DevOps without its access token":   {environment: azureDevOps, without: "SYSTEM_ACCESSTOKEN", summary: "Incomplete sign-in configuration", argument: "oidc_request_token", texts: []string{"OIDC request (Azure DevOps): lacks oidc_request_token"}},
		"the first of the names of a variable":    {environment: with(gitHub, "ARM_OIDC_REQUEST_URL", "https://a", "SYSTEM_OIDCREQUESTURI", "https://d"), want: auth.MethodGitHub, check: func(c auth.Config) bool { return c.OIDCRequestURL == "https://a" }},

		// HCP Terraform, as its documentation has it.
		"HCP Terraform's default":            {environment: hcp, want: auth.MethodOIDCToken, check: func(c auth.Config) bool { return c.OIDCToken.Value == "t" && c.ClientID.Value == id }},
		"HCP Terraform's tagged":             {config: providerModel{UseCLI: no, UseOIDC: yes, ClientIDFilePath: text("/id"), OIDCTokenFilePath: text("/token")}, want: auth.MethodOIDCToken, check: func(c auth.Config) bool { return c.OIDCToken.Path == "/token" && c.ClientID.Path == "/id" }},
		"a token in a file, by its variable": {environment: with(hcp, "ARM_OIDC_TOKEN_FILE_PATH", "/token"), without: "ARM_OIDC_TOKEN", want: auth.MethodOIDCToken},
		"a token before a request":           {environment: with(gitHub, "ARM_OIDC_TOKEN", "t"), want: auth.MethodOIDCToken},
		"a token without client":             {environment: hcp, without: "ARM_CLIENT_ID", summary: "Incomplete sign-in configuration", argument: "client_id", texts: []string{"OIDC token: lacks client_id"}},

		// A pod.
		"AKS": {config: providerModel{UseAKSWorkloadIdentity: yes, TenantID: text("")}, environment: pod, want: auth.MethodAKS, check: func(c auth.Config) bool {
			return c.ClientID.Value == id && c.TenantID == "contoso.example" && c.FederatedTokenFile == "/token"
		}},
		"AKS by its variable":    {environment: with(pod, "ARM_USE_AKS_WORKLOAD_IDENTITY", "true"), want: auth.MethodAKS},
		"AKS with equal ids":     {config: providerModel{UseAKSWorkloadIdentity: yes, ClientID: text(id)}, environment: pod, want: auth.MethodAKS},
		"AKS with another id":    {config: providerModel{UseAKSWorkloadIdentity: yes, ClientID: text(other)}, environment: pod, summary: "Invalid provider argument client_id", argument: "client_id", texts: []string{"AZURE_CLIENT_ID has another value"}},
		"AKS without a token":    {config: providerModel{UseAKSWorkloadIdentity: yes}, environment: pod, without: "AZURE_FEDERATED_TOKEN_FILE", summary: "Incomplete sign-in configuration", argument: "use_aks_workload_identity", texts: []string{"lacks AZURE_FEDERATED_TOKEN_FILE"}},
		"a pod that isn't asked": {environment: pod, want: auth.MethodCLI, check: func(c auth.Config) bool { return c.ClientID == auth.Text{} }},

		// A machine.
		"managed identity":                {config: providerModel{UseMSI: yes}, want: auth.MethodManagedIdentity},
		"a user-assigned one":             {environment: with(application, "ARM_USE_MSI", "true"), want: auth.MethodManagedIdentity, check: func(c auth.Config) bool { return c.ClientID.Value == id }},
		"a secret before the machine":     {config: providerModel{UseMSI: yes}, environment: secret, want: auth.MethodSecret},
		"a pod before the machine":        {config: providerModel{UseMSI: yes, UseAKSWorkloadIdentity: yes}, environment: pod, want: auth.MethodAKS},
		"GitHub Actions before a machine": {config: providerModel{UseMSI: yes}, environment: gitHub, want: auth.MethodGitHub},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment := with(row.environment)
			delete(environment, row.without)
			if row.config.TenantID.IsNull() {
				row.config.TenantID = text("contoso.example")
			}
			var diags diag.Diagnostics
			s := row.config.settings(func(name string) string { return environment[name] }, &diags)
			if row.summary == "" {
				got, err := auth.Select(s.auth)
				if got != row.want || err != nil || diags.HasError() {
					t.Fatalf("got %q, %v, %v", got, err, diags)
				}
				if row.check != nil && !row.check(s.auth) {
					t.Error("selected, but not with these values")
				}
				return
			}
			if len(diags) != 1 || diags[0].Summary() != row.summary {
				t.Fatalf("got %v", diags)
			}
			if row.argument != "" {
				checkAttributeErrors(t, diags)
				if located, ok := diags[0].(diag.DiagnosticWithPath); !ok || located.Path().String() != row.argument {
					t.Errorf("about %v", diags[0])
				}
			}
			for _, part := range row.texts {
				if !strings.Contains(diags[0].Detail()+"\n", part) {
					t.Errorf("no %q in %s", part, diags[0].Detail())
				}
			}
		})
	}
}

// with returns a copy of variables with more of them.
func with(variables map[string]string, more ...string) map[string]string {
	changed := map[string]string{}
	maps.Copy(changed, variables)
	for i := 0; i+1 < len(more); i += 2 {
		changed[more[i]] = more[i+1]
	}
	return changed
}
