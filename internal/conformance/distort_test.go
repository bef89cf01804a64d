// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// reply is an answer on its way through the proxy. The body is nil if it is no
// JSON object.
type reply struct {
	*http.Response
	body object
}

// distortion turns the answers to some requests into wrong ones.
type distortion struct {
	check string // that is to fail
	how   string
	on    string // pattern of "METHOD path"
	edit  func(*reply)
}

func status(code int) func(*reply) { return func(r *reply) { r.StatusCode = code } }

func errorCode(value string) func(*reply) {
	return func(r *reply) {
		if failure, ok := r.body["error"].(object); ok {
			failure["code"] = value
		}
	}
}

func put(name string, value any) func(*reply) { return func(r *reply) { r.body[name] = value } }

func drop(name string) func(*reply) { return func(r *reply) { delete(r.body, name) } }

// each edits the objects in a list of the body.
func each(name string, edit func(object)) func(*reply) {
	return func(r *reply) {
		elements, _ := list(r.body, name)
		for _, element := range elements {
			edit(element)
		}
	}
}

// keep keeps some objects of a list in the body.
func keep(name string, wanted func(object) bool) func(*reply) {
	return func(r *reply) {
		kept := []any{}
		elements, ok := list(r.body, name)
		for _, element := range elements {
			if wanted(element) {
				kept = append(kept, element)
			}
		}
		if ok {
			r.body[name] = kept
		}
	}
}

func wrap(r *reply) { r.body = object{"value": r.body} }

