// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// keySource is how a test that is about any request for a key makes one by a certain request.
type keySource struct {
	resource string
	// config is that of a key in the key set Signing.
	config map[string]string
	// neighbor is the certificate of a key that may stand in the set before, in PEM; "" for one that is generated.
	neighbor string
}

// keySources are those of all requests that make a key. What they are made from is for a test and all its rows: an RSA
// key takes a while.
func keySources(t *testing.T) map[emulator.Op]keySource {
	t.Helper()
	private, certificate := newCertificate(t, "mine")
	_, other := newCertificate(t, "other")
	password := rand.Text()
	file, err := pkcs12.LegacyDES.Encode(private, certificate, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	in := func(more ...string) map[string]string {
		config := map[string]string{"key_set_id": "B2C_1A_Signing"}
		for i := 0; i+1 < len(more); i += 2 {
			config[more[i]] = more[i+1]
		}
		return config
	}
	text := func(c *x509.Certificate) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return map[emulator.Op]keySource{
		emulator.OpGenerateKey:       {resource: keyType, config: signingKey()},
		emulator.OpUploadSecret:      {resource: "trustframework_uploaded_secret", config: in("use", "sig", "secret_wo", rand.Text())},
		emulator.OpUploadCertificate: {resource: "trustframework_uploaded_certificate", config: in("certificate_pem", text(certificate)), neighbor: text(other)},
		emulator.OpUploadPKCS12: {
			resource: "trustframework_uploaded_pkcs12", neighbor: text(other),
			config: in("pkcs12_wo", base64.StdEncoding.EncodeToString(file), "password_wo", password),
		},
	}
}

// newCertificate makes an RSA key and its certificate. It is for encryption: a new key that signs would be warned of.
func newCertificate(t *testing.T, name string) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: start().AddDate(-1, 0, 0), NotAfter: start().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return private, certificate
}

// prepare puts the key set Signing into a tenant, with a key that isn't the one to be made.
func (k keySource) prepare(t *testing.T, w *world) {
	t.Helper()
	w.AddKeySet("B2C_1A_Signing")
	if k.neighbor == "" {
		w.AddKey("B2C_1A_Signing", emulator.KeySpec{Kty: "oct"})
		return
	}
	config := map[string]string{"key_set_id": "B2C_1A_Signing", "certificate_pem": k.neighbor}
	if _, said := newServer(t, w).apply("trustframework_uploaded_certificate", managed{}, config); len(said) > 0 {
		t.Fatal(said)
	}
	w.ResetJournal()
}
