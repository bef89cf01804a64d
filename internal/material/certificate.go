// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"time"
)

// What a key of a certificate may be for, as a key's `use` names it.
const (
	useSignature  = "sig"
	useEncryption = "enc"
)

// Certificate is an X.509 certificate, with what Terraform shows of it.
type Certificate struct {
	// DER is the certificate as it was read.
	DER []byte

	parsed *x509.Certificate
}

// PEM returns the certificate as one "CERTIFICATE" block.
func (c *Certificate) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: c.DER}))
}

// Base64 returns the DER in standard base64, which is what uploadCertificate takes.
func (c *Certificate) Base64() string { return base64.StdEncoding.EncodeToString(c.DER) }

// Subject returns the subject's distinguished name (RFC 2253).
func (c *Certificate) Subject() string { return c.parsed.Subject.String() }

// Issuer returns the issuer's distinguished name (RFC 2253).
func (c *Certificate) Issuer() string { return c.parsed.Issuer.String() }

// SerialNumber returns the serial number in decimal.
func (c *Certificate) SerialNumber() string { return c.parsed.SerialNumber.String() }

// NotBefore returns the time from which on the certificate is valid.
func (c *Certificate) NotBefore() time.Time { return c.parsed.NotBefore }

// NotAfter returns the last second in which the certificate is valid.
func (c *Certificate) NotAfter() time.Time { return c.parsed.NotAfter }

// X5T returns the SHA-1 thumbprint, base64url without padding (RFC 7515, section 4.1.7).
func (c *Certificate) X5T() string {
	sum := sha1.Sum(c.DER) //nolint:gosec // names a certificate, protects nothing
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// X5TS256 returns the SHA-256 thumbprint, base64url without padding (RFC 7515, section 4.1.8).
func (c *Certificate) X5TS256() string {
	sum := sha256.Sum256(c.DER)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Uses returns the values of a key's `use` that the certificate's KeyUsage allows: signing with digitalSignature or
// nonRepudiation, encryption with keyEncipherment or dataEncipherment. Without the extension both are allowed; nil
// means that it is there and allows neither. How the service derives the use is unknown.
func (c *Certificate) Uses() []string {
	if !c.hasKeyUsage() {
		return []string{useSignature, useEncryption}
	}
	var uses []string
	if c.parsed.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0 {
		uses = append(uses, useSignature)
	}
	if c.parsed.KeyUsage&(x509.KeyUsageKeyEncipherment|x509.KeyUsageDataEncipherment) != 0 {
		uses = append(uses, useEncryption)
	}
	return uses
}

// hasKeyUsage tells an absent extension from one without a bit, which x509 shows alike.
func (c *Certificate) hasKeyUsage() bool {
	keyUsage := asn1.ObjectIdentifier{2, 5, 29, 15}
	for _, extension := range c.parsed.Extensions {
		if extension.Id.Equal(keyUsage) {
			return true
		}
	}
	return false
}

// SameAs reports whether both are the same certificate, byte for byte.
func (c *Certificate) SameAs(other *Certificate) bool {
	return other != nil && bytes.Equal(c.DER, other.DER)
}

// Check says why the certificate can't be a policy key: its public key isn't RSA, its KeyUsage allows neither signing
// nor encryption, or it has expired by now.
func (c *Certificate) Check(now time.Time) error {
	if _, ok := c.parsed.PublicKey.(*rsa.PublicKey); !ok {
		return mistake("The certificate has a public key that isn't RSA (%s). A policy key from a certificate is an RSA key: "+
			"have the certificate issued for one.", keyAlgorithm(c.parsed))
	}
	if c.Uses() == nil {
		return mistake("The certificate's KeyUsage extension allows neither signing nor encryption. The service derives the key's use " +
			"from it: have the certificate issued with digitalSignature to sign, or with keyEncipherment to encrypt.")
	}
	if now.After(c.NotAfter()) {
		return mistake("The certificate expired at %s. Upload one that is valid.", c.NotAfter().UTC().Format(time.RFC3339))
	}
	return nil
}

func keyAlgorithm(c *x509.Certificate) string {
	if c.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm {
		return "of an unknown kind"
	}
	return c.PublicKeyAlgorithm.String()
}
