// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// The actions that take a key from outside.
const (
	uploadSecret      = "uploadSecret"
	uploadCertificate = "uploadCertificate"
	uploadPKCS12      = "uploadPkcs12"
)

const rsaBits = 2048

// leastHidden is how long a text must be to be kept out of the report: a short
// one stands in other words too, and is no secret.
const leastHidden = 16

// upload sends a body to an action. What is in it shows nowhere; what says what
// it is.
func (s *session) upload(ctx context.Context, n setName, action string, body object, what string) (answer, error) {
	for _, name := range []string{"k", "key", "password"} {
		if written := text(body, name); len(written) >= leastHidden {
			s.hide(written)
		}
	}
	a, err := s.write(ctx, http.MethodPost, n, "/"+action, compact(body), nil)
	a.request = s.plain("POST "+n.path("/"+action)) + ", " + what
	return a, err
}

// certified is a certificate with its key, made for a run and for nothing else.
type certified struct {
	*x509.Certificate
	key crypto.Signer
}

func newRSA(bits int) (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }

func newCurve() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// certificate is self-signed, for signatures, and good from yesterday for a
// year, unless edited.
func (s *session) certificate(key crypto.Signer, edit func(*x509.Certificate)) (certified, error) {
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(randomBytes(15)),
		Subject:      pkix.Name{CommonName: "tfconformance"},
		NotBefore:    time.Unix(s.now()-day, 0),
		NotAfter:     time.Unix(s.now()+365*day, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return certified{}, fmt.Errorf("make a certificate: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return certified{}, fmt.Errorf("read the certificate: %w", err)
	}
	made := certified{c, key}
	// They are others in each run.
	s.hide(made.base64())
	s.hide(made.x5t())
	return made, nil
}

// signing makes an RSA key with a certificate for signatures.
func (s *session) signing() (certified, error) {
	key, err := newRSA(rsaBits)
	if err != nil {
		return certified{}, err
	}
	return s.certificate(key, nil)
}

func usage(u x509.KeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.KeyUsage = u }
}

func (c certified) base64() string { return base64.StdEncoding.EncodeToString(c.Raw) }

func (c certified) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func (c certified) x5t() string {
	sum := sha1.Sum(c.Raw) //nolint:gosec // x5t is a SHA-1
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// pkcs12 is a file of the certificate and its key, in base64.
func (c certified) pkcs12(e *pkcs12.Encoder, password string, chain ...*x509.Certificate) (string, error) {
	file, err := e.Encode(c.key, c.Certificate, chain, password)
	if err != nil {
		return "", fmt.Errorf("make a PKCS#12 file: %w", err)
	}
	return base64.StdEncoding.EncodeToString(file), nil
}

// thumbprint is the kid that a key has if that is its thumbprint (RFC 7638).
func thumbprint(key object) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, text(key, "e"), text(key, "n"))))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
