// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// signed makes a JWT: PS256 if the header says so, otherwise RS256.
func signed(t *testing.T, key *rsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	part := func(m map[string]any) string {
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(header) + "." + part(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if header["alg"] == "PS256" {
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// changed returns a copy with other values; nil takes one away.
func changed(m map[string]any, changes map[string]any) map[string]any {
	m = maps.Clone(m)
	for name, value := range changes {
		if m[name] = value; value == nil {
			delete(m, name)
		}
	}
	return m
}

// exchangeAssertion asks for a token with an assertion, and holds the answer against an
// AADSTS number; 0 means a token.
func (c *caller) exchangeAssertion(assertion string, change func(form map[string][]string), want string, words string) {
	c.t.Helper()
	form := c.form()
	form.Del("client_secret")
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	if change != nil {
		change(form)
	}
	r := c.postForm("/"+c.tenant.ID()+"/oauth2/v2.0/token", form)
	body := r.object(c.t)
	if want == "" {
		if token, ok := body["access_token"].(string); r.status != http.StatusOK || !ok || claimsOf(c.t, token)["appid"] != c.tenant.ClientID() {
			c.t.Errorf("got %d %s", r.status, r.body)
		}
		return
	}
	description, _ := body["error_description"].(string)
	if r.status == http.StatusOK || !strings.HasPrefix(description, "AADSTS"+want+": ") || !strings.Contains(description, words) {
		c.t.Errorf("got %d %s", r.status, r.body)
	}
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCertificate(t *testing.T, key *rsa.PrivateKey, from, until time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServer_Token_ForACertificatesAssertion(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{})
	c := newTenantCaller(t, s, emulator.TenantConfig{})
	now := startTime()
	key, expiredKey := newKey(t), newKey(t)
	good, expired := newCertificate(t, key, now.Add(-time.Hour), now.Add(time.Hour)), newCertificate(t, expiredKey, now.Add(-2*time.Hour), now.Add(-time.Hour))
	early := newCertificate(t, expiredKey, now.Add(time.Hour), now.Add(2*time.Hour))
	foreign := newCertificate(t, key, now.Add(-time.Minute), now.Add(time.Hour))
	for _, one := range []*x509.Certificate{good, expired, early} {
		c.tenant.AddCertificate(one)
	}
	long := func(of *x509.Certificate) []byte { sum := sha256.Sum256(of.Raw); return sum[:] }
	short := sha1.Sum(good.Raw) //nolint:gosec // as above
	header := map[string]any{"typ": "JWT", "alg": "PS256", "x5t#S256": base64.RawURLEncoding.EncodeToString(long(good))}
	base := s.URL() + "/" + c.tenant.ID()
	claims := map[string]any{
		"iss": c.tenant.ClientID(), "sub": c.tenant.ClientID(), "aud": base + "/oauth2/v2.0/token", "jti": "1",
		"nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	other := strings.Replace(base, c.tenant.ID(), "11111111-2222-3333-4444-555555555555", 1)
	for name, row := range map[string]struct {
		key            *rsa.PrivateKey
		header, claims map[string]any
		form           func(map[string][]string)
		want, words    string
	}{
		"PS256":                     {},
		"RS256":                     {header: map[string]any{"alg": "RS256"}},
		"MSAL's thumbprint":         {header: map[string]any{"x5t#S256": base64.StdEncoding.EncodeToString(long(good))}},
		"SHA-1 thumbprint":          {header: map[string]any{"x5t#S256": nil, "x5t": base64.RawURLEncoding.EncodeToString(short[:])}},
		"the tenant's domain":       {claims: map[string]any{"aud": s.URL() + "/" + c.tenant.Domain() + "/oauth2/v2.0/token"}},
		"the tenant as issuer":      {claims: map[string]any{"aud": base + "/v2.0"}},
		"a list of audiences":       {claims: map[string]any{"aud": []string{base + "/oauth2/v2.0/token"}}},
		"no nbf":                    {claims: map[string]any{"nbf": nil}},
		"another key":               {key: expiredKey, want: "700027", words: "The provided signature value did not match"},
		"PS256 said, RS256 signed":  {key: key, header: map[string]any{"alg": "none"}, want: "5002738", words: "'none'"},
		"no thumbprint":             {header: map[string]any{"x5t#S256": nil}, want: "50027", words: "No certificate thumbprint"},
		"unknown certificate":       {header: map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(long(foreign))}, want: "700027", words: "The key was not found"},
		"expired certificate":       {key: expiredKey, header: map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(long(expired))}, want: "700027", words: "The key used is expired"},
		"certificate of the future": {key: expiredKey, header: map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(long(early))}, want: "700027", words: "The key used is expired"},
		"another tenant's audience": {claims: map[string]any{"aud": other + "/oauth2/v2.0/token"}, want: "700023", words: "audience"},
		"no audience":               {claims: map[string]any{"aud": nil}, want: "700023"},
		"another subject":           {claims: map[string]any{"sub": "somebody"}, want: "700021"},
		"expired":                   {claims: map[string]any{"exp": now.Unix()}, want: "700024", words: "valid time range"},
		"no end":                    {claims: map[string]any{"exp": nil}, want: "700024"},
		"of the future":             {claims: map[string]any{"nbf": now.Unix() + 1}, want: "700024"},
		"no type":                   {form: func(f map[string][]string) { delete(f, "client_assertion_type") }, want: "900144", words: "client_assertion_type"},
		"another type":              {form: func(f map[string][]string) { f["client_assertion_type"] = []string{"saml"} }, want: "9002313"},
		"a secret too":              {form: func(f map[string][]string) { f["client_secret"] = []string{c.tenant.ClientSecret()} }, want: "9002313"},
		"no JWT":                    {form: func(f map[string][]string) { f["client_assertion"] = []string{"a.b"} }, want: "50027"},
		"another client":            {form: func(f map[string][]string) { f["client_id"] = []string{"11111111-2222-3333-4444-555555555555"} }, want: "700016"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.key == nil {
				row.key = key
			}
			sub := *c
			sub.t = t
			sub.exchangeAssertion(signed(t, row.key, changed(header, row.header), changed(claims, row.claims)), row.form, row.want, row.words)
		})
	}
}

func TestServer_Token_ForAFederatedAssertion(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{})
	c := newTenantCaller(t, s, emulator.TenantConfig{})
	now, key := startTime(), newKey(t)
	const issuer, unknown = "https://issuer.example", "https://unknown.example"
	s.AddIssuer(issuer, "kid", &key.PublicKey)
	for _, one := range []string{issuer, unknown} {
		c.tenant.AddFederatedCredential(emulator.FederatedCredential{Issuer: one, Subject: "repo:o/r", Audience: "api://AzureADTokenExchange"})
	}
	header := map[string]any{"typ": "JWT", "alg": "RS256", "kid": "kid"}
	claims := map[string]any{"iss": issuer, "sub": "repo:o/r", "aud": "api://AzureADTokenExchange", "exp": now.Add(time.Minute).Unix()}
	for name, row := range map[string]struct {
		key            *rsa.PrivateKey
		header, claims map[string]any
		want, words    string
	}{
		"accepted":           {},
		"Kubernetes' list":   {claims: map[string]any{"aud": []string{"api://AzureADTokenExchange"}}},
		"another issuer":     {claims: map[string]any{"iss": "https://other.example"}, want: "700211", words: "issuer 'https://other.example'"},
		"a slash more":       {claims: map[string]any{"iss": issuer + "/"}, want: "700211"},
		"another subject":    {claims: map[string]any{"sub": "repo:o/other"}, want: "700213", words: "subject 'repo:o/other'"},
		"another case":       {claims: map[string]any{"sub": "repo:O/r"}, want: "7002138", words: "case-sensitive"},
		"another audience":   {claims: map[string]any{"aud": "https://github.com/o"}, want: "700212", words: "audience 'https://github.com/o'"},
		"no kid":             {header: map[string]any{"kid": nil}, want: "50027"},
		"another kid":        {header: map[string]any{"kid": "other"}, want: "700027", words: "The key was not found"},
		"another key":        {key: newKey(t), want: "700027", words: "did not match"},
		"PS256":              {header: map[string]any{"alg": "PS256"}, want: "5002738"},
		"expired":            {claims: map[string]any{"exp": now.Unix()}, want: "700024"},
		"keys not to be had": {claims: map[string]any{"iss": unknown}, want: "700027", words: "The key was not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.key == nil {
				row.key = key
			}
			sub := *c
			sub.t = t
			sub.exchangeAssertion(signed(t, row.key, changed(header, row.header), changed(claims, row.claims)), nil, row.want, row.words)
		})
	}
}

