// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	value := auth.Text{Value: "x"}
	about := map[string]string{ //nolint:gosec // arguments' names
		"certificate without client": "client_id", "secret without client": "client_id", "Azure DevOps without its address": "oidc_request_url",
		"use_oidc with nothing for it": "use_oidc", "AKS without its token": "use_aks_workload_identity",
	}
	request := auth.Config{ClientID: value, UseOIDC: true, OIDCRequestURL: "u", OIDCRequestToken: "t", UseCLI: true}
	for name, row := range map[string]struct {
		config auth.Config
		change func(*auth.Config)
		want   auth.Method
		lacks  []string // parts of the error
		hides  []string // not in it
	}{
		"certificate before secret":        {config: auth.Config{ClientID: value, Certificate: value, ClientSecret: value, UseCLI: true}, want: auth.MethodCertificate},
		"certificate without client":       {config: auth.Config{Certificate: value, UseCLI: true}, lacks: []string{"client certificate: lacks client_id"}, hides: []string{"Azure CLI"}},
		"secret before OIDC":               {config: request, change: func(c *auth.Config) { c.ClientSecret = auth.Text{Path: "f"} }, want: auth.MethodSecret},
		"secret without client":            {config: auth.Config{ClientSecret: value, UseCLI: true}, lacks: []string{"client secret: lacks client_id"}},
		"OIDC token before request":        {config: request, change: func(c *auth.Config) { c.OIDCToken = value }, want: auth.MethodOIDCToken},
		"OIDC token without use_oidc":      {config: auth.Config{ClientID: value, OIDCToken: value}, lacks: []string{"OIDC token: lacks use_oidc\n", "managed identity: lacks use_msi", "Azure CLI: lacks use_cli"}},
		"Azure DevOps before GitHub":       {config: request, change: func(c *auth.Config) { c.ServiceConnectionID = "s" }, want: auth.MethodAzureDevOps},
		"Azure DevOps without its address": {config: request, change: func(c *auth.Config) { c.ServiceConnectionID, c.OIDCRequestURL = "s", "" }, lacks: []string{"(Azure DevOps): lacks oidc_request_url"}, hides: []string{"GitHub"}},
		"GitHub":                           {config: request, want: auth.MethodGitHub},
		"use_oidc with nothing for it":     {config: auth.Config{ClientID: value, UseOIDC: true, UseMSI: true, UseCLI: true}, lacks: []string{"OIDC token: lacks oidc_token", "lacks ado_pipeline_service_connection_id", "(GitHub Actions): lacks oidc_request_url, oidc_request_token"}, hides: []string{"Azure CLI", "secret"}},
		"AKS before managed identity":      {config: auth.Config{ClientID: value, UseAKSWorkloadIdentity: true, FederatedTokenFile: "f", UseMSI: true}, want: auth.MethodAKS},
		"AKS without its token":            {config: auth.Config{ClientID: value, UseAKSWorkloadIdentity: true, UseCLI: true}, lacks: []string{"AKS workload identity: lacks AZURE_FEDERATED_TOKEN_FILE"}, hides: []string{"Azure CLI"}},
		"managed identity before the CLI":  {config: auth.Config{UseMSI: true, UseCLI: true}, want: auth.MethodManagedIdentity},
		"the CLI last":                     {config: auth.Config{ClientID: value, UseCLI: true}, want: auth.MethodCLI},
		"nothing":                          {lacks: []string{"client certificate: lacks client_certificate or client_certificate_path, client_id", "client secret: ", "OIDC token: ", "(Azure DevOps): ", "(GitHub Actions): ", "AKS workload identity: ", "managed identity: ", "Azure CLI: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.change != nil {
				row.change(&row.config)
			}
			got, err := auth.Select(row.config)
			if got != row.want || (err == nil) != (row.want != "") {
				t.Fatalf("got %q, %v", got, err)
			}
			var lacking *auth.NotConfigured
			if err != nil && !errors.As(err, &lacking) {
				t.Fatalf("got a %T", err)
			}
			if lacking != nil && lacking.Argument() != about[name] {
				t.Errorf("about %q", lacking.Argument())
			}
			for _, part := range row.lacks {
				if !strings.Contains(err.Error()+"\n", part) {
					t.Errorf("no %q in %v", part, err)
				}
			}
			for _, part := range row.hides {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%q in %v", part, err)
				}
			}
		})
	}
}

func TestText_Read(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, blank := filepath.Join(dir, "file"), filepath.Join(dir, "blank")
	for path, content := range map[string]string{file: " canary\n", blank: "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		text auth.Text
		want string
		err  string
	}{
		"nothing":   {},
		"value":     {text: auth.Text{Value: "v"}, want: "v"},
		"file":      {text: auth.Text{Path: file}, want: "canary"},
		"both":      {text: auth.Text{Value: "canary", Path: file}, want: "canary"},
		"different": {text: auth.Text{Value: "v", Path: file}, err: "differ"},
		"blank":     {text: auth.Text{Path: blank}, err: "is empty"},
		"missing":   {text: auth.Text{Path: filepath.Join(dir, "none")}, err: "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := row.text.Read()
			if got != row.want || (err == nil) != (row.err == "") {
				t.Fatalf("got %q, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), row.err) || strings.Contains(err.Error(), "canary")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
