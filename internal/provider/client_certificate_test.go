// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
)

// clientCertificate is a certificate to sign in with.
type clientCertificate struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
	password    string
}

// newClientCertificate makes a certificate that ends so long from now in the system's time, and began two hours before.
func newClientCertificate(t *testing.T, end time.Duration) clientCertificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	until := clock.Real{}.Now().Add(end)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "terraform"}, NotBefore: until.Add(-2 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return clientCertificate{certificate: certificate, key: key, password: rand.Text()}
}

func (c clientCertificate) pkcs12(t *testing.T, encoder *pkcs12.Encoder) []byte {
	t.Helper()
	file, err := encoder.Encode(c.key, c.certificate, nil, c.password)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func (c clientCertificate) pem(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.certificate.Raw}))
}
