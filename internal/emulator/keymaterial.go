// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
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
	"fmt"
	"math/big"
)

// rsaBits is the size of generated RSA keys. No source states it; 2048 is what
// the documented "e": "AQAB" and common practice suggest.
const rsaBits = 2048

// newKey makes a key and drops its private parts at once. The kid of an RSA
// key is its thumbprint (RFC 7638), that of a symmetric key is random: both
// have the 43 characters of the documented examples, the algorithm is unknown.
// For a symmetric key there is nothing else to make, as nobody can read it.
func newKey(ids *seeded, kty, use string, nbf, exp *int64) (Key, error) {
	k := Key{Kty: kty, Use: use, Nbf: copyInt(nbf), Exp: copyInt(exp), Status: statusEnabled}
	if kty != ktyRSA {
		k.Kid = base64.RawURLEncoding.EncodeToString(ids.bytes(sha256.Size))
		return k, nil
	}
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return Key{}, fmt.Errorf("generate an RSA key: %w", err)
	}
	k.setPublic(&private.PublicKey)
	return k, nil
}

// newCertificateKey is newKey for the key of a certificate made for it.
func newCertificateKey(c CertificateSpec, use string, nbf, exp *int64) (Key, error) {
	chain, public, err := newChain(c)
	if err != nil {
		return Key{}, err
	}
	k := Key{Kty: ktyRSA, Use: use, Nbf: copyInt(nbf), Exp: copyInt(exp), Status: statusEnabled}
	k.setPublic(public)
	k.setChain(chain)
	return k, nil
}

// setChain takes certificates in DER, leaf first.
func (k *Key) setChain(chain [][]byte) {
	k.X5C = nil
	for _, der := range chain {
		k.X5C = append(k.X5C, base64.StdEncoding.EncodeToString(der)) // not base64url: RFC 7517, section 4.7
	}
	sum := sha1.Sum(chain[0]) //nolint:gosec // x5t is a SHA-1
	k.X5T = base64.RawURLEncoding.EncodeToString(sum[:])
}

func (k *Key) setPublic(public *rsa.PublicKey) {
	k.N = base64.RawURLEncoding.EncodeToString(public.N.Bytes())
	k.E = base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes())
	// RFC 7638, section 3.2: the required members in lexicographic order.
	sum := sha256.Sum256([]byte(fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, k.E, k.N)))
	k.Kid = base64.RawURLEncoding.EncodeToString(sum[:])
}

// newChain makes a certificate, and its authority's if it has one, in DER and
// leaf first. The private keys are dropped on return.
func newChain(c CertificateSpec) (chain [][]byte, public *rsa.PublicKey, err error) {
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, nil, fmt.Errorf("generate an RSA key: %w", err)
	}
	leaf, err := certificateOf(c.Subject, c)
	if err != nil {
		return nil, nil, err
	}
	issuer, signer := leaf, crypto.Signer(private)
	if c.Issuer != "" {
		if issuer, err = certificateOf(c.Issuer, c); err != nil {
			return nil, nil, err
		}
		issuer.IsCA, issuer.KeyUsage = true, x509.KeyUsageCertSign
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, nil, fmt.Errorf("generate the issuer's key: %w", err)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, issuer, &private.PublicKey, signer)
	if err != nil {
		return nil, nil, fmt.Errorf("create the certificate: %w", err)
	}
	chain = [][]byte{der}
	if c.Issuer != "" {
		if der, err = x509.CreateCertificate(rand.Reader, issuer, issuer, signer.Public(), signer); err != nil {
			return nil, nil, fmt.Errorf("create the issuer's certificate: %w", err)
		}
		chain = append(chain, der)
	}
	return chain, &private.PublicKey, nil
}

func certificateOf(name string, c CertificateSpec) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             c.NotBefore,
		NotAfter:              c.NotAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}, nil
}
