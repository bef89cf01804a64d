// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
)

// Certificate reads the key's own certificate, the first of X5C. It is nil for a key that has none. It
// fails if the certificate can't be read.
func (k Key) Certificate() (*material.Certificate, error) {
	if len(k.X5C) == 0 {
		return nil, nil
	}
	der, err := base64.StdEncoding.DecodeString(k.X5C[0])
	if err != nil {
		return nil, fmt.Errorf("read the certificate: x5c isn't base64: %w", err)
	}
	c, err := material.ParseDER(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return c, nil
}

// isOf tells whether a key shows that it is that of a certificate (DER): by the certificate itself, or by its
// thumbprint.
func (k Key) isOf(certificate []byte) bool {
	if shown, ok := k.shownCertificate(); ok {
		return bytes.Equal(shown, certificate)
	}
	thumbprint, ok := k.thumbprint()
	return ok && thumbprint == sha1.Sum(certificate) //nolint:gosec // x5t is a SHA-1
}

// mayBeOf tells whether a key can be that of a certificate (DER), as far as it shows. Certificates that are renewed may
// have the same public key.
func (k Key) mayBeOf(certificate []byte) bool {
	_, showsCertificate := k.shownCertificate()
	_, showsThumbprint := k.thumbprint()
	switch {
	case k.Kty != KtyRSA:
		return false
	case showsCertificate, showsThumbprint:
		return k.isOf(certificate)
	case k.N == "":
		return true
	}
	n, _ := publicKeyOf(certificate)
	return n == "" || n == k.N
}

// shownCertificate is the key's own certificate in DER, if it shows one.
func (k Key) shownCertificate() ([]byte, bool) {
	if len(k.X5C) == 0 {
		return nil, false
	}
	der, err := base64.StdEncoding.DecodeString(k.X5C[0])
	return der, err == nil
}

// thumbprint is the certificate's SHA-1, if the key shows it: in base64url (documented), base64, or hex as the portal
// has it.
func (k Key) thumbprint() (sum [sha1.Size]byte, ok bool) {
	text := strings.TrimRight(k.X5T, "=")
	for _, decode := range []func(string) ([]byte, error){base64.RawURLEncoding.DecodeString, base64.RawStdEncoding.DecodeString, hex.DecodeString} {
		if data, err := decode(text); err == nil && len(data) == sha1.Size {
			return [sha1.Size]byte(data), true
		}
	}
	return sum, false
}

// withPublicKeyOf puts the type and the public key of a certificate (DER) into the answer to its upload, which in the
// documented examples is that of a secret.
func (k Key) withPublicKeyOf(certificate []byte) Key {
	k.Kty = KtyRSA
	if k.N == "" || k.E == "" {
		k.N, k.E = publicKeyOf(certificate)
	}
	return k
}

// publicKeyOf is the modulus and the exponent of a certificate's RSA key, base64url; "" if it has none.
func publicKeyOf(certificate []byte) (n, e string) {
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return "", ""
	}
	public, ok := parsed.PublicKey.(*rsa.PublicKey)
	if !ok {
		return "", ""
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
}
