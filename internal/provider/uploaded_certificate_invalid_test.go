// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// refused is what a client is told about a configuration: when it is validated and, if nothing is wrong with it then,
// when it is planned.
func (s *server) refused(name string, config map[string]string) (told said, validated bool) {
	s.t.Helper()
	if told := s.validate(name, config, true); told.failed() {
		return told, true
	}
	return s.look(managed{name: name}, config).said, false
}

// TestProtocol_UploadedCertificate_Invalid_IsRefusedBeforeAnythingIsSent, with an error that points at the argument and
// repeats no private key.
func TestProtocol_UploadedCertificate_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	const pem, der = "certificate_pem", "certificate_base64"
	f := newWallet()
	key, good := f.key(t, "a"), f.certificate(t, "a")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	secret := base64.StdEncoding.EncodeToString(pkcs8)
	curve := selfSigned(t, curveKey(t), nil)
	expired := selfSigned(t, key, func(c *x509.Certificate) { c.NotAfter = start().Add(-time.Second) })
	issuing := selfSigned(t, key, withUsage(x509.KeyUsageCertSign))
	for name, row := range map[string]struct {
		config map[string]string
		where  string
		texts  []string
		// planned: a certificate that can be read and can't be used is refused only where a key is to be made.
		planned bool
	}{
		"a private key in PEM":            {map[string]string{pem: pemOf("PRIVATE KEY", pkcs8)}, pem, []string{"private key", "trustframework_uploaded_pkcs12"}, false},
		"a private key beside it":         {map[string]string{pem: certificatePEM(good) + pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))}, pem, []string{"private key", "trustframework_uploaded_pkcs12"}, false},
		"a private key before it, joined": {map[string]string{pem: strings.ReplaceAll(pemOf("PRIVATE KEY", pkcs8), "\n", " ") + certificatePEM(good)}, pem, []string{"private key"}, false},
		"a private key in base64":         {map[string]string{der: secret}, der, []string{"private key"}, false},
		"a private key's PEM in base64":   {map[string]string{der: base64.StdEncoding.EncodeToString([]byte(pemOf("PRIVATE KEY", pkcs8)))}, der, []string{"private key"}, false},
		"a private key's PEM as base64":   {map[string]string{der: pemOf("PRIVATE KEY", pkcs8)}, der, []string{"private key"}, false},
		"a private key's base64 as PEM":   {map[string]string{pem: secret}, pem, []string{"private key"}, false},
		"a PFX":                           {map[string]string{der: pfx(t, key, good)}, der, []string{"PKCS#12", "trustframework_uploaded_pkcs12"}, false},
		"two certificates":                {map[string]string{pem: certificatePEM(good) + certificatePEM(curve)}, pem, []string{"holds 2 certificates", "the leaf alone"}, false},
		"two certificates in DER":         {map[string]string{der: base64.StdEncoding.EncodeToString(append(append([]byte{}, good.Raw...), curve.Raw...))}, der, []string{"2 certificates"}, false},
		"garbage as PEM":                  {map[string]string{pem: "hunter2"}, pem, []string{"holds no certificate"}, false},
		"an empty PEM":                    {map[string]string{pem: " \n"}, pem, []string{"empty"}, false},
		"an empty base64":                 {map[string]string{der: ""}, der, []string{"empty"}, false},
		"garbage as base64":               {map[string]string{der: "~~~~~~~~"}, der, []string{"isn't base64"}, false},
		"base64 of garbage":               {map[string]string{der: "Z2FyYmFnZQ=="}, der, []string{"not an X.509 certificate"}, false},
		"half a certificate":              {map[string]string{der: certificateBase64(good)[:400]}, der, []string{"not an X.509 certificate"}, false},
		"a PEM without its end":           {map[string]string{pem: certificatePEM(good)[:600]}, pem, []string{"damaged"}, false},
		"PEM as base64":                   {map[string]string{der: certificatePEM(good)}, der, []string{"Use certificate_pem"}, false},
		"PEM in base64":                   {map[string]string{der: base64.StdEncoding.EncodeToString([]byte(certificatePEM(good)))}, der, []string{"file() instead of filebase64()"}, false},
		"base64 as PEM":                   {map[string]string{pem: certificateBase64(good)}, pem, []string{"Use certificate_base64"}, false},
		"a request":                       {map[string]string{pem: pemOf("CERTIFICATE REQUEST", request)}, pem, []string{"a certificate request"}, false},
		"a request in DER":                {map[string]string{der: base64.StdEncoding.EncodeToString(request)}, der, []string{"a certificate request"}, false},
		"a public key":                    {map[string]string{pem: pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey))}, pem, []string{"a public key"}, false},
		"two that differ":                 {map[string]string{pem: certificatePEM(good), der: certificateBase64(curve)}, der, []string{"two different certificates"}, false},
		"an EC certificate":               {map[string]string{pem: certificatePEM(curve)}, pem, []string{"isn't RSA", "ECDSA"}, true},
		"an EC certificate in base64":     {map[string]string{der: certificateBase64(curve)}, der, []string{"isn't RSA"}, true},
		"expired":                         {map[string]string{pem: certificatePEM(expired)}, pem, []string{"expired at 2030-01-01T11:59:59Z"}, true},
		"for certificates only":           {map[string]string{der: certificateBase64(issuing)}, der, []string{"KeyUsage", "neither signing nor encryption"}, true},
		"none":                            {map[string]string{}, pem, []string{"can't be made without a certificate", "certificate_base64"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			row.config["key_set_id"] = "B2C_1A_Signing"
			told, validated := newServer(t, w).refused(certificateType, row.config)
			if len(told) != 1 || !told.failed() || told.where() != row.where || validated == row.planned {
				t.Errorf("at %q, validated: %t: %q", told.where(), validated, told)
			}
			for _, text := range row.texts {
				if !strings.Contains(told.String(), text) {
					t.Errorf("no %q in %q", text, told)
				}
			}
			checkConcealed(t, told.String(), map[string]string{"pkcs12_wo": secret})
			if strings.Contains(told.String(), "hunter2") || len(w.Writes()) > 0 || len(w.Requests()) > 0 {
				t.Errorf("%d requests, %q", len(w.Requests()), told)
			}
		})
	}
}