// TestServer_Journal_HoldsNoAssertion: whoever has one can sign in with it until it ends.
func TestServer_Journal_HoldsNoAssertion(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	key := newKey(t)
	assertion := signed(t, key, map[string]any{"alg": "RS256", "kid": "kid"}, map[string]any{"iss": "https://issuer.example"})
	c.exchangeAssertion(assertion, nil, "700211", "")
	raw, err := json.Marshal(c.tenant.Journal())
	if err != nil || len(c.tenant.Journal()) != 1 || strings.Contains(string(raw), assertion) {
		t.Errorf("%v: %s", err, raw)
	}
}

// TestTenant_IssueToken: what a managed identity or a user's login gets, and what Graph lets it do.
func TestTenant_IssueToken(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.AddKeySet("B2C_1A_Test")
	const identity = "22222222-2222-2222-2222-222222222222"
	for name, row := range map[string]struct {
		identity    emulator.Identity
		read, write int
		words       string
		claims      map[string]any
	}{
		"managed identity":     {emulator.Identity{ClientID: identity, ManagedIdentity: "/subscriptions/s"}, 200, 200, "", map[string]any{"appid": identity, "idtyp": "app", "xms_mirid": "/subscriptions/s", "scp": nil}},
		"one that only reads":  {emulator.Identity{ClientID: identity, Roles: []string{emulator.RoleRead}}, 200, 403, "application permissions (TrustFrameworkKeySet.ReadWrite.All)", nil},
		"one without any role": {emulator.Identity{Roles: []string{}}, 403, 403, "application permissions", map[string]any{"roles": nil, "appid": c.tenant.ClientID()}},
		"user":                 {emulator.Identity{ClientID: identity, Scopes: []string{"openid", emulator.RoleReadWrite}}, 200, 200, "", map[string]any{"scp": "openid " + emulator.RoleReadWrite, "roles": nil, "idtyp": "user"}},
		"user who only reads":  {emulator.Identity{Scopes: []string{emulator.RoleRead}}, 200, 403, "delegated permissions (TrustFrameworkKeySet.ReadWrite.All)", nil},
		"user of az":           {emulator.Identity{Scopes: []string{"User.Read.All"}}, 403, 403, "delegated permissions", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, expires, err := c.tenant.IssueToken("https://graph.microsoft.com", row.identity)
			if err != nil || !expires.Equal(startTime().Add(time.Hour)) {
				t.Fatalf("got %s, %v", expires, err)
			}
			for name, want := range row.claims {
				if got := claimsOf(t, token)[name]; got != want {
					t.Errorf("%s is %v", name, got)
				}
			}
			sub := *c
			sub.t, sub.token = t, token
			if r := sub.call(http.MethodGet, "/trustFramework/keySets", ""); r.status != row.read {
				t.Errorf("read: %d %s", r.status, r.body)
			}
			r := sub.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_Test/generateKey", `{"use":"sig","kty":"oct"}`)
			if r.status != row.write || !strings.Contains(string(r.body), row.words) {
				t.Errorf("write: %d %s", r.status, r.body)
			}
		})
	}
}
