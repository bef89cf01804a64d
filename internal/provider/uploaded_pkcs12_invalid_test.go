// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/x509"
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_UploadedPKCS12_Invalid_IsRefusedBeforeAnythingIsSent, with an error that points at the file or at its
// password and repeats nothing of either, on a service that takes modern files as on one that doesn't.
func TestProtocol_UploadedPKCS12_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	const file, password = "pkcs12_wo", "password_wo"
	f := newWallet()
	key, good := f.key(t, "a"), f.certificate(t, "a")
	curve := curveKey(t)
	stranger := selfSigned(t, curve, func(c *x509.Certificate) { c.Subject.CommonName = "stranger.test" })
	ca, caKey := authority(t)
	trust, err := pkcs12.LegacyDES.EncodeTrustStore([]*x509.Certificate{good}, pfxPassword)
	if err != nil {
		t.Fatal(err)
	}
	raw := func(encoded string) string {
		binary, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		return string(binary)
	}
	legacy := pfx(t, key, good)
	for name, row := range map[string]struct {
		file, password string // "" for the usual password
		where          string
		texts          []string
		validated      bool
	}{
		"AES and SHA-256":       {file: pfxBy(t, pkcs12.Modern2023, key, good, pfxPassword), where: file, texts: []string{"AES-256-CBC", "SHA-256 MAC", "AADB2C90213", "even if the password is right", "openssl pkcs12 -export", "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"}},
		"AES and PBMAC1":        {file: pfxBy(t, pkcs12.Modern2026, key, good, pfxPassword), where: file, texts: []string{"AES-256-CBC", "PBMAC1", "openssl pkcs12 -export"}},
		"AES, wrong password":   {file: pfxBy(t, pkcs12.Modern2023, key, good, pfxPassword), password: "another", where: file, texts: []string{"AES-256-CBC", "openssl pkcs12 -export"}},
		"without encryption":    {file: passwordless(t, key, good), where: file, texts: []string{"no encryption with no MAC"}},
		"wrong password":        {file: legacy, password: "another-password", where: password, texts: []string{"doesn't open"}},
		"a line break after":    {file: legacy, password: pfxPassword + "\n", where: password, texts: []string{"line break at the end of the password"}},
		"blank password":        {file: legacy, password: " \t", where: password, texts: []string{"empty or only white space"}, validated: true},
		"an emoji in it":        {file: legacy, password: strings.Repeat("\U0001F511", 2), where: password, texts: []string{"can't hold"}},
		"no private key":        {file: base64.StdEncoding.EncodeToString(trust), where: file, texts: []string{"No private key", "trustframework_uploaded_certificate"}},
		"two leaves":            {file: pfx(t, key, good, stranger), where: file, texts: []string{"2 certificates that aren't the issuer"}},
		"another's key":         {file: pfx(t, f.key(t, "b"), good), where: file, texts: []string{"doesn't belong to its certificate"}},
		"an EC key":             {file: pfx(t, curve, selfSigned(t, curve, nil)), where: file, texts: []string{"isn't RSA"}},
		"expired":               {file: pfx(t, key, selfSigned(t, key, func(c *x509.Certificate) { c.NotAfter = start().Add(-time.Second) })), where: file, texts: []string{"expired at 2030-01-01T11:59:59Z"}},
		"expired, with issuer":  {file: pfx(t, key, signed(t, key.Public(), ca, caKey, func(c *x509.Certificate) { c.NotAfter = start().Add(-time.Hour) }), ca), where: file, texts: []string{"expired at 2030-01-01T11:00:00Z"}},
		"for certificates only": {file: pfx(t, key, selfSigned(t, key, withUsage(x509.KeyUsageCertSign))), where: file, texts: []string{"KeyUsage", "digitalSignature"}},
		"garbage":               {file: "Z2FyYmFnZSBnYXJiYWdl", where: file, texts: []string{"not a PKCS#12 file"}},
		"not base64":            {file: "~~~~~~~~", where: file, texts: []string{"isn't base64"}},
		"binary":                {file: strings.ToValidUTF8(raw(legacy), "\uFFFD"), where: file, texts: []string{"filebase64() instead of file()"}},
		"base64 twice":          {file: base64.StdEncoding.EncodeToString([]byte(legacy)), where: file, texts: []string{"encoded in base64 twice"}},
		"half a file":           {file: base64.StdEncoding.EncodeToString([]byte(raw(legacy)[:900])), where: file, texts: []string{"PKCS#12 file"}},
		"an empty file":         {file: " ", where: file, texts: []string{"empty or only white space"}, validated: true},
		"PEM":                   {file: certificatePEM(good), where: file, texts: []string{"PEM"}},
		"a certificate":         {file: certificateBase64(good), where: file, texts: []string{"trustframework_uploaded_certificate"}},
	} {
		for _, switches := range []emulator.Switches{{}, {ModernPKCS12: true}} {
			t.Run(name+map[bool]string{true: ", on a service that takes modern files"}[switches.ModernPKCS12], func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, switches)
				config := map[string]string{"key_set_id": "B2C_1A_Signing", file: row.file, password: pfxPassword, "pkcs12_wo_version": "1"}
				if row.password != "" {
					config[password] = row.password
				}
				told, validated := newServer(t, w).refused(pkcs12Type, config)
				if len(told) != 1 || !told.failed() || told.where() != row.where || validated != row.validated {
					t.Errorf("at %q, validated: %t: %q", told.where(), validated, told)
				}
				for _, text := range row.texts {
					if !strings.Contains(told.String(), text) {
						t.Errorf("no %q in %q", text, told)
					}
				}
				if row.password != " \t" && strings.Contains(told.String(), config[password]) {
					t.Error("the password is in the error")
				}
				checkConcealed(t, told.String(), config)
				if len(w.Requests()) > 0 {
					t.Errorf("%d requests", len(w.Requests()))
				}
			})
		}
	}
}

