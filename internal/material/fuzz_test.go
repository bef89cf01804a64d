// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// FuzzParsePKCS12_AnyFile: a file is taken with a leaf that passes its check, or refused with an error of this
// package. What a file may ask of the processor is bound; here for less, so that many files are tried.
func FuzzParsePKCS12_AnyFile(f *testing.F) {
	key := newRSAKey(f)
	own := issue(f, "own", key, nil, nil, nil)
	for _, encoder := range []*pkcs12.Encoder{pkcs12.LegacyDES, pkcs12.LegacyRC2, pkcs12.Modern2023, pkcs12.Modern2026} {
		f.Add(encode(f, encoder.WithIterations(1), key, own), password)
	}
	file := encode(f, pkcs12.LegacyDES.WithIterations(1), key, own)
	f.Add(encode(f, pkcs12.Passwordless, key, own), "")
	f.Add(file, "wrong")
	f.Add(withIterations(f, file, 1<<31), password)
	f.Add(file[:100], password)
	f.Add([]byte{0x30, 0x80, 0x02, 0x01, 0x03, 0x30, 0x80, 0x24, 0x80}, password)
	f.Add([]byte(strings.Repeat("\x30\x84\x00\x00\xff\xff", 100)), password)
	f.Fuzz(func(t *testing.T, file []byte, password string) {
		if found, err := readLayout(file); err == nil && found.iterations > 10_000 && found.iterations <= maxIterations {
			t.Skip("it would take its time, and be right to")
		}
		got, err := ParsePKCS12(inBase64(file), password, now())
		if err == nil && strings.TrimSpace(password) == "" {
			t.Fatal("a blank password is taken")
		}
		checkFuzzed(t, err, func() *Certificate { return got.Certificate })
	})
}

// FuzzParseCertificate_AnyText: text is a certificate that can be shown and read again, or refused with an error of
// this package. With a private key in it, it is always refused.
func FuzzParseCertificate_AnyText(f *testing.F) {
	key := newRSAKey(f)
	own := issue(f, "own", key, nil, nil, nil)
	for _, text := range []string{
		"", inPEM("CERTIFICATE", own.Raw), inBase64(own.Raw), inPEM("PRIVATE KEY", pkcs8(f, key)), inBase64(pkcs8(f, key)),
		inPEM("CERTIFICATE", own.Raw) + inPEM("RSA PRIVATE KEY", []byte("x")), inPEM("CERTIFICATE", []byte{0x30, 0x00}), inPEM("PKCS7", nil),
		"MIIB", "-_-_", "====", "-----BEGIN CERTIFICATE-----", "\x30\x82", inBase64([]byte(inBase64(own.Raw))),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (*Certificate, error){ParsePEM, ParseBase64} {
			c, err := parse(text)
			if err == nil && privateKeyLine.MatchString(text) {
				t.Fatal("a private key is taken")
			}
			checkFuzzed(t, err, func() *Certificate { return c })
		}
	})
}

func checkFuzzed(t *testing.T, err error, certificate func() *Certificate) {
	t.Helper()
	if err != nil {
		var mistake *Error
		if !errors.As(err, &mistake) || mistake.Error() == "" || !utf8.ValidString(mistake.Error()) {
			t.Fatalf("error of type %T", err)
		}
		return
	}
	c := certificate()
	for _, again := range []func() (*Certificate, error){
		func() (*Certificate, error) { return ParsePEM(c.PEM()) },
		func() (*Certificate, error) { return ParseBase64(c.Base64()) },
	} {
		if same, err := again(); err != nil || !same.SameAs(c) {
			t.Fatalf("read again: %v", err)
		}
	}
	for _, shown := range []string{c.Subject(), c.Issuer(), c.SerialNumber(), c.X5T(), c.X5TS256()} {
		if !utf8.ValidString(shown) {
			t.Fatalf("not UTF-8: %q", shown)
		}
	}
	_ = c.Check(now())
}