func distortions() []distortion {
	const (
		signIn      = `^POST /.*/token$`
		create      = `^POST .*/keySets$`
		generate    = `^POST .*/generateKey$`
		sealed      = `^POST .*/uploadSecret$`
		certificate = `^POST .*/uploadCertificate$`
		file        = `^POST .*/uploadPkcs12$`
		active      = `^GET .*/getActiveKey$`
		get         = `^GET .*/keySets/[^/]*$`
		listing     = `^GET .*/keySets$`
		listV2      = `^GET .*/keys_v2$`
		itemV2      = `^GET .*/keys_v2/.*$`
	)
	none := func(object) bool { return false }
	return []distortion{
		{"signin", "no token", signIn, drop("access_token")},
		{"signin", "another type of token", signIn, put("token_type", "mac")},
		{"signin", "a refusal", signIn, status(401)},
		{"document", "an issuer without the tenant", `openid-configuration$`, put("issuer", "https://login.test/common")},
		{"document", "no token endpoint", `openid-configuration$`, drop("token_endpoint")},
		{"notoken", "403", listing, status(403)},
		{"notoken", "another code", listing, errorCode("Unauthorized")},
		{"create", "no Location", create, func(r *reply) { r.Header.Del("Location") }},
		{"create", "a Location of another key set", create, func(r *reply) { r.Header.Set("Location", "/trustFramework/keySets('B2C_1A_x')") }},
		{"create", "200", create, status(200)},
		{"create", "the name as it was sent", create, func(r *reply) { r.body["id"] = strings.TrimPrefix(text(r.body, "id"), servicePrefix) }},
		{"create", "no keys", create, drop("keys")},
		{"create", "nothing made", get, status(400)},
		{"prefixed", "a doubled prefix", create, func(r *reply) { r.body["id"] = servicePrefix + text(r.body, "id") }},
		{"twice", "another code", create, errorCode("AADB2C90063")},
		{"twice", "500", create, func(r *reply) {
			if r.StatusCode == 400 {
				r.StatusCode = 500
			}
		}},
		{"missing", "200", get, status(200)},
		{"missing", "another code", get, errorCode("AADB2C")},
		{"missing", "403", get, status(403)},
		{"missing", "no message", get, func(r *reply) { delete(r.body["error"].(object), "message") }}, //nolint:forcetypeassert // The emulator's own error.
		{"missing", "no request id", get, func(r *reply) { r.Header.Del("request-id") }},
		{"odatatype", "accepted", create, status(201)},
		{"odatatype", "another code", create, errorCode("BadRequest")},
		{"genrsa", "no kid", generate, drop("kid")},
		{"genrsa", "an empty kid", generate, put("kid", "")},
		{"genrsa", "wrapped in value", generate, wrap},
		{"genrsa", "201", generate, status(201)},
		{"genrsa", "a private member d", generate, put("d", "AQ")},
		{"genrsa", "a private member d when read", get, each("keys", func(key object) { key["d"] = "AQ" })},
		{"genrsa", "no n", generate, drop("n")},
		{"genrsa", "another n when read", get, each("keys", func(key object) { key["n"] = "AQ" })},
		{"genrsa", "no exp", generate, put("exp", nil)},
		{"genrsa", "exp in milliseconds", generate, func(r *reply) {
			n, _ := number(r.body["exp"])
			r.body["exp"] = n * 1000
		}},
		{"genrsa", "another use", generate, put("use", "enc")},
		{"genoct", "the value k", generate, put("k", "c2VjcmV0")},
		{"genoct", "the value k when read", get, each("keys", func(key object) { key["k"] = "c2VjcmV0" })},
		{"genoct", "another kty", generate, put("kty", "RSA")},
		{"genoct", "no nbf when read", get, each("keys", func(key object) { key["nbf"] = nil })},
		{"append", "the first key gone", get, func(r *reply) {
			if keys, _ := list(r.body, "keys"); len(keys) > 1 {
				r.body["keys"] = []any{keys[1]}
			}
		}},
		{"listing", "no keys", listing, each("value", func(set object) { delete(set, "keys") })},
		{"listing", "no key set", listing, keep("value", none)},
		{"listing", "the value k", listing, each("value", func(set object) {
			keys, _ := list(set, "keys")
			for _, key := range keys {
				key["k"] = "c2VjcmV0"
			}
		})},
		{"quoted", "an unknown address", `keySets\('`, status(404)},
		{"case", "an unknown address", `/trustframework/`, status(404)},
		{"gzip", "415", create, status(415)},
		{"mixuse", "accepted", generate, status(200)},
		{"mixuse", "another code", generate, errorCode("AADB2C95032")},
		{"mixkty", "another code", generate, errorCode("AADB2C95042")},
		{"expired", "accepted", generate, status(200)},
		{"secret", "the value k", sealed, put("k", "c2VjcmV0")},
		{"secret", "the value k when read", get, each("keys", func(key object) { key["k"] = "c2VjcmV0" })},
		{"secret", "no exp", sealed, put("exp", nil)},
		{"secret", "wrapped in value", sealed, wrap},
		{"secret", "500", sealed, status(500)},
		{"certificate", "no kid", certificate, drop("kid")},
		{"certificate", "a private member d", certificate, put("d", "AQ")},
		{"certificate", "a private member d when read", get, each("keys", func(key object) { key["d"] = "AQ" })},
		{"certificate", "the first key gone", get, func(r *reply) {
			if keys, _ := list(r.body, "keys"); len(keys) > 1 {
				r.body["keys"] = []any{keys[1]}
			}
		}},
		{"pkcs12", "wrapped in value", file, wrap},
		{"pkcs12", "a refusal", file, status(400)},
		{"pkcs12", "a private member p", file, put("p", "AQ")},
		{"pkcs12", "nothing made", get, func(r *reply) {
			if keys, _ := list(r.body, "keys"); len(keys) > 1 {
				r.body["keys"] = []any{keys[0]}
			}
		}},
		{"password", "accepted", file, status(200)},
		{"password", "another code", file, errorCode("AADB2C90215")},
		{"mixcert", "accepted", certificate, status(200)},
		{"mixcert", "another code", certificate, errorCode("AADB2C95042")},
		{"active", "another key", active, put("kid", "another")},
		{"active", "wrapped in value", active, wrap},
		{"active", "no parentheses", `getActiveKey\(\)$`, status(404)},
		{"active", "the value k", active, put("k", "c2VjcmV0")},
		{"keysv2", "no status", listV2, each("value", func(key object) { delete(key, "status") })},
		{"keysv2", "no keys", listV2, keep("value", none)},
		{"keysv2", "the value k", itemV2, put("k", "c2VjcmV0")},
		{"keysv2", "another key", itemV2, put("kid", "another")},
		{"status", "200", `^PATCH `, status(200)},
		{"status", "the former status", itemV2, put("status", "enabled")},
		{"status", "another active key", active, put("kid", "another")},
		{"delete", "200", `^DELETE `, status(200)},
		{"delete", "still there", get, func(r *reply) {
			if r.StatusCode == 400 {
				r.StatusCode, r.body = 200, object{"id": "B2C_1A_x"}
			}
		}},
		{"backup", "not listed", listing, keep("value", func(set object) bool { return !strings.HasSuffix(text(set, "id"), ".bak") })},
		{"backup", "without keys", `^GET .*\.bak$`, put("keys", []any{})},
		{"backup", "not to be deleted", `^DELETE .*\.bak$`, status(400)},
	}
}

