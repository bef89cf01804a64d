// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"
)

// FuzzServer_AnyRequest holds the server to two promises: whatever comes in,
// there is an answer that isn't a bug's, and a failure has the right shape.
func FuzzServer_AnyRequest(f *testing.F) {
	s, err := Start(Config{Seed: 1, Switches: Switches{PageSize: 1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	t := s.NewTenant(TenantConfig{})
	t.AddKeySet("A")
	kid := t.AddKey("A", KeySpec{Kty: "oct"})
	now := s.Now().Unix()
	token, err := s.signer.issue(claims{Aud: graphAppID, Tid: t.ID(), Nbf: now, Exp: now + 86400, Roles: []string{RoleReadWrite}}, false)
	if err != nil {
		f.Fatal(err)
	}
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		f.Fatal(err)
	}
	template, err := certificateOf("fuzz.test", CertificateSpec{NotBefore: s.Now(), NotAfter: s.Now().AddDate(1, 0, 0)})
	if err != nil {
		f.Fatal(err)
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		f.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate)
	if err != nil {
		f.Fatal(err)
	}
	pfx, err := pkcs12.LegacyDES.Encode(private, leaf, nil, "x")
	if err != nil {
		f.Fatal(err)
	}
	modern, err := pkcs12.Modern2023.Encode(private, leaf, nil, "x")
	if err != nil {
		f.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString
	t.AddKeySet("RSA")
	for _, seed := range [][4]string{
		{"GET", "/beta/trustFramework/keySets", "", ""},
		{"GET", "/beta/trustFramework/keySets", "%24skiptoken=MQ", ""},
		{"GET", "/beta/trustFramework/keySets", "$skiptoken=LTE&%zz", ""},
		{"POST", "/beta/trustFramework/keySets", "", `{"id":"X","keys":[],}`},
		{"POST", "/beta/trustFramework/keySets", "", `{"id":"\u0000"}`},
		{"GET", "/beta/trustFramework/keySets('B2C_1A_A')", "", ""},
		{"GET", "/beta/trustFramework/keySets(%27a%27%27b%27)", "", ""},
		{"GET", "/beta/trustFramework/keySets(')", "", ""},
		{"GET", "/beta/trustFramework/keySets('')", "", ""},
		{"GET", "/beta/trustFramework/keySets/B2C_1A_A%2FgetActiveKey", "", ""},
		{"GET", "/beta/trustFramework/keySets/B2C_1A_A/getActiveKey()()", "", ""},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_A/generateKey", "", `{"use":"sig","kty":"oct","nbf":1e400,"exp":-0}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_A/generateKey", "", `[,]{"use":"\`},
		{"DELETE", "/beta/trustFramework/keySets/B2C_1A_A.bak", "", ""},
		{"GET", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2", "", ""},
		{"GET", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2/" + kid, "", ""},
		{"GET", "/beta/trustFramework/keySets('B2C_1A_A')/Keys_V2('" + kid + "')", "", ""},
		{"GET", "/beta/trustFramework/keySets('B2C_1A_A')/keys_v2(%27a%27%27b%27)", "", ""},
		{"GET", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2(')", "", ""},
		{"GET", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2('')/", "", ""},
		{"PATCH", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2/" + kid, "", `{"status":"disabled",}`},
		{"PATCH", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2/" + kid, "", `{"status":["enabled"],"exp":0}`},
		{"PATCH", "/beta/trustFramework/keySets/B2C_1A_A/keys_v2/x", "", "{}"},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_A/uploadSecret", "", `{"use":"sig","k":"\u00a0x","kty":"OCT","exp":null}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_A/microsoft.graph.uploadSecret()", "", `{"k":[]}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_RSA/uploadCertificate", "", `{"key":"` + text(certificate) + `"}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_RSA/uploadCertificate", "", `{"key":"` + text(certificate[:99]) + `"}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_RSA/uploadPkcs12", "", `{"key":"` + text(pfx) + `","password":"x"}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_RSA/uploadPkcs12", "", `{"key":"` + text(modern) + `","password":"x"}`},
		{"POST", "/beta/trustFramework/keySets/B2C_1A_RSA/uploadPkcs12", "", `{"key":"MAA=","password":"x"}`},
		{"GET", "/v1.0/trustFramework", "", ""},
		{"GET", "/beta/", "", ""},
		{"GET", "//", "", ""},
		{"GET", "", "", ""},
		{"OPTIONS", "*", "", ""},
		{"GET", "/x/v2.0/.well-known/openid-configuration", "", ""},
		{"POST", "/x/oauth2/v2.0/token", "", "grant_type=%zz"},
		{"GET", "/common/discovery/instance", "authorization_endpoint=https%3A%2F%2F%5B", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], []byte(seed[3]))
	}
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		plain, err := url.PathUnescape(path)
		if err != nil || method == "" {
			t.Skip()
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", strings.NewReader(string(body)))
		r.Method = method
		r.URL = &url.URL{Path: plain, RawPath: path, RawQuery: query}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.serve(w, r)
		switch {
		case w.Code < 200 || w.Code >= 500 && w.Code != http.StatusNotImplemented:
			t.Fatalf("%d %s", w.Code, w.Body)
		case w.Code >= 400 && !isEntraPath(r.URL.EscapedPath()):
			var e graphErrorBody
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Error.Code == "" || e.Error.InnerError.RequestID == "" {
				t.Fatalf("%d %s (%v)", w.Code, w.Body, err)
			}
		}
	})
}

func TestDropTrailingCommas_OnlyOutsideOfStrings(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`{"a":1,}`:             `{"a":1 }`,
		`{"a":[1, ] , }`:       `{"a":[1  ]   }`,
		`{"a":"x,}"}`:          `{"a":"x,}"}`,
		`{"a":"\\",}`:          `{"a":"\\" }`,
		`{"a":"\",}"}`:         `{"a":"\",}"}`,
		`{,}`:                  `{,}`,
		`[,]`:                  `[,]`,
		`{"a":1,,}`:            `{"a":1,,}`,
		`{"a":1,"b":2}`:        `{"a":1,"b":2}`,
		`{"a":{"b":1,},"c":2}`: `{"a":{"b":1 },"c":2}`,
	} {
		if got := string(dropTrailingCommas([]byte(given))); got != want {
			t.Errorf("%s became %s, want %s", given, got, want)
		}
	}
}
