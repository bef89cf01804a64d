// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

func TestCertificate_WhatTerraformShows(t *testing.T) {
	t.Parallel()
	key := newRSAKey(t)
	ca := issue(t, "CA", key, nil, nil, authority)
	x := issue(t, "leaf", key, ca, key, nil)
	c, err := ParsePEM(inPEM("CERTIFICATE", x.Raw))
	if err != nil {
		t.Fatal(err)
	}
	sum1, sum256 := sha1.Sum(x.Raw), sha256.Sum256(x.Raw) //nolint:gosec // x5t is a SHA-1 thumbprint
	for _, row := range []struct{ what, got, want string }{
		{"PEM", c.PEM(), inPEM("CERTIFICATE", x.Raw)},
		{"Base64", c.Base64(), inBase64(x.Raw)},
		{"Subject", c.Subject(), "CN=leaf,O=Contoso"},
		{"Issuer", c.Issuer(), "CN=CA,O=Contoso"},
		{"SerialNumber", c.SerialNumber(), "4711"},
		{"NotBefore", c.NotBefore().Format(time.RFC3339), "2030-01-01T00:00:00Z"},
		{"NotAfter", c.NotAfter().Format(time.RFC3339), "2030-01-02T00:00:00Z"},
		{"X5T", c.X5T(), base64.RawURLEncoding.EncodeToString(sum1[:])},
		{"X5TS256", c.X5TS256(), base64.RawURLEncoding.EncodeToString(sum256[:])},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, want %q", row.what, row.got, row.want)
		}
	}
	again, err := ParseBase64(c.Base64())
	if err != nil || !again.SameAs(c) {
		t.Errorf("the same in base64: %v, same %t", err, again.SameAs(c))
	}
	if c.SameAs(nil) || c.SameAs(&Certificate{DER: ca.Raw, parsed: ca}) {
		t.Error("another certificate, or none, is the same")
	}
}

func TestCertificate_Uses(t *testing.T) {
	t.Parallel()
	key := newRSAKey(t)
	for name, row := range map[string]struct {
		usage x509.KeyUsage
		want  []string
	}{
		"signs":           {x509.KeyUsageDigitalSignature, []string{"sig"}},
		"nonRepudiation":  {x509.KeyUsageContentCommitment, []string{"sig"}},
		"wraps keys":      {x509.KeyUsageKeyEncipherment, []string{"enc"}},
		"encrypts":        {x509.KeyUsageDataEncipherment, []string{"enc"}},
		"both":            {x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, []string{"sig", "enc"}},
		"absent":          {0, []string{"sig", "enc"}},
		"an authority's":  {x509.KeyUsageCertSign | x509.KeyUsageCRLSign, nil},
		"key agreement's": {x509.KeyUsageKeyAgreement, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := issue(t, "leaf", key, nil, nil, func(c *x509.Certificate) { c.KeyUsage = row.usage })
			if got := (&Certificate{DER: x.Raw, parsed: x}).Uses(); !slices.Equal(got, row.want) {
				t.Errorf("uses %q, want %q", got, row.want)
			}
		})
	}
	t.Run("there without a bit", func(t *testing.T) {
		t.Parallel()
		x := issue(t, "leaf", key, nil, nil, withoutUse)
		if got := (&Certificate{DER: x.Raw, parsed: x}).Uses(); got != nil {
			t.Errorf("uses %q, want none", got)
		}
	})
}

func TestCertificate_Check(t *testing.T) {
	t.Parallel()
	key := newRSAKey(t)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := issue(t, "leaf", key, nil, nil, nil)
	for name, row := range map[string]struct {
		certificate *x509.Certificate
		now         time.Time
		words       []string
	}{
		"valid":              {good, now(), nil},
		"not yet valid":      {good, now().AddDate(-1, 0, 0), nil},
		"in its last second": {good, good.NotAfter, nil},
		"a second after":     {good, good.NotAfter.Add(time.Second), []string{"expired at 2030-01-02T00:00:00Z", "Upload one that is valid"}},
		"not RSA":            {issue(t, "leaf", other, nil, nil, nil), now(), []string{"isn't RSA (Ed25519)"}},
		"an authority":       {issue(t, "leaf", key, nil, nil, authority), now(), []string{"KeyUsage", "digitalSignature", "keyEncipherment"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := (&Certificate{DER: row.certificate.Raw, parsed: row.certificate}).Check(row.now)
			if row.words == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkMistake(t, err, row.words)
		})
	}
}