// wrong is an emulator behind a proxy, which distorts answers while it is armed.
func wrong(t *testing.T, d distortion) (*service, *emulator.Tenant, *atomic.Bool) {
	t.Helper()
	s, tenant := emulatedTenant(t, emulator.Config{})
	on, armed := regexp.MustCompile(d.on), &atomic.Bool{}
	back, err := url.Parse(s.graph)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{
		ErrorLog:  log.New(io.Discard, "", 0), // clients that lose patience
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca, MinVersion: tls.VersionTLS12}},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(back) },
		ModifyResponse: func(resp *http.Response) error {
			if !armed.Load() || !on.MatchString(resp.Request.Method+" "+resp.Request.URL.EscapedPath()) {
				return nil
			}
			return distort(resp, d.edit)
		},
	})
	t.Cleanup(proxy.Close)
	pool := x509.NewCertPool()
	pool.AddCert(proxy.Certificate())
	behind := newService(target{
		tenantID: tenant.ID(), clientID: tenant.ClientID(), clientSecret: tenant.ClientSecret(),
		graph: proxy.URL, authority: proxy.URL, ca: pool,
	})
	behind.patience = 300 * time.Millisecond
	t.Cleanup(behind.http.CloseIdleConnections)
	if err := behind.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	return behind, tenant, armed
}

func distort(resp *http.Response, edit func(*reply)) error {
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	r := &reply{Response: resp, body: answer{body: raw}.object()}
	if edit(r); r.body != nil {
		if raw, err = json.Marshal(r.body); err != nil {
			return err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	resp.ContentLength = int64(len(raw))
	if resp.StatusCode != http.StatusNoContent {
		resp.Header.Set("Content-Length", strconv.Itoa(len(raw)))
	}
	return nil
}

func TestChecks_CatchAWrongService(t *testing.T) {
	t.Parallel()
	byLabel, caught := map[string]check{}, map[string]bool{}
	for _, c := range checks() {
		byLabel[c.label] = c
	}
	for _, d := range distortions() {
		c, ok := byLabel[d.check]
		if !ok {
			t.Errorf("no check %q", d.check)
			continue
		}
		caught[d.check] = true
		t.Run(d.check+"/"+d.how, func(t *testing.T) {
			t.Parallel()
			s, tenant, armed := wrong(t, d)
			before := names(tenant)
			r := &run{service: s}
			if err := r.check(t.Context(), c); err == nil {
				t.Error("the check holds")
			}
			if !strings.Contains(r.markdown(), "0 of ") {
				t.Error(r.markdown())
			}
			armed.Store(false)
			s.patience = 10 * time.Second
			_, err := s.sweep(t.Context())
			if after := names(tenant); err != nil || !slices.Equal(after, before) {
				t.Errorf("before %v, after %v (%v)", before, after, err)
			}
		})
	}
	for label := range byLabel {
		if !caught[label] {
			t.Errorf("no distortion for the check %q", label)
		}
	}
}

// The proxy alone fails nothing.
func TestChecks_HoldThroughAProxy(t *testing.T) {
	t.Parallel()
	s, _, _ := wrong(t, distortion{on: `^GET .*/keySets$`, edit: func(*reply) {}})
	s.patience = 10 * time.Second
	r := &run{service: s}
	for _, c := range checks() {
		if err := r.check(t.Context(), c); err != nil {
			t.Errorf("%s: %v", c.says, err)
		}
	}
	sweep(t, r)
}