// passwordless is a file that nothing protects.
func passwordless(t *testing.T, key any, leaf *x509.Certificate) string {
	t.Helper()
	return pfxBy(t, pkcs12.Passwordless, key, leaf, "")
}

// TestProtocol_UploadedPKCS12_Missing: a key can't be made without both; one that is there needs neither.
func TestProtocol_UploadedPKCS12_Missing(t *testing.T) {
	t.Parallel()
	f, u := newWallet(), uploads()[1]
	whole := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
	for name, missing := range map[string][]string{"file": {"pkcs12_wo"}, "password": {"password_wo"}, "both": {"pkcs12_wo", "password_wo"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			config := maps.Clone(whole)
			for _, argument := range missing {
				delete(config, argument)
			}
			s := newServer(t, w)
			told, validated := s.refused(pkcs12Type, config)
			if len(told) != len(missing) || told.where() != missing[0] || validated || !strings.Contains(told.String(), "Secret is missing") || len(w.Requests()) > 0 {
				t.Errorf("at %q: %q", told.where(), told)
			}
			made, err := s.create(pkcs12Type, whole)
			if err != nil {
				t.Fatal(err)
			}
			if p := s.look(made, config); p.changes || len(p.said) > 0 {
				t.Errorf("%+v", p)
			}
			config["pkcs12_wo_version"] = "2"
			if p := s.look(made, config); !p.said.failed() || p.said.where() != missing[0] {
				t.Errorf("another version: %+v", p)
			}
		})
	}
}

// TestProtocol_UploadedPKCS12_WithoutWriteOnly: a client that is too old is told what is needed.
func TestProtocol_UploadedPKCS12_WithoutWriteOnly(t *testing.T) {
	t.Parallel()
	f, u := newWallet(), uploads()[1]
	config := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
	s := newServer(t, signingWorld(t, emulator.Switches{}))
	told := s.validate(pkcs12Type, config, false)
	if where := told.where(); where != "pkcs12_wo" && where != "password_wo" || !told.failed() || !strings.Contains(told.String(), "only supported in Terraform 1.11 and later") {
		t.Errorf("at %q: %q", told.where(), told)
	}
	checkConcealed(t, told.String(), config)
	if told := s.validate(pkcs12Type, config, true); len(told) > 0 {
		t.Errorf("a client that can: %q", told)
	}
	// A key that was imported needs neither.
	if told := s.validate(pkcs12Type, map[string]string{"key_set_id": "Signing"}, false); len(told) > 0 {
		t.Errorf("without them: %q", told)
	}
}
