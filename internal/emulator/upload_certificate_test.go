// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// noUsage is the key usage of a certificate that says so and means nothing.
func noUsage(c *x509.Certificate) {
	c.KeyUsage = 0
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 7, 0}}}
}

func TestServer_UploadCertificate(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	cert := certificate(t, key, nil)
	for name, test := range map[string]struct {
		switches emulator.Switches
		nbf, exp any
		status   string
	}{
		"default":           {emulator.Switches{}, nil, nil, "enabled"},
		"certificate dates": {emulator.Switches{CertificateDates: true, FillNbf: true}, number(cert.NotBefore), number(cert.NotAfter), "enabled"},
		"filled nbf":        {emulator.Switches{FillNbf: true}, number(startTime()), nil, "enabled"},
		"disabled at first": {emulator.Switches{DisabledAtFirst: true}, nil, nil, "disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: test.switches})
			c.make("A")
			r := c.upload("B2C_1A_A", "microsoft.graph.uploadCertificate()", keyBody(t, cert.Raw))
			r.want(t, http.StatusOK, "")
			sum := sha1.Sum(cert.Raw) //nolint:gosec // x5t is a SHA-1
			modulus := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
			thumbprint := sha256.Sum256([]byte(fmt.Sprintf(`{"e":"AQAB","kty":"RSA","n":%q}`, modulus)))
			kid := base64.RawURLEncoding.EncodeToString(thumbprint[:])
			want := map[string]any{
				"kty": "RSA", "use": "sig", "k": nil, "nbf": test.nbf, "exp": test.exp, "e": "AQAB", "n": modulus,
				"x5t": base64.RawURLEncoding.EncodeToString(sum[:]), "kid": kid,
			}
			var set struct{ Keys []map[string]any }
			dec := json.NewDecoder(strings.NewReader(string(c.call(http.MethodGet, setA, "").body)))
			dec.UseNumber()
			if err := dec.Decode(&set); err != nil || len(set.Keys) != 1 {
				t.Fatalf("key set %v (%v)", set, err)
			}
			for place, key := range map[string]map[string]any{"answer": r.object(t), "key set": set.Keys[0]} {
				for member, want := range want {
					if got, ok := key[member]; !ok || got != want {
						t.Errorf("%s: %s is %v (there: %t), want %v", place, member, got, ok, want)
					}
				}
				if x5c, ok := key["x5c"].([]any); !ok || len(x5c) != 1 || x5c[0] != base64.StdEncoding.EncodeToString(cert.Raw) {
					t.Errorf("%s: x5c is %v", place, key["x5c"])
				}
			}
			if got := c.status(kid); got != test.status {
				t.Errorf("status %q", got)
			}
		})
	}
}

func number(at time.Time) json.Number { return json.Number(fmt.Sprint(at.Unix())) }

func TestServer_UploadCertificate_DerivesUse(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	const both = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	for name, test := range map[string]struct {
		edit     func(*x509.Certificate)
		switches emulator.Switches
		want     string // empty for a refusal
	}{
		"digital signature":           {usage(x509.KeyUsageDigitalSignature), emulator.Switches{}, "sig"},
		"content commitment":          {usage(x509.KeyUsageContentCommitment), emulator.Switches{}, "sig"},
		"signature and certificates":  {usage(x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign), emulator.Switches{}, "sig"},
		"key encipherment":            {usage(x509.KeyUsageKeyEncipherment), emulator.Switches{}, "enc"},
		"data encipherment":           {usage(x509.KeyUsageDataEncipherment), emulator.Switches{BothUsagesSign: true}, "enc"},
		"key agreement":               {usage(x509.KeyUsageKeyAgreement), emulator.Switches{NoUsageSigns: true}, "enc"},
		"both":                        {usage(both), emulator.Switches{}, "enc"},
		"both, switched":              {usage(both), emulator.Switches{BothUsagesSign: true}, "sig"},
		"certificates only":           {usage(x509.KeyUsageCertSign), emulator.Switches{}, ""},
		"certificates only, switched": {usage(x509.KeyUsageCertSign), emulator.Switches{BothUsagesSign: true, NoUsageSigns: true}, ""},
		"none":                        {noUsage, emulator.Switches{NoUsageSigns: true}, ""},
		"no extension":                {usage(0), emulator.Switches{BothUsagesSign: true}, ""},
		"no extension, switched":      {usage(0), emulator.Switches{NoUsageSigns: true}, "sig"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert := certificate(t, key, test.edit)
			c := newCaller(t, emulator.Config{Switches: test.switches})
			for action, body := range map[string]string{
				"uploadCertificate": keyBody(t, cert.Raw),
				"uploadPkcs12":      pfxBody(t, pfx(t, pkcs12.LegacyDES, key, cert), plainText),
			} {
				r := c.upload(c.make(action), action, body)
				if test.want == "" {
					r.want(t, http.StatusBadRequest, "AADB2C90215")
					continue
				}
				r.want(t, http.StatusOK, "")
				if got := r.text(t, "use"); got != test.want {
					t.Errorf("%s: use %q, want %q", action, got, test.want)
				}
			}
		})
	}
}