// TestProtocol_UploadedCertificate_Expired_StaysManageable: only a key about to be made needs a certificate that is
// valid.
func TestProtocol_UploadedCertificate_Expired_StaysManageable(t *testing.T) {
	t.Parallel()
	f := newWallet()
	for _, u := range uploads() {
		t.Run(u.resource, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			s := newServer(t, w)
			config := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
			made, err := s.create(u.resource, config)
			if err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(365 * 24 * time.Hour)
			made, told := s.refresh(made)
			if p := s.look(made, config); len(told) > 0 || p.changes || len(p.said) > 0 {
				t.Errorf("%q, %+v", told, p)
			}
			config["on_destroy"] = "disable"
			if made, told = s.apply(u.resource, made, config); len(told) > 0 || s.attributes(made)["on_destroy"] != "disable" || len(w.Writes()) != 1 {
				t.Errorf("%q", told)
			}
		})
	}
}

// TestProtocol_UploadedCertificate_NotYetValid is taken: whether the service does is its own affair.
func TestProtocol_UploadedCertificate_NotYetValid(t *testing.T) {
	t.Parallel()
	key := newWallet().key(t, "a")
	leaf := selfSigned(t, key, func(c *x509.Certificate) { c.NotBefore = start().Add(time.Hour) })
	for _, u := range uploads() {
		t.Run(u.resource, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			if _, err := newServer(t, w).create(u.resource, u.config(t, key, leaf, 1)); err != nil || len(w.keys("B2C_1A_Signing")) != 1 {
				t.Error(err)
			}
		})
	}
}
