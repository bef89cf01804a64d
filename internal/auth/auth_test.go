// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// newTenant is a tenant of an emulator and the configuration that signs in to it.
func newTenant(t *testing.T) (*emulator.Tenant, auth.Config) {
	t.Helper()
	server, err := emulator.Start(emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(server.CAPEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	tenant := server.NewTenant(emulator.TenantConfig{})
	return tenant, auth.Config{
		TenantID:                 tenant.ID(),
		ClientID:                 auth.Text{Value: tenant.ClientID()},
		ClientSecret:             auth.Text{Value: tenant.ClientSecret()},
		AuthorityHost:            server.URL(),
		DisableInstanceDiscovery: true,
		Transport:                &http.Client{Transport: transport},
	}
}

func getToken(ctx context.Context, config auth.Config) (string, error) {
	credential, _, err := auth.NewCredential(config)
	if err != nil {
		return "", err
	}
	cloud, _ := auth.EnvironmentByName("global")
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{cloud.Scope()}, EnableCAE: true})
	return token.Token, err
}

func TestCredential_GetToken(t *testing.T) {
	t.Parallel()
	for name, byDomain := range map[string]bool{"tenant by GUID": false, "tenant by domain": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, config := newTenant(t)
			if byDomain {
				config.TenantID = tenant.Domain()
			}
			if token, err := getToken(t.Context(), config); err != nil || token == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCredential_GetToken_ErrorsKeepEntrasWordsAndNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "canary-secret"
	for name, row := range map[string]struct {
		change func(*auth.Config)
		code   string
		text   string
		answer bool
	}{
		"wrong secret": {func(c *auth.Config) { c.ClientSecret = auth.Text{Value: secret} }, "AADSTS7000215", "Invalid client secret", true},
		"wrong client": {func(c *auth.Config) { c.ClientID = auth.Text{Value: "11111111-2222-3333-4444-555555555555"} }, "AADSTS700016", "was not found in the directory", true},
		"wrong tenant": {func(c *auth.Config) { c.TenantID = "11111111-2222-3333-4444-555555555555" }, "AADSTS90002", "not found", true},
		"no service":   {func(c *auth.Config) { c.AuthorityHost = "https://127.0.0.1:1" }, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, config := newTenant(t)
			row.change(&config)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if !row.answer {
				// azcore would try again in the system's time.
				config.Transport = &http.Client{Transport: cancelAfter{config.Transport, cancel}}
			}
			_, err := getToken(ctx, config)
			var e *auth.Error
			if !errors.As(err, &e) || e.Method != "client secret" || e.Code != row.code || !strings.Contains(e.Message, row.text) {
				t.Fatalf("got %v", err)
			}
			if (e.TraceID != "" && e.CorrelationID != "") != row.answer {
				t.Errorf("trace id %q, correlation id %q", e.TraceID, e.CorrelationID)
			}
			for _, s := range []string{secret, tenant.ClientSecret()} {
				if strings.Contains(err.Error(), s) {
					t.Error("the secret is in the error")
				}
			}
			if strings.Contains(e.Message, "\n") && row.answer {
				t.Errorf("more than Entra's sentence: %q", e.Message)
			}
		})
	}
}

// cancelAfter ends the request's context with the first failure.
type cancelAfter struct {
	next   policy.Transporter
	cancel context.CancelFunc
}

func (c cancelAfter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.Do(req)
	if err != nil {
		c.cancel()
	}
	return resp, err
}

// TestCredential_GetToken_AnAnswerThatRepeatsTheSecret, which isn't Entra's, or is and says too much.
func TestCredential_GetToken_AnAnswerThatRepeatsTheSecret(t *testing.T) {
	t.Parallel()
	const sent = `se+cret/with <signs> & "quotes"`
	for name, body := range map[string]string{
		"page":        "<html>You sent " + sent + "</html>",
		"form":        "client_secret=" + url.QueryEscape(sent),
		"escaped":     "<pre>" + html.EscapeString(sent) + "</pre>",
		"base64":      base64.StdEncoding.EncodeToString([]byte(sent)),
		"description": `{"error":"invalid_client","error_description":"AADSTS7000215: Not ` + url.PathEscape(sent) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, config := newTenant(t)
			config.ClientSecret = auth.Text{Value: sent}
			tenant.Inject(emulator.Fault{Op: emulator.OpToken, Status: http.StatusBadRequest, Body: body, ContentType: "application/json"}.Repeat(-1))
			_, err := getToken(t.Context(), config)
			var failure *auth.Error
			if !errors.As(err, &failure) || !strings.Contains(failure.Message, "left out") {
				t.Fatalf("got %v", err)
			}
			for _, spelling := range []string{sent, url.QueryEscape(sent), url.PathEscape(sent), html.EscapeString(sent), "quotes"} {
				if strings.Contains(err.Error(), spelling) {
					t.Errorf("%q is in %q", spelling, err)
				}
			}
		})
	}
}

func TestNewCredential_RefusesWhatEntraCouldNot(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*auth.Config){
		"http authority": func(c *auth.Config) { c.AuthorityHost = "http://127.0.0.1" },
		"odd tenant":     func(c *auth.Config) { c.TenantID = "a/b" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, config := newTenant(t)
			change(&config)
			if _, _, err := auth.NewCredential(config); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestEnvironmentByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{
		"global":         {"login.microsoftonline.com", "graph.microsoft.com"},
		"public":         {"login.microsoftonline.com", "graph.microsoft.com"},
		"usgovernment":   {"login.microsoftonline.us", "graph.microsoft.us"},
		"USGovernmentL4": {"login.microsoftonline.us", "graph.microsoft.us"},
		"usgovernmentl5": {"login.microsoftonline.us", "dod-graph.microsoft.us"},
		"dod":            {"login.microsoftonline.us", "dod-graph.microsoft.us"},
		"china":          {"login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn"},
	} {
		e, ok := auth.EnvironmentByName(name)
		if !ok {
			t.Errorf("%s is unknown", name)
			continue
		}
		login, err := url.Parse(e.AuthorityHost)
		if err != nil || login.Scheme != "https" || login.Host != want[0] {
			t.Errorf("%s signs in at %q", name, e.AuthorityHost)
		}
		if e.GraphEndpoint != "https://"+want[1] || e.Scope() != "https://"+want[1]+"/.default" {
			t.Errorf("%s: Graph at %q, scope %q", name, e.GraphEndpoint, e.Scope())
		}
	}
	if _, ok := auth.EnvironmentByName("mars"); ok {
		t.Error("mars is known")
	}
	if n := len(auth.EnvironmentNames()); n != 7 {
		t.Errorf("%d names", n)
	}
}