func TestServer_UploadCertificate_WhenRefused(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, key, nil)
	der := base64.StdEncoding.EncodeToString(cert.Raw)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	text := func(s string) string { return inJSON(t, map[string]string{"key": s}) }
	c := newCaller(t, emulator.Config{})
	for _, set := range []string{"A", "Oct", "Enc"} {
		c.make(set)
	}
	c.tenant.AddKey("Oct", emulator.KeySpec{Kty: "oct"})
	c.tenant.AddKey("Enc", emulator.KeySpec{Use: "enc"})
	for name, test := range map[string]struct{ set, body, code, text string }{
		"no key":             {"A", `{}`, "AADB2C90253", "'key'"},
		"null key":           {"A", `{"key":null}`, "AADB2C90253", "'key'"},
		"white key":          {"A", text(" \n"), "AADB2C90253", "'key'"},
		"number as key":      {"A", `{"key":1}`, "AADB2C90136", "'key' has the value ''"},
		"another member":     {"A", `{"key":"` + der + `","use":"sig"}`, "AADB2C90136", "'use'"},
		"null password":      {"A", `{"key":"` + der + `","password":null}`, "AADB2C90136", "'password'"},
		"PEM":                {"A", text(string(certPEM)), "AADB2C90215", "not base64"},
		"PEM of a key":       {"A", text(string(keyPEM)), "AADB2C90215", "not base64"},
		"base64 of PEM":      {"A", keyBody(t, certPEM), "AADB2C90179", "not a valid X.509 certificate"},
		"private key":        {"A", keyBody(t, x509.MarshalPKCS1PrivateKey(key)), "AADB2C90179", "in tenant '" + c.tenant.ID() + "'"},
		"PKCS#12":            {"A", keyBody(t, pfx(t, pkcs12.LegacyDES, key, cert)), "AADB2C90179", "'B2C_1A_A'"},
		"two certificates":   {"A", keyBody(t, slices.Concat(cert.Raw, cert.Raw)), "AADB2C90179", ""},
		"half a certificate": {"A", keyBody(t, cert.Raw[:len(cert.Raw)/2]), "AADB2C90179", ""},
		"line break":         {"A", text(der[:64] + "\n" + der[64:]), "AADB2C90215", "not base64"},
		"CR LF at the end":   {"A", text(der + "\r\n"), "AADB2C90215", "not base64"},
		"base64url":          {"A", text(base64.URLEncoding.EncodeToString([]byte{0xff, 0xff, 0xff})), "AADB2C90215", "not base64"},
		"no padding":         {"A", text(base64.RawStdEncoding.EncodeToString([]byte{1})), "AADB2C90215", "not base64"},
		"elliptic curve":     {"A", keyBody(t, certificate(t, curve, nil).Raw), "AADB2C90215", "not an RSA key"},
		"short key":          {"A", keyBody(t, certificate(t, rsaKey(t, 1024), nil).Raw), "AADB2C90137", "at least 2048 bits"},
		"over now":           {"A", keyBody(t, certificate(t, key, endsAt(startTime())).Raw), "AADB2C90214", "Passed date :'2026-01-02T03:04:05'"},
		"mixed use":          {"Enc", keyBody(t, cert.Raw), "AADB2C90215", "Reason: 'The key container has a different use than the new added key'."},
		"mixed kty":          {"Oct", keyBody(t, cert.Raw), "AADB2C95032", "One can't mix RSA and Oct types"},
		"missing set":        {"None", keyBody(t, cert.Raw), "AADB2C90073", "'B2C_1A_None'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.upload("B2C_1A_"+test.set, "uploadCertificate", test.body)
			r.want(t, http.StatusBadRequest, test.code)
			if _, message, _ := r.failure(t); !strings.Contains(message, test.text) {
				t.Errorf("message %q lacks %q", message, test.text)
			}
		})
	}
}

func TestServer_UploadCertificate_InTheLastSecond(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	cert := certificate(t, rsaKey(t, 2048), endsAt(startTime().Add(time.Second)))
	c.upload(c.make("A"), "uploadCertificate", keyBody(t, cert.Raw)).want(t, http.StatusOK, "")
	c.server.Advance(time.Second)
	c.upload(c.make("B"), "uploadCertificate", keyBody(t, cert.Raw)).want(t, http.StatusBadRequest, "AADB2C90214")
}

// A renewed certificate has the same key: that is what counts, in a PKCS#12 file too.
func TestSwitches_DuplicateKeys(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	cert, renewed := certificate(t, key, nil), certificate(t, key, endsAt(startTime().AddDate(9, 0, 0)))
	uploads := []struct{ action, body string }{
		{"uploadCertificate", keyBody(t, cert.Raw)},
		{"uploadCertificate", keyBody(t, renewed.Raw)},
		{"uploadPkcs12", pfxBody(t, pfx(t, pkcs12.LegacyDES, key, cert), plainText)},
	}
	for name, switched := range map[string]bool{"default": false, "switch": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: emulator.Switches{DuplicateKeys: switched}})
			c.make("A")
			c.make("B")
			c.tenant.Inject(emulator.Fault{Op: emulator.OpUploadCertificate, Lag: time.Hour}) // what doesn't show is there
			kid := c.upload("B2C_1A_A", uploads[0].action, uploads[0].body).text(t, "kid")
			for _, u := range uploads {
				r := c.upload("B2C_1A_A", u.action, u.body)
				if switched {
					r.want(t, http.StatusOK, "")
					continue
				}
				r.want(t, http.StatusBadRequest, "AADB2C90180")
				if _, message, _ := r.failure(t); message != "The presented key '"+kid+"' of type 'RSA' already exists." {
					t.Errorf("message %q", message)
				}
			}
			if got := c.upload("B2C_1A_B", uploads[1].action, uploads[1].body).text(t, "kid"); got != kid { // another set is another matter
				t.Errorf("kid %q, then %q", kid, got)
			}
			keys := c.tenant.KeySets()[0].Keys
			seen := map[string]bool{}
			for _, k := range keys {
				seen[k.Kid] = len(k.Kid) == 43
			}
			if want := map[bool]int{false: 1, true: 4}[switched]; len(keys) != want || len(seen) != want || !seen[kid] {
				t.Errorf("keys %v", keys)
			}
		})
	}
}
