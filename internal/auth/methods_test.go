// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
)

const (
	tenantID  = "11111111-2222-3333-4444-555555555555"
	otherID   = "99999999-2222-3333-4444-555555555555"
	clientID  = "66666666-7777-8888-9999-000000000000"
	tokenPath = "/" + tenantID + "/oauth2/v2.0/token"
)

// entra takes every proof, records it, and answers with a token of a tenant. It also is the endpoint of OIDC requests
// and of a managed identity.
type entra struct {
	*httptest.Server
	issues string // the tid of its tokens
	words  string // of its refusals
	// endpoint is the token endpoint that the OpenID document names; "" means its own.
	endpoint string

	mu       sync.Mutex
	forms    []url.Values
	requests []*http.Request
}

func newEntra(t *testing.T, issues string) *entra {
	t.Helper()
	e := &entra{issues: issues, words: "The request token is of no use."}
	e.Server = httptest.NewTLSServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *entra) accessToken() string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part("{}") + "." + part(fmt.Sprintf(`{"tid":%q}`, e.issues)) + ".c2ln"
}

func (e *entra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		base := e.URL + "/" + tenantID
		_, _ = fmt.Fprintf(w, `{"issuer":"%s/v2.0","authorization_endpoint":"%s/a","token_endpoint":%q}`, base, base, cmp.Or(e.endpoint, e.URL+tokenPath))
	case r.URL.Path == tokenPath:
		_ = r.ParseForm()
		e.forms = append(e.forms, r.PostForm)
		_, _ = fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, e.accessToken())
	case r.Header.Get("Authorization") != "Bearer canary-request":
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"message":%q}`, e.words)
	default:
		e.requests = append(e.requests, r)
		_, _ = fmt.Fprintf(w, `{"value":"from github %d","oidcToken":"from ado %d"}`, len(e.requests), len(e.requests))
	}
}

func (e *entra) config() auth.Config {
	return auth.Config{
		TenantID: tenantID, ClientID: auth.Text{Value: clientID}, AuthorityHost: e.URL, DisableInstanceDiscovery: true,
		Transport: e.Client(), LocalTransport: auth.LocalClient(&http.Transport{}),
	}
}

// pair is a certificate of a given end and its key.
func pair(t *testing.T, end time.Time) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: end.Add(-48 * time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func pfx(t *testing.T, c *x509.Certificate, key *rsa.PrivateKey, encoder *pkcs12.Encoder) string {
	t.Helper()
	file, err := encoder.Encode(key, c, nil, "canary-password")
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(file)
}

func pemOf(t *testing.T, c *x509.Certificate, key *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCredential_Certificate: the assertion is signed with the certificate's key, names it by x5t#S256, and is for this
// tenant's endpoint, whatever form the certificate comes in.
func TestCredential_Certificate(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t, time.Now().Add(24*time.Hour)) //nolint:forbidigo // MSAL and the check live in the system's time
	for name, change := range map[string]func(*auth.Config){
		"modern PKCS#12": func(c *auth.Config) { c.Certificate.Value = pfx(t, certificate, key, pkcs12.Modern) },
		"older PKCS#12":  func(c *auth.Config) { c.Certificate.Value = pfx(t, certificate, key, pkcs12.LegacyDES) },
		"PEM":            func(c *auth.Config) { c.Certificate.Path = write(t, pemOf(t, certificate, key)) },
		"both": func(c *auth.Config) {
			c.Certificate = auth.Text{Value: pfx(t, certificate, key, pkcs12.Modern), Path: write(t, pemOf(t, certificate, key))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t, tenantID)
			config := e.config()
			config.CertificatePassword = "canary-password"
			change(&config)
			if _, err := getToken(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(e.forms[0].Get("client_assertion"), ".")
			if len(parts) != 3 {
				t.Fatalf("got %d parts", len(parts))
			}
			var header struct {
				Alg  string `json:"alg"`
				X5T2 string `json:"x5t#S256"`
			}
			var claims struct {
				Aud, Iss, Sub string
				Exp           int64
			}
			for i, into := range []any{&header, &claims} {
				raw, err := base64.RawURLEncoding.DecodeString(parts[i])
				if err == nil {
					err = json.Unmarshal(raw, into)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			thumbprint := sha256.Sum256(certificate.Raw)
			digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			signature, err := base64.RawURLEncoding.DecodeString(parts[2])
			if err == nil {
				err = rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest[:], signature, nil)
			}
			if err != nil || header.Alg != "PS256" || header.X5T2 != base64.StdEncoding.EncodeToString(thumbprint[:]) {
				t.Errorf("header %+v: %v", header, err)
			}
			if claims.Aud != e.URL+tokenPath || claims.Iss != clientID || claims.Sub != clientID {
				t.Errorf("claims %+v", claims)
			}
		})
	}
}

func TestNewCredential_RefusesACertificateThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	now := time.Now() //nolint:forbidigo // the check lives in the system's time
	good, key := pair(t, now.Add(24*time.Hour))
	expired, expiredKey := pair(t, now.Add(-time.Hour))
	early, earlyKey := pair(t, now.Add(72*time.Hour))
	for name, row := range map[string]struct {
		certificate    auth.Text
		password       string
		argument, want string
	}{
		"expired":         {auth.Text{Value: pfx(t, expired, expiredKey, pkcs12.Modern)}, "canary-password", "client_certificate", "expired at"},
		"expired PEM":     {auth.Text{Path: write(t, pemOf(t, expired, expiredKey))}, "", "client_certificate_path", "expired at"},
		"not yet valid":   {auth.Text{Path: write(t, pemOf(t, early, earlyKey))}, "", "client_certificate_path", "is valid from"},
		"wrong password":  {auth.Text{Value: pfx(t, good, key, pkcs12.Modern)}, "canary-wrong", "client_certificate_password", "doesn't open"},
		"no password":     {auth.Text{Value: pfx(t, good, key, pkcs12.Modern)}, "", "client_certificate_password", "none is given"},
		"no base64":       {auth.Text{Value: "canary!"}, "", "client_certificate", "is not base64"},
		"no PKCS#12":      {auth.Text{Value: "Y2FuYXJ5"}, "", "client_certificate", "can't be read as a PKCS#12"},
		"no file":         {auth.Text{Path: "/nowhere.pem"}, "", "client_certificate_path", "can't be read"},
		"another's key":   {auth.Text{Path: write(t, pemOf(t, good, expiredKey))}, "", "client_certificate_path", "belongs to none"},
		"no key":          {auth.Text{Path: write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.Raw}))}, "", "client_certificate_path", "no private key"},
		"two that differ": {auth.Text{Value: pfx(t, good, key, pkcs12.Modern), Path: write(t, pemOf(t, early, earlyKey))}, "canary-password", "client_certificate_path", "is valid from"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := auth.Config{TenantID: tenantID, ClientID: auth.Text{Value: clientID}, AuthorityHost: "https://127.0.0.1", Certificate: row.certificate, CertificatePassword: row.password}
			_, _, err := auth.NewCredential(config)
			argument, problem := auth.ArgumentOf(err)
			if argument != row.argument || problem == nil || !strings.Contains(problem.Error(), row.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestCredential_OIDC: what each way gets for an ID token is what Entra ID is sent, anew for each token.
func TestCredential_OIDC(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change         func(*auth.Config)
		first, second  string
		method         string
		query, address string
	}{
		"token":        {func(c *auth.Config) { c.UseOIDC, c.OIDCToken.Value = true, "given" }, "given", "given", "", "", ""},
		"GitHub":       {func(c *auth.Config) { c.UseOIDC = true }, "from github 1", "from github 2", "GET", "api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange", "/request?api-version=2.0"},
		"own audience": {func(c *auth.Config) { c.UseOIDC = true }, "from github 1", "from github 2", "GET", "audience=own", "/request?audience=own"},
		"Azure DevOps": {func(c *auth.Config) { c.UseOIDC, c.ServiceConnectionID = true, "connection" }, "from ado 1", "from ado 2", "POST", "api-version=7.1&serviceConnectionId=connection", "/request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t, tenantID)
			config := e.config()
			config.OIDCRequestURL, config.OIDCRequestToken = e.URL+row.address, "canary-request"
			row.change(&config)
			credential, _, err := auth.NewCredential(config)
			if err != nil {
				t.Fatal(err)
			}
			for _, claims := range []string{"", "", `{"access_token":{}}`} { // the second is answered from the cache
				options := policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}, EnableCAE: true, Claims: claims}
				if _, err := credential.GetToken(t.Context(), options); err != nil {
					t.Fatal(err)
				}
			}
			if len(e.forms) != 2 || e.forms[0].Get("client_assertion") != row.first || e.forms[1].Get("client_assertion") != row.second {
				t.Errorf("got %v", e.forms)
			}
			for _, r := range e.requests {
				if r.Method != row.method || r.URL.RawQuery != row.query {
					t.Errorf("%s %s", r.Method, r.URL)
				}
			}
		})
	}
}

func TestCredential_OIDC_ReadsTheFileAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *auth.Config, file string){
		"token file": func(c *auth.Config, file string) { c.UseOIDC, c.OIDCToken.Path = true, file },
		"AKS":        func(c *auth.Config, file string) { c.UseAKSWorkloadIdentity, c.FederatedTokenFile = true, file },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t, tenantID)
			config, file := e.config(), write(t, []byte("one\n"))
			change(&config, file)
			credential, _, err := auth.NewCredential(config)
			if err != nil {
				t.Fatal(err)
			}
			options := policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}, Claims: "{}"}
			for _, content := range []string{"one", "two"} {
				if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := credential.GetToken(t.Context(), options); err != nil {
					t.Fatal(err)
				}
				if got := e.forms[len(e.forms)-1].Get("client_assertion"); got != content {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}

func TestCredential_OIDC_ErrorsNameTheRequestAndNoSecret(t *testing.T) {
	t.Parallel()
	e := newEntra(t, tenantID)
	config := e.config()
	config.UseOIDC, config.OIDCRequestURL, config.OIDCRequestToken = true, e.URL+"/request?k=canary", "canary-wrong"
	_, err := getToken(t.Context(), config)
	var failure *auth.Error
	if !errors.As(err, &failure) || !strings.Contains(err.Error(), "refused the OIDC request with status 403. It says: The request token is of no use.") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	e.words = "You sent canary-wrong."
	if _, err = getToken(t.Context(), config); err == nil || !strings.Contains(err.Error(), "left out") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	config.OIDCRequestURL = "http://user:canary@ci.example/x"
	if _, _, err = auth.NewCredential(config); err == nil || !strings.Contains(err.Error(), "Only https") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestCredential_RefusesATokenOfAnotherTenant(t *testing.T) {
	t.Parallel()
	e := newEntra(t, otherID)
	config := e.config()
	config.ClientSecret = auth.Text{Value: "canary"}
	_, err := getToken(t.Context(), config)
	var failure *auth.Error
	if !errors.As(err, &failure) || !failure.OtherTenant || !strings.Contains(failure.Message, tenantID) || !strings.Contains(failure.Message, otherID) {
		t.Errorf("got %v", err)
	}
}

// TestCredential_OfTheMachine reads the process's environment, so that it runs alone.
func TestCredential_OfTheMachine(t *testing.T) {
	for name, issues := range map[string]string{"same tenant": tenantID, "other tenant": otherID} {
		t.Run(name, func(t *testing.T) {
			e := newEntra(t, issues)
			calls := 0
			endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if r.Header.Get("X-Identity-Header") != "canary" || r.URL.Query().Get("client_id") != issues || r.URL.Query().Get("resource") != "https://graph.microsoft.com" {
					w.WriteHeader(http.StatusBadRequest)
				}
				_, _ = fmt.Fprintf(w, `{"access_token":%q,"expires_on":"%d","resource":"r","token_type":"Bearer"}`, e.accessToken(), time.Now().Add(time.Hour).Unix()) //nolint:forbidigo // azidentity lives in the system's time
			}))
			defer endpoint.Close()
			dir := t.TempDir()
			script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %s/calls\necho '{\"accessToken\":\"%s\",\"expires_on\":%d}'\n", dir, e.accessToken(), time.Now().Add(time.Hour).Unix()) //nolint:forbidigo // as above
			if err := os.WriteFile(filepath.Join(dir, "az"), []byte(script), 0o700); err != nil {                                                                                    //nolint:gosec // it is a program
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			t.Setenv("IDENTITY_ENDPOINT", endpoint.URL)
			t.Setenv("IDENTITY_HEADER", "canary")
			for method, change := range map[auth.Method]func(*auth.Config){
				auth.MethodManagedIdentity: func(c *auth.Config) { c.UseMSI = true },
				auth.MethodCLI:             func(c *auth.Config) { c.UseCLI = true },
			} {
				config := e.config()
				config.ClientID.Value = issues // MSAL keeps tokens of managed identities by this, for the whole process
				change(&config)
				credential, got, err := auth.NewCredential(config)
				if err != nil || got != method {
					t.Fatalf("got %q, %v", got, err)
				}
				for range 3 { // one call each: az would be run for every request
					_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}, EnableCAE: true})
					var failure *auth.Error
					if other := errors.As(err, &failure) && failure.OtherTenant; other != (issues == otherID) || !other && err != nil {
						t.Errorf("%s: got %v", method, err)
					}
				}
			}
			if issues == tenantID {
				arguments, err := os.ReadFile(filepath.Join(dir, "calls"))
				if err != nil || string(arguments) != "account get-access-token -o json --resource https://graph.microsoft.com --tenant "+tenantID+"\n" || calls != 1 {
					t.Errorf("%d calls, az %q, %v", calls, arguments, err)
				}
			}
		})
	}
}
