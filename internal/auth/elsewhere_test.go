// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
)

// listener is a server that nothing must be sent to. Its certificate is the one that all of httptest's servers have, so
// that a client that trusts one trusts this one too.
func listener(t *testing.T, start func(http.Handler) *httptest.Server) *httptest.Server {
	t.Helper()
	s := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		t.Errorf("%s %s with %q went elsewhere: %v", r.Method, r.URL, body, err)
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(s.Close)
	return s
}

// proofs are the ways of proving to be the application: a secret, a signature, a token.
func proofs(t *testing.T) map[string]func(*auth.Config) {
	t.Helper()
	certificate, key := pair(t, time.Now().Add(24*time.Hour)) //nolint:forbidigo // MSAL and the check live in the system's time
	file := pfx(t, certificate, key, pkcs12.Modern)
	return map[string]func(*auth.Config){
		"secret":      func(c *auth.Config) { c.ClientSecret.Value = "canary-secret" },
		"certificate": func(c *auth.Config) { c.Certificate.Value, c.CertificatePassword = file, "canary-password" },
		"ID token":    func(c *auth.Config) { c.UseOIDC, c.OIDCToken.Value = true, "canary-token" },
	}
}

// TestCredential_SendsProofsToTheAuthorityOnly, whatever token endpoint the OpenID document names.
func TestCredential_SendsProofsToTheAuthorityOnly(t *testing.T) {
	t.Parallel()
	all := proofs(t)
	overHTTP, overTLS := listener(t, httptest.NewServer), listener(t, httptest.NewTLSServer)
	for name, row := range map[string]struct {
		endpoint func(own string) string
		works    bool
		posted   string // where, if it doesn't work; "" for nowhere
	}{
		"its own":                             {func(own string) string { return own + tokenPath }, true, ""},
		"another's, in the clear":             {func(string) string { return overHTTP.URL + tokenPath }, true, ""},
		"another's":                           {func(string) string { return overTLS.URL + tokenPath }, true, ""},
		"Microsoft's, which a proxy forwards": {func(string) string { return "https://login.microsoftonline.com" + tokenPath }, true, ""},
		"its own, in the clear":               {func(own string) string { return strings.Replace(own, "https", "http", 1) + tokenPath }, true, ""},
		"its own, at another port":            {func(string) string { return "https://127.0.0.1:1" + tokenPath }, true, ""},
		"with a user":                         {func(own string) string { return strings.Replace(own, "//", "//user:password@", 1) + tokenPath }, true, ""},
		"its own host as another's user":      {func(own string) string { return own + "@" + strings.TrimPrefix(overTLS.URL, "https://") + tokenPath }, true, ""},
		"a query":                             {func(string) string { return overTLS.URL + tokenPath + "?p=B2C_1A_X" }, true, ""},
		"another path":                        {func(string) string { return overTLS.URL + "/steal" }, false, "/steal"},
		"a path with dots":                    {func(own string) string { return own + "/a/../b" }, false, ""},
		"a path with %2e":                     {func(own string) string { return own + "/a/%2e%2e/b" }, false, ""},
		"a path with lines":                   {func(own string) string { return own + "/a%0d%0aHost:%20evil" }, false, ""},
		"a query with lines":                  {func(own string) string { return own + tokenPath + "?a=%0d%0aHost" }, false, ""},
		"a backslash":                         {func(own string) string { return own + `/\evil.example` }, false, ""},
		"an endless path":                     {func(own string) string { return own + "/" + strings.Repeat("a", 5000) }, false, ""},
		"no host":                             {func(string) string { return tokenPath }, false, ""},
		"no address of the web":               {func(string) string { return "file:///etc/passwd" }, false, ""},
		"an opaque one":                       {func(string) string { return "https:steal" }, false, ""},
	} {
		for proof, change := range all {
			t.Run(name+" "+proof, func(t *testing.T) {
				t.Parallel()
				e := newEntra(t, tenantID)
				e.endpoint = row.endpoint(e.URL)
				config := e.config()
				change(&config)
				recorded := record(&config)
				_, err := getToken(t.Context(), config)
				if (err == nil) != row.works || row.works && len(e.forms) != 1 {
					t.Errorf("got %v and %d forms, want it to work: %t", err, len(e.forms), row.works)
				}
				for _, r := range recorded() {
					if "https://"+r.URL.Host != e.URL || r.URL.Scheme != "https" || r.Host != "" && r.Host != r.URL.Host || r.URL.User != nil {
						t.Errorf("%s %s (Host %q), want all at %s", r.Method, r.URL, r.Host, e.URL)
					}
					if r.Method == http.MethodPost && !row.works && r.URL.Path != row.posted {
						t.Errorf("posted to %q, want %q", r.URL.Path, row.posted)
					}
				}
			})
		}
	}
}

