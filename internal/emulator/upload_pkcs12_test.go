// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestServer_UploadPKCS12(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf, authority := certificate(t, key, nil), certificate(t, other, usage(x509.KeyUsageCertSign))
	for name, test := range map[string]struct {
		file []byte
		want []*x509.Certificate
	}{
		"3DES":            {pfx(t, pkcs12.LegacyDES, key, leaf), []*x509.Certificate{leaf}},
		"RC2":             {pfx(t, pkcs12.LegacyRC2, key, leaf), []*x509.Certificate{leaf}},
		"chain":           {pfx(t, pkcs12.LegacyDES, key, leaf, authority), []*x509.Certificate{leaf, authority}},
		"authority first": {pfx(t, pkcs12.LegacyDES, key, authority, leaf), []*x509.Certificate{leaf, authority}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{})
			c.make("A")
			r := c.upload("B2C_1A_A", "uploadPkcs12", pfxBody(t, test.file, plainText))
			r.want(t, http.StatusOK, "")
			var want []string
			for _, cert := range test.want {
				want = append(want, base64.StdEncoding.EncodeToString(cert.Raw))
			}
			got := c.tenant.KeySets()[0].Keys[0]
			if !slices.Equal(got.X5C, want) || got.Kty != "RSA" || got.Use != "sig" || got.N != base64.RawURLEncoding.EncodeToString(key.N.Bytes()) {
				t.Errorf("key %v", got)
			}
			if r.text(t, "x5t") != got.X5T || r.text(t, "kid") != got.Kid || r.object(t)["exp"] != nil {
				t.Errorf("answer %s", r.body)
			}
			for _, private := range []string{"k", "d", "p", "q", "dp", "dq", "qi"} {
				if r.object(t)[private] != nil {
					t.Errorf("private member %q is there", private)
				}
			}
		})
	}
}

func TestServer_UploadPKCS12_WhenRefused(t *testing.T) {
	t.Parallel()
	key, stranger := rsaKey(t, 2048), rsaKey(t, 2048)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := certificate(t, key, nil)
	good := pfx(t, pkcs12.LegacyDES, key, leaf)
	trust, err := pkcs12.LegacyDES.EncodeTrustStore([]*x509.Certificate{leaf}, plainText)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := pkcs12.Passwordless.Encode(key, leaf, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	// As many bytes, and some eight million iterations.
	endless := bytes.Replace(pfx(t, pkcs12.LegacyDES.WithIterations(1<<16), key, leaf), []byte{2, 3, 1, 0, 0}, []byte{2, 3, 0x7f, 0xff, 0xff}, 1)
	body := func(file []byte) string { return pfxBody(t, file, plainText) }
	const blank = "value must not be null or white space for password"
	encoded := `"` + base64.StdEncoding.EncodeToString(good) + `"`
	c := newCaller(t, emulator.Config{})
	for _, set := range []string{"A", "Oct", "Enc"} {
		c.make(set)
	}
	c.tenant.AddKey("Oct", emulator.KeySpec{Kty: "oct"})
	c.tenant.AddKey("Enc", emulator.KeySpec{Use: "enc"})
	for name, test := range map[string]struct{ set, body, code, text string }{
		"no password":         {"A", `{"key":` + encoded + `}`, "AADB2C", blank},
		"null password":       {"A", `{"key":` + encoded + `,"password":null}`, "AADB2C", blank},
		"empty password":      {"A", pfxBody(t, good, ""), "AADB2C", blank},
		"white password":      {"A", pfxBody(t, good, " \t"), "AADB2C", blank},
		"number as password":  {"A", `{"key":` + encoded + `,"password":1}`, "AADB2C90136", "'password' has the value ''"},
		"wrong password":      {"A", pfxBody(t, good, plainText+"!"), "AADB2C90213", "The certificate password provided in request is incorrect."},
		"odd password":        {"A", pfxBody(t, good, "\U0001F511"), "AADB2C90215", ""},
		"AES":                 {"A", body(pfx(t, pkcs12.Modern2023, key, leaf)), "AADB2C90213", "password"},
		"AES and PBMAC1":      {"A", body(pfx(t, pkcs12.Modern2026, key, leaf)), "AADB2C90213", "password"},
		"AES, wrong password": {"A", pfxBody(t, pfx(t, pkcs12.Modern2023, key, leaf), "x"), "AADB2C90213", "password"},
		"no key":              {"A", `{"password":"` + plainText + `"}`, "AADB2C90253", "'key'"},
		"number as key":       {"A", `{"key":1,"password":"x"}`, "AADB2C90136", "'key' has the value ''"},
		"another member":      {"A", `{"key":` + encoded + `,"password":"x","use":"sig"}`, "AADB2C90136", "'use'"},
		"no base64":           {"A", `{"key":"~","password":"x"}`, "AADB2C90215", "not base64"},
		"certificate":         {"A", body(leaf.Raw), "AADB2C90215", "not a PKCS#12 file"},
		"half a file":         {"A", body(good[:len(good)/2]), "AADB2C90215", "not a PKCS#12 file"},
		"more than a file":    {"A", body(slices.Concat(good, []byte{5, 0})), "AADB2C90215", "not a PKCS#12 file"},
		"certificates only":   {"A", body(trust), "AADB2C90215", "one private key and its certificate"},
		"nothing encrypted":   {"A", body(bare), "AADB2C90213", "password"},
		"another's key":       {"A", body(pfx(t, pkcs12.LegacyDES, stranger, leaf)), "AADB2C90215", "one private key and its certificate"},
		"two of the key":      {"A", body(pfx(t, pkcs12.LegacyDES, key, leaf, certificate(t, key, nil))), "AADB2C90215", "one private key"},
		"elliptic curve":      {"A", body(pfx(t, pkcs12.LegacyDES, curve, certificate(t, curve, nil))), "AADB2C90215", "not an RSA key"},
		"over now":            {"A", body(pfx(t, pkcs12.LegacyDES, key, certificate(t, key, endsAt(startTime())))), "AADB2C90214", "2026-01-02T03:04:05"},
		"endless MAC":         {"A", body(remade(t, good, good, crypto.SHA1, 2_000_000_000)), "AADB2C90215", "not a PKCS#12 file"},
		"endless encryption":  {"A", body(endless), "AADB2C90215", "not a PKCS#12 file"},
		"mixed use":           {"Enc", body(good), "AADB2C90215", "The key container has a different use"},
		"mixed kty":           {"Oct", body(good), "AADB2C95032", "One can't mix RSA and Oct types"},
		"missing set":         {"None", body(good), "AADB2C90073", "'B2C_1A_None'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.upload("B2C_1A_"+test.set, "uploadPkcs12", test.body)
			r.want(t, http.StatusBadRequest, test.code)
			if _, message, _ := r.failure(t); !strings.Contains(message, test.text) || strings.Contains(message, plainText) {
				t.Errorf("message %q lacks %q", message, test.text)
			}
		})
	}
}

