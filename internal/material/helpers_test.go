// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

// now is the time that the tests' certificates are valid at.
func now() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

func newRSAKey(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// issue makes a certificate of that name for the key, valid for a day around now, signed by the parent or by itself.
func issue(tb testing.TB, name string, key crypto.Signer, parent *x509.Certificate, parentKey crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(4711),
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Contoso"}},
		NotBefore:    now().Add(-12 * time.Hour),
		NotAfter:     now().Add(12 * time.Hour),
	}
	if change != nil {
		change(template)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// authority turns a template into one of a certificate authority.
func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

// withoutUse adds a KeyUsage extension with no bit set, which x509 doesn't make by itself.
func withoutUse(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 1, 0}})
}

func inPEM(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

func inBase64(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

func pkcs8(tb testing.TB, key any) []byte {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// checkMistake looks for all words in the error and for no piece of a secret. It reports whether the password is at
// fault.
func checkMistake(t *testing.T, err error, words []string, secrets ...string) (password bool) {
	t.Helper()
	var mistake *Error
	if !errors.As(err, &mistake) {
		t.Fatalf("error %v, want one with %q", err, words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q, want %q in it", err, word)
		}
	}
	checkNoSecret(t, err, secrets...)
	return mistake.Password
}

func checkNoSecret(t *testing.T, err error, secrets ...string) {
	t.Helper()
	const piece = 16
	for _, secret := range secrets {
		for begin := 0; begin == 0 || begin+piece <= len(secret); begin++ {
			if part := secret[begin:min(begin+piece, len(secret))]; part != "" && strings.TrimSpace(part) != "" && strings.Contains(err.Error(), part) {
				t.Fatalf("the error repeats a piece of %d bytes of what was read", len(part))
			}
		}
	}
}
