// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// goods are what a test uploads into the key set Test. An RSA key takes a while, so that a test's rows share them.
type goods struct {
	secret, password string
	certificate      *x509.Certificate
	// renewed has the same key pair, other another one.
	renewed, other *x509.Certificate
	file           []byte
}

func newGoods(t *testing.T) goods {
	t.Helper()
	mine, theirs := newKeyPair(t), newKeyPair(t)
	g := goods{
		secret: "Canary&<é>/+= \"" + rand.Text(), password: rand.Text(),
		certificate: newCertificate(t, 1, mine), renewed: newCertificate(t, 2, mine), other: newCertificate(t, 3, theirs),
	}
	var err error
	if g.file, err = pkcs12.LegacyDES.Encode(mine, g.certificate, nil, g.password); err != nil {
		t.Fatal(err)
	}
	return g
}

func newKeyPair(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newCertificate is one for encryption.
func newCertificate(t *testing.T, serial int64, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "upload.test"}, KeyUsage: x509.KeyUsageKeyEncipherment,
		NotBefore: time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2032, 1, 1, 0, 0, 0, 0, time.UTC),
	}
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

// inputs are the uploads by the emulator's operations.
func (g goods) inputs() map[emulator.Op]trustframework.KeyInput {
	return map[emulator.Op]trustframework.KeyInput{
		emulator.OpUploadSecret:      trustframework.UploadSecretInput{KeySetID: "Test", Use: "enc", Secret: g.secret},
		emulator.OpUploadCertificate: trustframework.UploadCertificateInput{KeySetID: "Test", Certificate: g.certificate.Raw},
		emulator.OpUploadPKCS12: trustframework.UploadPKCS12Input{
			KeySetID: "Test", PKCS12: g.file, Password: g.password, Certificate: g.certificate.Raw,
		},
	}
}

// publicKey is the modulus and the exponent of a certificate, as a JSON Web Key has them.
func publicKey(t *testing.T, c *x509.Certificate) (n, e string) {
	t.Helper()
	public, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		t.Fatal("no RSA key")
	}
	return base64.RawURLEncoding.EncodeToString(public.N.Bytes()), base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes())
}
