// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// setUp is one way of signing in, as a user has it: what the provider block has, and what the environment.
type setUp struct {
	block     []string
	variables map[string]string
	// secrets must show nowhere.
	secrets []string
	// done is asked after an apply, if it is there.
	done func() error
}

// signingIn prepares a configuration with one key set and one key, for a provider that is a process of its own and
// is told where the tenant is. Its log goes to the returned file.
func (w *world) signingIn(t *testing.T, s setUp) (tf *client, log string) {
	t.Helper()
	variables := w.Variables()
	for _, name := range []string{"ARM_CLIENT_ID", "ARM_CLIENT_SECRET"} {
		delete(variables, name)
	}
	log = filepath.Join(t.TempDir(), "log")
	maps.Copy(variables, map[string]string{"TF_LOG": "TRACE", "TF_LOG_PATH": log})
	maps.Copy(variables, s.variables)
	block := "provider \"trustframework\" {\n  " + strings.Join(s.block, "\n  ") + "\n}\n"
	return ownProcess(t, block+keyConfig(), variables), log
}

// content writes a file for this test.
func content(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAccSignIn_EveryMethod_MakesAKey: each way of signing in, as the guides set it up, applies a key and then plans
// nothing, and its secrets show nowhere.
func TestAccSignIn_EveryMethod_MakesAKey(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		method string
		setUp  func(t *testing.T, w *world) setUp
	}{
		"client secret": {"client secret", func(_ *testing.T, w *world) setUp {
			return setUp{variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_CLIENT_SECRET": w.ClientSecret()}, secrets: []string{w.ClientSecret()}}
		}},
		"client secret and client id in files": {"client secret", func(t *testing.T, w *world) setUp {
			t.Helper()
			return setUp{
				block:   []string{fmt.Sprintf("client_id_file_path = %q", content(t, w.ClientID()+"\n")), fmt.Sprintf("client_secret_file_path = %q", content(t, w.ClientSecret()+"\n"))},
				secrets: []string{w.ClientSecret()},
			}
		}},
		"certificate in a variable": {"client certificate", func(t *testing.T, w *world) setUp {
			t.Helper()
			c := newClientCertificate(t, time.Hour)
			w.AddCertificate(c.certificate)
			return withCertificate(t, w, c)
		}},
		"certificate in a PKCS#12 file": {"client certificate", func(t *testing.T, w *world) setUp {
			t.Helper()
			c := newClientCertificate(t, time.Hour)
			w.AddCertificate(c.certificate)
			return setUp{
				block:     []string{fmt.Sprintf("client_id = %q", w.ClientID()), fmt.Sprintf("client_certificate_path = %q", content(t, string(c.pkcs12(t, pkcs12.LegacyDES))))},
				variables: map[string]string{"ARM_CLIENT_CERTIFICATE_PASSWORD": c.password},
				secrets:   []string{c.password},
			}
		}},
		"certificate in PEM": {"client certificate", func(t *testing.T, w *world) setUp {
			t.Helper()
			c := newClientCertificate(t, time.Hour)
			w.AddCertificate(c.certificate)
			return setUp{
				block:   []string{fmt.Sprintf("client_id = %q", w.ClientID()), fmt.Sprintf("client_certificate_path = %q", content(t, c.pem(t)))},
				secrets: []string{"PRIVATE KEY"},
			}
		}},
		"HCP Terraform's default": {"OIDC token", func(t *testing.T, w *world) setUp {
			t.Helper()
			token := hcpTerraform(t, w)
			return setUp{variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": token}, secrets: []string{token}}
		}},
		"HCP Terraform's tagged": {"OIDC token", func(t *testing.T, w *world) setUp {
			t.Helper()
			token := hcpTerraform(t, w)
			return setUp{
				block: []string{
					"use_cli = false", "use_oidc = true",
					fmt.Sprintf("client_id_file_path = %q", content(t, w.ClientID())), fmt.Sprintf("oidc_token_file_path = %q", content(t, token)),
				},
				secrets: []string{token},
			}
		}},
		"GitHub Actions": {"OIDC request (GitHub Actions)", func(t *testing.T, w *world) setUp {
			t.Helper()
			return withGitHub(t, w, "repo:octo/infra:ref:refs/heads/main")
		}},
		"Azure DevOps": {"OIDC request (Azure DevOps)", func(t *testing.T, w *world) setUp {
			t.Helper()
			a := w.AzureDevOps(t)
			w.AddFederatedCredential(emulator.FederatedCredential{Issuer: a.URL, Subject: a.Subject, Audience: acctest.ExchangeAudience})
			variables := a.Variables()
			maps.Copy(variables, map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_USE_OIDC": "true", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": a.ServiceConnectionID})
			return setUp{variables: variables, secrets: []string{variables["SYSTEM_ACCESSTOKEN"]}}
		}},
		"AKS": {"AKS workload identity", func(t *testing.T, w *world) setUp {
			t.Helper()
			cluster, subject := w.NewIssuer(t, "https://oidc.prod-aks.azure.example/cluster/"), "system:serviceaccount:terraform:runner"
			w.AddFederatedCredential(emulator.FederatedCredential{Issuer: cluster.URL, Subject: subject, Audience: acctest.ExchangeAudience})
			token := cluster.Token(subject, []string{acctest.ExchangeAudience})
			return setUp{
				block: []string{"use_aks_workload_identity = true"},
				variables: map[string]string{
					"ARM_TENANT_ID": "", "AZURE_CLIENT_ID": w.ClientID(), "AZURE_TENANT_ID": w.ID(), "AZURE_FEDERATED_TOKEN_FILE": content(t, token),
				},
				secrets: []string{token},
			}
		}},
		"managed identity": {"managed identity", func(t *testing.T, w *world) setUp {
			t.Helper()
			m := w.ManagedIdentity(t, w.Tenant)
			return setUp{
				block:     []string{"use_msi = true", fmt.Sprintf("client_id = %q", m.ClientID)},
				variables: m.Variables(), secrets: []string{m.Variables()["IDENTITY_HEADER"]},
				done: func() error { return wantCount("requests of the identity", m.Asked(), 1) },
			}
		}},
		"Azure CLI": {"Azure CLI", func(t *testing.T, w *world) setUp {
			t.Helper()
			az := w.AzureCLI(t, w.Tenant, emulator.Identity{})
			return setUp{variables: map[string]string{"PATH": az.Dir() + string(os.PathListSeparator) + os.Getenv("PATH")}, done: func() error {
				return wantCount("calls of az", len(az.Calls()), 1)
			}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newRealWorld(t)
			s := row.setUp(t, w)
			tf, log := w.signingIn(t, s)
			o := tf.apply(true)
			if len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			if s.done != nil {
				if err := s.done(); err != nil {
					t.Error(err)
				}
			}
			if n := len(w.Requests(emulator.OpGenerateKey)); n != 1 || len(w.keys("B2C_1A_Signing")) != 1 {
				t.Errorf("%d requests made %v", n, w.keys("B2C_1A_Signing"))
			}
			plan, changes := tf.plan()
			if changes || len(plan.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, plan.diagnostics)
			}
			text, err := os.ReadFile(log)
			if err != nil || !strings.Contains(string(text), fmt.Sprintf("method=%q", row.method)) && !strings.Contains(string(text), "method="+row.method+" ") {
				t.Errorf("the log doesn't say how: %v", err)
			}
			for _, secret := range s.secrets {
				if strings.Contains(string(text)+o.stdout+o.stderr+plan.stdout+plan.stderr, secret) {
					t.Error("a secret shows")
				}
			}
		})
	}
}

// hcpTerraform is the ID token of a run that the tenant's application trusts.
func hcpTerraform(t *testing.T, w *world) string {
	t.Helper()
	i, subject := w.NewIssuer(t, "https://app.terraform.io"), "organization:contoso:project:identity:workspace:b2c:run_phase:apply"
	w.AddFederatedCredential(emulator.FederatedCredential{Issuer: i.URL, Subject: subject, Audience: acctest.ExchangeAudience})
	return i.Token(subject, acctest.ExchangeAudience)
}

func wantCount(what string, got, want int) error {
	if got != want {
		return fmt.Errorf("%d %s, want %d", got, what, want)
	}
	return nil
}

// TestAccSignIn_WrongSetUp_IsToldAndFallsThroughToNothing: each mistake ends in its own error, at once, and a
// developer's login that would do is not used in its place.
func TestAccSignIn_WrongSetUp_IsToldAndFallsThroughToNothing(t *testing.T) {
	t.Parallel()
	const elsewhere = "99999999-9999-9999-9999-999999999999"
	for name, row := range map[string]struct {
		setUp   func(t *testing.T, w *world) setUp
		summary string
		texts   []string
		sent    bool // whether anything was sent to the token endpoint or Graph
	}{
		"expired certificate": {func(t *testing.T, w *world) setUp {
			t.Helper()
			return withCertificate(t, w, newClientCertificate(t, -time.Hour))
		}, "Invalid provider argument client_certificate", []string{"expired at"}, false},
		"wrong password": {func(t *testing.T, w *world) setUp {
			t.Helper()
			s := withCertificate(t, w, newClientCertificate(t, time.Hour))
			s.variables["ARM_CLIENT_CERTIFICATE_PASSWORD"] = "canary-password"
			return s
		}, "Invalid provider argument client_certificate_password", []string{"doesn't open"}, false},
		"certificate of nobody": {func(t *testing.T, w *world) setUp {
			t.Helper()
			return withCertificate(t, w, newClientCertificate(t, time.Hour))
		}, "Unable to sign in", []string{"AADSTS700027", "The key was not found", "az ad app credential list --cert"}, true},
		"value and file differ": {func(t *testing.T, w *world) setUp {
			t.Helper()
			return setUp{block: []string{fmt.Sprintf("client_secret_file_path = %q", content(t, "canary-secret"))}, variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_CLIENT_SECRET": w.ClientSecret()}}
		}, "Invalid provider argument client_secret", []string{"differ"}, false},
		"bad audience": {func(t *testing.T, w *world) setUp {
			t.Helper()
			s := withGitHub(t, w, "repo:octo/infra:ref:refs/heads/main")
			s.variables["ACTIONS_ID_TOKEN_REQUEST_URL"] += "&audience=api%3A%2F%2Fother"
			return s
		}, "Unable to sign in", []string{"AADSTS700212", "audience 'api://other'", "az ad app federated-credential list"}, true},
		"another branch": {func(t *testing.T, w *world) setUp {
			t.Helper()
			return withGitHub(t, w, "repo:octo/infra:ref:refs/heads/other")
		}, "Unable to sign in", []string{"AADSTS700213", "subject 'repo:octo/infra:ref:refs/heads/main'", "az ad app federated-credential list"}, true},
		"a request token of yesterday": {func(t *testing.T, w *world) setUp {
			t.Helper()
			s := withGitHub(t, w, "repo:octo/infra:ref:refs/heads/main")
			s.variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "canary-request"
			return s
		}, "Unable to sign in", []string{"refused the OIDC request with status 401", "The request token is invalid."}, false},
		"missing variable": {func(t *testing.T, w *world) setUp {
			t.Helper()
			s := withGitHub(t, w, "repo:octo/infra:ref:refs/heads/main")
			delete(s.variables, "ACTIONS_ID_TOKEN_REQUEST_URL")
			return s
		}, "Incomplete sign-in configuration", []string{"OIDC request (GitHub Actions): lacks oidc_request_url", "id-token: write"}, false},
		"another service connection": {func(t *testing.T, w *world) setUp {
			t.Helper()
			variables := w.AzureDevOps(t).Variables()
			maps.Copy(variables, map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_USE_OIDC": "true", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": elsewhere})
			return setUp{variables: variables}
		}, "Unable to sign in", []string{"OIDC request (Azure DevOps)", "status 404", "The service connection does not exist"}, false},
		"an access token of yesterday": {func(t *testing.T, w *world) setUp {
			t.Helper()
			a := w.AzureDevOps(t)
			variables := a.Variables()
			maps.Copy(variables, map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_USE_OIDC": "true", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": a.ServiceConnectionID, "SYSTEM_ACCESSTOKEN": "canary-access"})
			return setUp{variables: variables}
		}, "Unable to sign in", []string{"refused the OIDC request with status 401"}, false},
		"an ID token that has ended": {func(t *testing.T, w *world) setUp {
			t.Helper()
			token := hcpTerraform(t, w)
			w.Server.Advance(time.Hour)
			return setUp{variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": token}}
		}, "Unable to sign in", []string{"AADSTS700024", "An ID token lasts minutes"}, true},
		"a pod without a token": {func(_ *testing.T, w *world) setUp {
			return setUp{block: []string{"use_aks_workload_identity = true"}, variables: map[string]string{"AZURE_CLIENT_ID": w.ClientID(), "AZURE_TENANT_ID": w.ID(), "AZURE_FEDERATED_TOKEN_FILE": "/nowhere"}}
		}, "Invalid environment variable AZURE_FEDERATED_TOKEN_FILE", []string{"can't be read"}, false},
		"a machine of another tenant": {func(t *testing.T, w *world) setUp {
			t.Helper()
			m := w.ManagedIdentity(t, w.Server.NewTenant(emulator.TenantConfig{ID: elsewhere}))
			return setUp{block: []string{"use_msi = true", fmt.Sprintf("client_id = %q", m.ClientID)}, variables: m.Variables()}
		}, "Unable to sign in", []string{"managed identity", elsewhere, "home tenant"}, false},
		"another identity": {func(t *testing.T, w *world) setUp {
			t.Helper()
			m := w.ManagedIdentity(t, w.Tenant)
			return setUp{block: []string{"use_msi = true"}, variables: m.Variables()}
		}, "Unable to sign in", []string{"managed identity", "The answer has status 400. It says: No User Assigned or Delegated Managed Identity found"}, false},
		"az of another tenant": {func(t *testing.T, w *world) setUp {
			t.Helper()
			az := w.AzureCLI(t, w.Server.NewTenant(emulator.TenantConfig{ID: elsewhere}), emulator.Identity{})
			return setUp{variables: map[string]string{"PATH": az.Dir()}}
		}, "Unable to sign in", []string{"Azure CLI", elsewhere, "az login --tenant"}, false},
		"az without a login": {func(t *testing.T, w *world) setUp {
			t.Helper()
			return setUp{variables: map[string]string{"PATH": w.AzureCLIWithoutLogin(t).Dir()}}
		}, "Unable to sign in", []string{"Azure CLI", "Please run 'az login' to setup account."}, false},
		"no az": {func(t *testing.T, _ *world) setUp {
			t.Helper()
			return setUp{variables: map[string]string{"PATH": t.TempDir()}}
		}, "Unable to sign in", []string{"Azure CLI", "not found on path", "no other way of signing in is configured", "client secret: lacks client_secret or client_secret_file_path, client_id"}, false},
		"missing role of a machine": {func(t *testing.T, w *world) setUp {
			t.Helper()
			w.SetRoles(emulator.RoleRead)
			m := w.ManagedIdentity(t, w.Tenant)
			return setUp{block: []string{"use_msi = true", fmt.Sprintf("client_id = %q", m.ClientID)}, variables: m.Variables()}
		}, "Unable to create key set", []string{"TrustFrameworkKeySet.ReadWrite.All", "appRoleAssignments", "Status: 403"}, true},
		"missing scope of a user": {func(t *testing.T, w *world) setUp {
			t.Helper()
			az := w.AzureCLI(t, w.Tenant, emulator.Identity{ClientID: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", Scopes: []string{"User.Read.All"}})
			return setUp{variables: map[string]string{"PATH": az.Dir()}}
		}, "Unable to create key set", []string{"TrustFrameworkKeySet", "delegated", "Status: 403"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newRealWorld(t)
			developer := w.AzureCLI(t, w.Tenant, emulator.Identity{})
			s := row.setUp(t, w)
			if s.variables["PATH"] == "" {
				s.variables["PATH"] = developer.Dir()
			}
			s.variables["PATH"] += string(os.PathListSeparator) + os.Getenv("PATH")
			tf, log := w.signingIn(t, s)
			o := tf.apply(false)
			if !o.has("error", row.summary, row.texts...) {
				t.Errorf("got %v %s", o.diagnostics, o.stderr)
			}
			if calls := developer.Calls(); len(calls) > 0 {
				t.Errorf("the developer's login was asked: %q", calls)
			}
			if n := len(w.Requests()) + len(w.Requests(emulator.OpToken)); n > 0 != row.sent || len(w.KeySets()) > 0 {
				t.Errorf("%d requests, %d key sets", n, len(w.KeySets()))
			}
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range append(s.secrets, "canary-") {
				if strings.Contains(string(text)+o.stdout+o.stderr, secret) {
					t.Error("a secret shows")
				}
			}
		})
	}
}

func withCertificate(t *testing.T, w *world, c clientCertificate) setUp {
	t.Helper()
	file := base64.StdEncoding.EncodeToString(c.pkcs12(t, pkcs12.Modern))
	return setUp{
		variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_CLIENT_CERTIFICATE": file, "ARM_CLIENT_CERTIFICATE_PASSWORD": c.password},
		secrets:   []string{file, c.password},
	}
}

// withGitHub is a job of a workflow whose application trusts a given subject.
func withGitHub(t *testing.T, w *world, trusted string) setUp {
	t.Helper()
	g := w.GitHubActions(t)
	w.AddFederatedCredential(emulator.FederatedCredential{Issuer: g.URL, Subject: trusted, Audience: acctest.ExchangeAudience})
	variables := g.Variables()
	maps.Copy(variables, map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_USE_OIDC": "true"})
	return setUp{variables: variables, secrets: []string{variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}, done: func() error {
		return wantCount("requests for an ID token", g.Asked(), 1)
	}}
}
