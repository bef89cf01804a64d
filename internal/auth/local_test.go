// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Service Fabric names a certificate by it
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// machineConfig signs in as a machine's identity with a given client ID: MSAL keeps tokens by it, for the whole process.
func machineConfig(clientID string) auth.Config {
	return auth.Config{
		TenantID: tenantID, UseMSI: true, ClientID: auth.Text{Value: clientID}, AuthorityHost: "https://login.example",
		LocalTransport: auth.LocalClient(&http.Transport{Proxy: http.ProxyFromEnvironment}), Secrets: &redact.Secrets{},
	}
}

// identityToken is the answer of an identity's endpoint.
func identityToken(token string) string {
	return fmt.Sprintf(`{"access_token":%q,"expires_on":"%d","resource":"r","token_type":"Bearer"}`, token, time.Now().Add(time.Hour).Unix()) //nolint:forbidigo // azidentity lives in the system's time
}

// TestCredential_ManagedIdentity_ReadsNoMoreThanATokenHas; it reads the process's environment, so that it runs alone.
func TestCredential_ManagedIdentity_ReadsNoMoreThanATokenHas(t *testing.T) {
	long := bytes.Repeat([]byte(" "), 1<<20)
	for name, row := range map[string]struct {
		status int
		start  func(http.Handler) *httptest.Server
	}{
		"a success":                   {http.StatusOK, httptest.NewServer},
		"a refusal":                   {http.StatusBadRequest, httptest.NewServer},
		"a success of Service Fabric": {http.StatusOK, httptest.NewTLSServer},
		"a refusal of Service Fabric": {http.StatusBadRequest, httptest.NewTLSServer},
	} {
		t.Run(name, func(t *testing.T) {
			asked, wrote := 0, make(chan int, 10)
			s := row.start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.WriteHeader(row.status)
				n := 0
				for range 256 {
					some, err := w.Write(long)
					if n += some; err != nil {
						break
					}
				}
				wrote <- n
			}))
			defer s.Close()
			config := machineConfig("")
			t.Setenv("IDENTITY_ENDPOINT", s.URL)
			t.Setenv("IDENTITY_HEADER", "canary-header")
			if s.TLS != nil {
				t.Setenv("IDENTITY_SERVER_THUMBPRINT", thumbprint(s.Certificate()))
			}
			_, err := getToken(t.Context(), config)
			if err == nil || !strings.Contains(err.Error(), "too long to be a token") || asked != 1 {
				t.Errorf("got %v after %d requests, want one that says that it is too long", err, asked)
			}
			if n := <-wrote; n > 64<<20 {
				t.Errorf("%d bytes were taken", n)
			}
		})
	}
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// TestCredential_ManagedIdentity_OfServiceFabric works with the client that bounds its answers.
func TestCredential_ManagedIdentity_OfServiceFabric(t *testing.T) {
	e := newEntra(t, tenantID)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Secret") != "canary-header" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte(identityToken(e.accessToken())))
	}))
	defer s.Close()
	t.Setenv("IDENTITY_ENDPOINT", s.URL)
	t.Setenv("IDENTITY_HEADER", "canary-header")
	t.Setenv("IDENTITY_SERVER_THUMBPRINT", thumbprint(s.Certificate()))
	config := machineConfig("")
	if _, err := getToken(t.Context(), config); err != nil || !config.Secrets.Hold(e.accessToken()) || !config.Secrets.Hold("canary-header") {
		t.Errorf("got %v, want a token, and it and the header known as secrets", err)
	}
}

// TestCredential_ManagedIdentity_ShowsNoSecretThatAnAnswerRepeats, nor what its other answers hold.
func TestCredential_ManagedIdentity_ShowsNoSecretThatAnAnswerRepeats(t *testing.T) { //nolint:paralleltest // it sets the environment
	const header = "Kx7-header-of-identity-Pq4"
	for spelling, echo := range spellings(header) {
		for place := range places("") { //nolint:bodyclose // a stand-in's answer is in memory
			if place == "malformed HTTP" {
				continue // a server can't say it
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				resp, err := places(echo)[place](r) //nolint:bodyclose // a stand-in's answer is in memory
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close() //nolint:errcheck // in memory
				w.WriteHeader(resp.StatusCode)
				var body bytes.Buffer
				_, _ = body.ReadFrom(resp.Body)
				_, _ = w.Write(body.Bytes())
			}))
			t.Setenv("IDENTITY_ENDPOINT", s.URL)
			t.Setenv("IDENTITY_HEADER", header)
			_, err := getToken(t.Context(), machineConfig("22222222-0000-0000-0000-000000000000"))
			s.Close()
			if err == nil || strings.Contains(shown(err), echo) {
				t.Errorf("%s, %s: got %s", spelling, place, shown(err))
			}
		}
	}
}

// TestCredential_ManagedIdentity_KeepsItsSecretNearby: an address of the environment leads the secret out of the
// machine's network only by https.
func TestCredential_ManagedIdentity_KeepsItsSecretNearby(t *testing.T) {
	for endpoint, wantSent := range map[string]bool{
		"http://localhost:1/":                  true,
		"http://127.0.0.1:1/":                  true,
		"http://[::1]:1/":                      true,
		"http://169.254.130.1:8081/msi/token":  true,
		"http://10.0.0.4/":                     true,
		"http://100.64.1.1/":                   true,
		"http://msi:1/":                        true,
		"http://msi.default.svc.cluster.local": true,
		"http://8.8.8.8/":                      false,
		"http://[2001:4860:4860::8888]/":       false,
		"http://evil.example/":                 false,
		"http://localhost.evil.example/":       false,
		"http://127.0.0.1.evil.example/":       false,
		"http://user@evil.example:80/":         false,
		"https://identity.example/":            true,
	} {
		for _, variables := range []string{"IDENTITY_ENDPOINT IDENTITY_HEADER", "MSI_ENDPOINT MSI_SECRET"} {
			t.Run(endpoint+" "+variables, func(t *testing.T) {
				names := strings.Fields(variables)
				t.Setenv(names[0], endpoint)
				t.Setenv(names[1], "canary-header")
				config, sent := machineConfig("33333333-0000-0000-0000-000000000000"), false
				config.LocalTransport = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					sent = true
					return nil, lasting{errors.New("nothing is sent")}
				})}
				_, err := getToken(t.Context(), config)
				if err == nil || sent != wantSent || !sent && !strings.Contains(err.Error(), "nothing is sent to it") {
					t.Errorf("got %v, sent %t, want %t", err, sent, wantSent)
				}
			})
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestLocalClient passes every proxy and follows no redirect.
func TestLocalClient(t *testing.T) { //nolint:paralleltest // it sets the environment
	elsewhere := listener(t, httptest.NewServer)
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	base := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("a proxy was looked for") }, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	resp, err := auth.LocalClient(base).Get(s.URL) //nolint:noctx // it ends at once
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing to lose
	if resp.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("got status %d, want the redirect's", resp.StatusCode)
	}
}
