// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// rsaKey takes a while, so the rows of a table share one.
func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return key
}

// certificate is self-signed, good for a year around the emulator's time, and
// for signatures, unless edited.
func certificate(t *testing.T, key crypto.Signer, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "upload.test"},
		NotBefore:    startTime().AddDate(0, -6, 0),
		NotAfter:     startTime().AddDate(0, 6, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatalf("make a certificate: %v", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("read the certificate: %v", err)
	}
	return c
}

func usage(u x509.KeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.KeyUsage = u }
}

func endsAt(at time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = at }
}

// pfx is a PKCS#12 file whose password is plainText.
func pfx(t *testing.T, e *pkcs12.Encoder, key any, leaf *x509.Certificate, chain ...*x509.Certificate) []byte {
	t.Helper()
	file, err := e.Encode(key, leaf, chain, plainText)
	if err != nil {
		t.Fatalf("make a PKCS#12 file: %v", err)
	}
	return file
}

// inJSON is a JSON object of texts.
func inJSON(t *testing.T, members map[string]string) string {
	t.Helper()
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func keyBody(t *testing.T, file []byte) string {
	t.Helper()
	return inJSON(t, map[string]string{"key": base64.StdEncoding.EncodeToString(file)})
}

func pfxBody(t *testing.T, file []byte, password string) string {
	t.Helper()
	return inJSON(t, map[string]string{"key": base64.StdEncoding.EncodeToString(file), "password": password})
}

// upload sends one of the three uploads to a key set.
func (c *caller) upload(set, action, body string) result {
	c.t.Helper()
	return c.call(http.MethodPost, "/trustFramework/keySets/"+set+"/"+action, body)
}
