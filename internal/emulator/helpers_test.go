// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// fixedClock stands still; tests move it with Server.Advance.
type fixedClock struct{ at time.Time }

func (c fixedClock) Now() time.Time { return c.at }

var _ emulator.Clock = fixedClock{}

// startTime is when the emulator's clock stands in tests.
func startTime() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

// caller is a client of one tenant.
type caller struct {
	t      *testing.T
	server *emulator.Server
	tenant *emulator.Tenant
	http   *http.Client
	token  string
}

func newServer(t *testing.T, c emulator.Config) *emulator.Server {
	t.Helper()
	if c.Clock == nil {
		c.Clock = fixedClock{startTime()}
	}
	s, err := emulator.Start(c)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func newHTTPClient(t *testing.T, s *emulator.Server) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CAPEM()) {
		t.Fatal("the CA is no PEM certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// newCaller starts a server with one tenant, and takes a token.
func newCaller(t *testing.T, c emulator.Config) *caller {
	t.Helper()
	s := newServer(t, c)
	return newTenantCaller(t, s, emulator.TenantConfig{})
}

func newTenantCaller(t *testing.T, s *emulator.Server, config emulator.TenantConfig) *caller {
	t.Helper()
	c := &caller{t: t, server: s, tenant: s.NewTenant(config), http: newHTTPClient(t, s)}
	c.newToken()
	c.tenant.ResetJournal()
	return c
}

// form is a token request that is right in every field.
func (c *caller) form() url.Values {
	return url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {c.tenant.ClientID()},
		"client_secret": {c.tenant.ClientSecret()},
		"scope":         {"https://graph.microsoft.com/.default openid offline_access profile"},
	}
}

func (c *caller) newToken() {
	c.t.Helper()
	r := c.postForm("/"+c.tenant.ID()+"/oauth2/v2.0/token", c.form())
	token, ok := r.object(c.t)["access_token"].(string)
	if r.status != http.StatusOK || !ok {
		c.t.Fatalf("token: %d %s", r.status, r.body)
	}
	c.token = token
}

func (c *caller) postForm(path string, form url.Values) result {
	c.t.Helper()
	return c.do(http.MethodPost, path, form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
}

// call sends a Graph request with the token; path stands below /beta.
func (c *caller) call(method, path, body string) result {
	c.t.Helper()
	return c.callWith(method, "/beta"+path, body, nil)
}

// callWith sends a Graph request with extra headers; path is whole.
func (c *caller) callWith(method, path, body string, extra http.Header) result {
	c.t.Helper()
	h := http.Header{"Authorization": {"Bearer " + c.token}}
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	for name, values := range extra {
		h[name] = values
	}
	return c.do(method, path, body, h)
}

func (c *caller) do(method, path, body string, h http.Header) result {
	c.t.Helper()
	r := c.try(method, path, body, h)
	if r.err != nil {
		c.t.Fatalf("%s %s: %v", method, path, r.err)
	}
	return r
}

// try sends a request, and leaves it to the caller what a failure means.
func (c *caller) try(method, path, body string, h http.Header) result {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL()+path, strings.NewReader(body))
	if err != nil {
		return result{err: err}
	}
	req.Header = h
	resp, err := c.http.Do(req)
	if err != nil {
		return result{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return result{status: resp.StatusCode, header: resp.Header, body: raw, err: err}
}

// make creates a key set and fails the test if that doesn't work.
func (c *caller) make(id string) string {
	c.t.Helper()
	r := c.call(http.MethodPost, "/trustFramework/keySets", `{"id":"`+id+`"}`)
	r.want(c.t, http.StatusCreated, "")
	return r.text(c.t, "id")
}

// generate makes a key and returns its kid.
func (c *caller) generate(id, body string) string {
	c.t.Helper()
	r := c.call(http.MethodPost, "/trustFramework/keySets/"+id+"/generateKey", body)
	r.want(c.t, http.StatusOK, "")
	return r.text(c.t, "kid")
}

const octSig = `{"use":"sig","kty":"oct"}`

// result is an answer.
type result struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (r result) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("answer %d is no JSON object: %v: %s", r.status, err, r.body)
	}
	return m
}

func (r result) text(t *testing.T, name string) string {
	t.Helper()
	s, ok := r.object(t)[name].(string)
	if !ok {
		t.Fatalf("%q is no string in %s", name, r.body)
	}
	return s
}

// failure returns the members of a Graph error.
func (r result) failure(t *testing.T) (code, message string, inner map[string]any) {
	t.Helper()
	var e struct {
		Error struct {
			Code       string         `json:"code"`
			Message    string         `json:"message"`
			InnerError map[string]any `json:"innerError"`
		} `json:"error"`
	}
	if err := json.Unmarshal(r.body, &e); err != nil {
		t.Fatalf("answer %d is no error: %v: %s", r.status, err, r.body)
	}
	return e.Error.Code, e.Error.Message, e.Error.InnerError
}

// want checks the status, and the code if one is given.
func (r result) want(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if code == "" {
		return
	}
	if got, _, _ := r.failure(t); got != code {
		t.Fatalf("code %q, want %q: %s", got, code, r.body)
	}
}

// ids returns the ids of a listing.
func (r result) ids(t *testing.T) []string {
	t.Helper()
	r.want(t, http.StatusOK, "")
	var list struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	if err := json.Unmarshal(r.body, &list); err != nil {
		t.Fatalf("answer is no listing: %v: %s", err, r.body)
	}
	ids := []string{}
	for _, set := range list.Value {
		ids = append(ids, set.ID)
	}
	return ids
}

// kids returns the kids of a key set.
func (r result) kids(t *testing.T) []string {
	t.Helper()
	r.want(t, http.StatusOK, "")
	var set struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(r.body, &set); err != nil {
		t.Fatalf("answer is no key set: %v: %s", err, r.body)
	}
	kids := []string{}
	for _, k := range set.Keys {
		kids = append(kids, k.Kid)
	}
	return kids
}