func TestParse_Certificate(t *testing.T) {
	t.Parallel()
	key := newRSAKey(t)
	x := issue(t, "leaf", key, nil, nil, nil)
	block := inPEM("CERTIFICATE", x.Raw)
	for name, row := range map[string]struct {
		parse func(string) (*Certificate, error)
		text  string
	}{
		"PEM":                     {ParsePEM, block},
		"PEM with text around":    {ParsePEM, "Bag Attributes\n    localKeyID: 01\nsubject=CN = leaf\n" + block + "\n# the end\n"},
		"PEM with CRLF":           {ParsePEM, strings.ReplaceAll(block, "\n", "\r\n")},
		"PEM with a BOM":          {ParsePEM, "\uFEFF" + block},
		"PEM with another block":  {ParsePEM, inPEM("DH PARAMETERS", []byte("x")) + block},
		"base64":                  {ParseBase64, inBase64(x.Raw)},
		"base64 with line breaks": {ParseBase64, " " + inBase64(x.Raw)[:64] + "\r\n\t" + inBase64(x.Raw)[64:] + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := row.parse(row.text)
			if err != nil || string(c.DER) != string(x.Raw) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestParse_Certificate_Refused(t *testing.T) {
	t.Parallel()
	key := newRSAKey(t)
	x := issue(t, "leaf", key, nil, nil, nil)
	private := []string{"private key", "stored in the state", "trustframework_uploaded_pkcs12"}
	pkcs1, key8 := x509.MarshalPKCS1PrivateKey(key), pkcs8(t, key)
	file, err := pkcs12.LegacyDES.Encode(key, x, nil, "pw")
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	// What an encrypted PKCS#8 key and a SEC 1 key begin with is all that is looked at.
	encrypted, sec1 := []byte{0x30, 0x0b, 0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x04, 0x02, 0x01, 0x02}, []byte{0x30, 0x07, 0x02, 0x01, 0x01, 0x04, 0x02, 0x01, 0x02}
	block, coded := inPEM("CERTIFICATE", x.Raw), inBase64(x.Raw)
	type row struct {
		text  string
		words []string
	}
	for name, row := range map[string]row{
		"with a private key":              {block + inPEM("PRIVATE KEY", key8), private},
		"with an RSA private key":         {inPEM("RSA PRIVATE KEY", pkcs1) + block, private},
		"with an encrypted private key":   {block + inPEM("ENCRYPTED PRIVATE KEY", encrypted), private},
		"with a private key cut short":    {block + inPEM("PRIVATE KEY", key8)[:200], private},
		"with a private key in one line":  {block + strings.ReplaceAll(inPEM("PRIVATE KEY", key8), "\n", `\n`), private},
		"a private key in a wrong block":  {inPEM("CERTIFICATE", key8), private},
		"a PKCS#12 file in a wrong block": {inPEM("CERTIFICATE", file), []string{"PKCS#12", "private key", "trustframework_uploaded_pkcs12"}},
		"a private key in base64":         {inBase64(key8), private},
		"three certificates":              {block + block + block, []string{"3 certificates", "the leaf alone"}},
		"empty":                           {" \n", []string{"empty", "-----BEGIN CERTIFICATE-----"}},
		"something":                       {"hunter2", []string{"no certificate", "-----BEGIN CERTIFICATE-----"}},
		"base64 without a frame":          {coded, []string{"certificate_base64"}},
		"END is missing":                  {block[:300], []string{"damaged", "END", "file()"}},
		"joined lines":                    {strings.ReplaceAll(block, "\n", `\n`), []string{"damaged", "lines"}},
		"a request":                       {inPEM("CERTIFICATE REQUEST", request), []string{"a certificate request (CERTIFICATE REQUEST)"}},
		"PKCS#7":                          {inPEM("PKCS7", []byte("x")), []string{"PKCS7", "openssl pkcs7 -print_certs"}},
		"a public key":                    {inPEM("PUBLIC KEY", public), []string{"a public key (PUBLIC KEY)"}},
		"a trusted certificate":           {inPEM("TRUSTED CERTIFICATE", x.Raw), []string{"TRUSTED CERTIFICATE", "openssl x509"}},
		"a revocation list":               {inPEM("X509 CRL", []byte("x")), []string{"revocation list"}},
		"another block":                   {inPEM("HUNTER2 UNHEARD OF", []byte("x")), []string{"another type"}},
		"no X.509 in it":                  {inPEM("CERTIFICATE", []byte("hunter2")), []string{"not an X.509 certificate", "openssl x509"}},
	} {
		t.Run("PEM/"+name, func(t *testing.T) {
			t.Parallel()
			_, err := ParsePEM(row.text)
			checkMistake(t, err, row.words, inPEM("", key8), inPEM("", pkcs1), coded, "hunter2", "HUNTER2")
		})
	}
	for name, row := range map[string]row{
		"PEM":                   {block, []string{"certificate_pem"}},
		"PEM of a private key":  {inPEM("PRIVATE KEY", key8), private},
		"PEM once more":         {inBase64([]byte(block)), []string{"PEM", "once more", "certificate_pem", "file()"}},
		"PEM of a key again":    {inBase64([]byte(block + inPEM("PRIVATE KEY", key8))), private},
		"PKCS#8":                {inBase64(key8), private},
		"PKCS#1":                {inBase64(pkcs1), private},
		"SEC 1":                 {inBase64(sec1), private},
		"encrypted PKCS#8":      {inBase64(encrypted), private},
		"a PKCS#12 file":        {inBase64(file), []string{"PKCS#12", "private key", "trustframework_uploaded_pkcs12"}},
		"a PKCS#12 file, BER":   {inBase64([]byte{0x30, 0x80, 0x02, 0x01, 0x03, 0x30, 0x80}), []string{"PKCS#12"}},
		"base64url":             {base64.RawURLEncoding.EncodeToString([]byte{0xff, 0xef, 0xbe, 0xff, 0xff, 0xff}), []string{"base64url", "standard base64"}},
		"not base64":            {"hunter2!", []string{"isn't base64", "filebase64()"}},
		"bytes":                 {"0\x82\x03" + string(x.Raw), []string{"bytes of a file", "filebase64()"}},
		"bytes made characters": {"0\uFFFD\u0003", []string{"bytes of a file"}},
		"cut short":             {coded[:401], []string{"incomplete", "multiple of four"}},
		"twice":                 {inBase64([]byte(coded)), []string{"twice", "base64encode()"}},
		"empty":                 {"", []string{"empty"}},
		"a request":             {inBase64(request), []string{"a certificate request"}},
		"a public key":          {inBase64(public), []string{"a public key"}},
		"a PKCS#1 public key":   {inBase64(x509.MarshalPKCS1PublicKey(&key.PublicKey)), []string{"a public key"}},
		"PKCS#7":                {inBase64([]byte{0x30, 0x0f, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x02, 0x30, 0x00}), []string{"a PKCS#7 file"}},
		"two certificates":      {inBase64(append(slices.Clone(x.Raw), x.Raw...)), []string{"2 certificates", "the leaf alone"}},
		"half of it":            {inBase64(x.Raw[:300]), []string{"damaged"}},
		"too much":              {inBase64(make([]byte, maxSize+1)), []string{"1 MiB"}},
	} {
		t.Run("base64/"+name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseBase64(row.text)
			checkMistake(t, err, row.words, inBase64(key8), inPEM("", key8), coded, row.text[:min(len(row.text), 5000)])
		})
	}
}