// What each part of a file is encrypted with counts by itself, and with the switch nothing of it does.
func TestSwitches_ModernPKCS12(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	leaf := certificate(t, key, nil)
	legacy, modern := pfx(t, pkcs12.LegacyDES, key, leaf), pfx(t, pkcs12.Modern2023, key, leaf)
	for name, test := range map[string]struct {
		file []byte
		code string // without the switch; empty if it is taken
	}{
		"legacy":           {legacy, ""},
		"modern":           {modern, "AADB2C90213"},
		"PBMAC1":           {pfx(t, pkcs12.Modern2026, key, leaf), "AADB2C90213"},
		"modern key":       {remade(t, legacy, modern, crypto.SHA1, 2048), "AADB2C90213"},
		"modern envelope":  {remade(t, modern, legacy, crypto.SHA1, 2048), "AADB2C90213"},
		"modern MAC":       {remade(t, legacy, legacy, crypto.SHA256, 2048), "AADB2C90213"},
		"legacy, put anew": {remade(t, legacy, legacy, crypto.SHA1, 2048), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, switched := range []bool{false, true} {
				c := newCaller(t, emulator.Config{Switches: emulator.Switches{ModernPKCS12: switched}})
				c.make("A")
				r := c.upload("B2C_1A_A", "uploadPkcs12", pfxBody(t, test.file, plainText))
				if test.code != "" && !switched {
					r.want(t, http.StatusBadRequest, test.code)
					continue
				}
				r.want(t, http.StatusOK, "")
				if got := r.text(t, "n"); got != base64.RawURLEncoding.EncodeToString(key.N.Bytes()) {
					t.Errorf("n %q", got)
				}
				c.make("B")
				c.upload("B2C_1A_B", "uploadPkcs12", pfxBody(t, test.file, "x")).want(t, http.StatusBadRequest, "AADB2C90213")
			}
		})
	}
}