// record puts a transport into a configuration that records every request.
func record(config *auth.Config) (recorded func() []*http.Request) {
	var mu sync.Mutex
	var requests []*http.Request
	next := config.Transport
	config.Transport = transporter(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		requests = append(requests, r)
		mu.Unlock()
		return next.Do(r)
	})
	return func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

// TestCredential_IgnoresARegionOfTheEnvironment reads the process's environment, so that it runs alone. MSAL would send
// the secret to a host that is made of the region.
func TestCredential_IgnoresARegionOfTheEnvironment(t *testing.T) {
	all := proofs(t)
	for _, variable := range []string{"AZURE_REGIONAL_AUTHORITY_NAME", "MSAL_FORCE_REGION"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, "evilregion")
			for proof, change := range all {
				e := newEntra(t, tenantID)
				config := e.config()
				change(&config)
				recorded := record(&config)
				if _, err := getToken(t.Context(), config); err != nil {
					t.Errorf("%s: got %v, want a token", proof, err)
				}
				for _, r := range recorded() {
					if "https://"+r.URL.Host != e.URL {
						t.Errorf("%s: %s %s, want all at %s", proof, r.Method, r.URL, e.URL)
					}
				}
			}
		})
	}
}

// TestCredential_InstanceDiscovery_CarriesNoSecret: Microsoft's list of hosts is asked about an authority that isn't
// known, and where its answer leads is at the authority all the same.
func TestCredential_InstanceDiscovery_CarriesNoSecret(t *testing.T) {
	t.Parallel()
	for proof, change := range proofs(t) {
		t.Run(proof, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t, tenantID)
			config := e.config()
			config.DisableInstanceDiscovery = false
			change(&config)
			asked := 0
			next := config.Transport
			config.Transport = transporter(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != "login.microsoftonline.com" {
					if "https://"+r.URL.Host != e.URL {
						t.Errorf("%s %s, want all else at %s", r.Method, r.URL, e.URL)
					}
					return next.Do(r)
				}
				asked++
				if r.Method != http.MethodGet || r.Body != nil || r.Header.Get("Authorization") != "" || strings.Contains(r.URL.String(), "canary") || r.URL.Scheme != "https" {
					t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
				}
				return entraAnswer(r, http.StatusOK, "", `{"tenant_discovery_endpoint":"http://evil.example/`+tenantID+`/v2.0/.well-known/openid-configuration","metadata":[]}`), nil
			})
			if _, err := getToken(t.Context(), config); err != nil || asked == 0 {
				t.Errorf("got %v after %d requests for the list of hosts", err, asked)
			}
		})
	}
}

// TestCredential_FollowsNoRedirect, which would carry the form of a 307 or 308 with it, even where the given client would.
func TestCredential_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	elsewhere := listener(t, httptest.NewTLSServer)
	for name, row := range map[string]struct {
		of     func(*http.Request) bool
		change func(c *auth.Config, url string)
	}{
		"the exchange": {func(r *http.Request) bool { return r.Method == http.MethodPost }, func(c *auth.Config, _ string) { c.ClientSecret.Value = "canary" }},
		"the document": {func(r *http.Request) bool { return r.Method == http.MethodGet }, func(c *auth.Config, _ string) { c.ClientSecret.Value = "canary" }},
		"an OIDC request": {func(r *http.Request) bool { return r.URL.Path == "/request" }, func(c *auth.Config, url string) {
			c.UseOIDC, c.OIDCRequestURL, c.OIDCRequestToken = true, url+"/request", "canary-request"
		}},
	} {
		for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			t.Run(name+" "+http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				e := newEntra(t, tenantID)
				inner := e.Config.Handler
				e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if row.of(r) {
						http.Redirect(w, r, elsewhere.URL, status)
						return
					}
					inner.ServeHTTP(w, r)
				})
				config := e.config()
				row.change(&config, e.URL)
				if _, err := getToken(t.Context(), config); err == nil {
					t.Error("got a token, want an error")
				}
			})
		}
	}
	t.Run("looking up a domain", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewTLSServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
		t.Cleanup(s.Close)
		config := auth.Config{TenantID: "contoso.example", AuthorityHost: s.URL, Transport: s.Client()}
		if _, err := auth.ResolveTenant(t.Context(), config); err == nil || !strings.Contains(err.Error(), "status 302") {
			t.Errorf("got %v, want the status", err)
		}
	})
}
