// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// TestCredential_TeachesWhatIsSecret: all that a way of signing in knows is known to Config.Secrets, which Graph's part
// of the provider shares.
func TestCredential_TeachesWhatIsSecret(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t, time.Now().Add(24*time.Hour)) //nolint:forbidigo // MSAL and the check live in the system's time
	file := pfx(t, certificate, key, pkcs12.Modern)
	decoded, err := base64.StdEncoding.DecodeString(file)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := pemOf(t, certificate, key)
	for name, row := range map[string]struct {
		change func(t *testing.T, c *auth.Config)
		want   func(e *entra) []string
		public []string
	}{
		"secret": {func(_ *testing.T, c *auth.Config) { c.ClientSecret.Value = "canary-secret" }, sent("client_secret", "canary-secret"), nil},
		"secret in file": {func(t *testing.T, c *auth.Config) {
			t.Helper()
			c.ClientSecret.Path = write(t, []byte("canary-secret\n"))
		}, sent("client_secret", "canary-secret"), nil},
		"PKCS#12": {func(_ *testing.T, c *auth.Config) {
			c.Certificate.Value, c.CertificatePassword = file, "canary-password"
		},
			sent("client_assertion", "canary-password", file[40:80], string(decoded[200:230])), nil},
		"PEM": {func(t *testing.T, c *auth.Config) { t.Helper(); c.Certificate.Path = write(t, keyFile) },
			sent("client_assertion", string(keyFile[900:960])), []string{base64.StdEncoding.EncodeToString(certificate.Raw[len(certificate.Raw)-200:]), "-----BEGIN PRIVATE KEY-----"}},
		"ID token": {func(_ *testing.T, c *auth.Config) { c.UseOIDC, c.OIDCToken.Value = true, "canary-token" }, sent("client_assertion", "canary-token"), nil},
		"ID token in file": {func(t *testing.T, c *auth.Config) {
			t.Helper()
			c.UseOIDC, c.OIDCToken.Path = true, write(t, []byte("canary-token"))
		}, sent("client_assertion", "canary-token"), nil},
		"AKS": {func(t *testing.T, c *auth.Config) {
			t.Helper()
			c.UseAKSWorkloadIdentity, c.FederatedTokenFile = true, write(t, []byte("canary-token"))
		}, sent("client_assertion", "canary-token"), nil},
		"GitHub":       {func(_ *testing.T, c *auth.Config) { c.UseOIDC = true }, sent("client_assertion", "canary-request", "from github 1"), nil},
		"Azure DevOps": {func(_ *testing.T, c *auth.Config) { c.UseOIDC, c.ServiceConnectionID = true, "connection" }, sent("client_assertion", "canary-request", "from ado 1"), nil},
		"a secret that isn't used": {func(_ *testing.T, c *auth.Config) {
			c.UseOIDC, c.OIDCToken.Value, c.CertificatePassword = true, "canary-token", "canary-password"
		}, sent("client_assertion", "canary-password"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t, tenantID)
			config := e.config()
			config.Secrets = &redact.Secrets{}
			config.OIDCRequestURL, config.OIDCRequestToken = e.URL+"/request", "canary-request"
			row.change(t, &config)
			if _, err := getToken(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			for _, secret := range append(row.want(e), e.accessToken()) {
				if secret == "" || !config.Secrets.Repeat("The words "+secret+" end.") {
					t.Errorf("%q isn't known", secret)
				}
			}
			for _, text := range append(row.public, clientID, tenantID, "https://graph.microsoft.com/.default", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_credentials", "xms_cc") {
				if config.Secrets.Repeat(text) {
					t.Errorf("%q is no secret, and is taken for one", text)
				}
			}
		})
	}
}

// sent are a parameter of the last form, and given secrets.
func sent(name string, secrets ...string) func(*entra) []string {
	return func(e *entra) []string { return append(secrets, e.forms[len(e.forms)-1].Get(name)) }
}

// TestResolveTenant_TakesGUIDsOnly: what ends up in state is a GUID or unknown.
func TestResolveTenant_TakesGUIDsOnly(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"https://login.example/No changes/v2.0", "\x1b[2K", "https://login.example/" + tenantID + "x/", "://", "", "https://login.example/v2.0?" + tenantID} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": issuer})
		}))
		t.Cleanup(s.Close)
		got, err := auth.ResolveTenant(t.Context(), auth.Config{TenantID: "contoso.example", AuthorityHost: s.URL, Transport: s.Client()})
		if err == nil || got != "" || issuer != "" && strings.Contains(err.Error(), issuer) {
			t.Errorf("issuer %q: got %q, %v; want an error that doesn't repeat it", issuer, got, err)
		}
	}
	// Nor does a token's.
	for _, tid := range []string{"\x1b[2KNo changes.", tenantID + "/..", "common"} {
		e := newEntra(t, tid)
		config := e.config()
		config.ClientSecret.Value = "canary-secret"
		if _, err := getToken(t.Context(), config); err != nil {
			t.Errorf("tid %q: got %v, want it taken for an opaque token", tid, err)
		}
	}
}

// lasting is a failure as package graph's transport marks it.
type lasting struct{ error }

func (lasting) NonRetriable() {}

func (l lasting) RoundTrip(*http.Request) (*http.Response, error) { return nil, l }

// TestCredential_TellsALastingFailureAtOnce: azcore would try four times.
func TestCredential_TellsALastingFailureAtOnce(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{"plain": "tls: server selected unsupported protocol version 301", "to be cleaned": "tls: \x1b[2K canary-secret"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := &http.Client{Transport: lasting{errors.New(words)}}
				config := auth.Config{
					TenantID: tenantID, ClientID: auth.Text{Value: clientID}, ClientSecret: auth.Text{Value: "canary-secret"}, AuthorityHost: "https://login.example",
					DisableInstanceDiscovery: true, Transport: client,
				}
				begun := time.Now() //nolint:forbidigo // the bubble's
				_, err := getToken(within(t), config)
				if took := time.Since(begun); err == nil || took != 0 || strings.ContainsAny(shown(err), "\x1b") || strings.Contains(shown(err), "canary") { //nolint:forbidigo // the bubble's
					t.Errorf("got %v after %s, want an error at once", err, took)
				}
			})
		})
	}
}
