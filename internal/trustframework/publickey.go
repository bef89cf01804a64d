// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
)

// PublicKeyPEM returns an RSA key's public half as a PKIX "PUBLIC KEY" block, or "" for a key that has
// none to show. It fails if the service's modulus or exponent can't be read.
func (k Key) PublicKeyPEM() (string, error) {
	public, err := k.publicKey()
	if public == nil || err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encode the public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// publicKey returns the public half of an RSA key, or nil for a key that has none to show.
func (k Key) publicKey() (*rsa.PublicKey, error) {
	if !k.hasPublicKey() {
		return nil, nil
	}
	n, err := decodeInteger("n", k.N)
	if err != nil {
		return nil, err
	}
	e, err := decodeInteger("e", k.E)
	if err != nil {
		return nil, err
	}
	// Nobody's parser takes a key without a modulus.
	if n.Sign() == 0 {
		return nil, errors.New("read the public key: n is zero")
	}
	if !e.IsInt64() || e.Int64() > 1<<31-1 || e.Sign() <= 0 {
		return nil, errors.New("read the public key: e is out of range")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// PublicKeyJWK returns an RSA key's public half as a JSON Web Key (RFC 7517), or "" for a key that has
// none to show. It fails if the service's modulus or exponent can't be read.
func (k Key) PublicKeyJWK() (string, error) {
	if public, err := k.publicKey(); public == nil || err != nil {
		return "", err
	}
	jwk, err := json.Marshal(k.jwk())
	if err != nil {
		return "", fmt.Errorf("encode the public key: %w", err)
	}
	return string(jwk), nil
}

// JWKS returns the public halves of the set's keys as a JSON Web Key Set (RFC 7517, section 5), in the
// set's order. Keys that have none to show, or one that can't be read, are left out: one that a strict
// reader refuses would cost it all the others.
func (s KeySet) JWKS() (string, error) {
	document := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range s.Keys {
		if public, err := k.publicKey(); public != nil && err == nil {
			document.Keys = append(document.Keys, k.jwk())
		}
	}
	jwks, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("encode the public keys: %w", err)
	}
	return string(jwks), nil
}

// jwk is the public half of an RSA key, and of its certificate if it has one.
type jwk struct {
	Kid string   `json:"kid"`
	Kty string   `json:"kty"`
	Use string   `json:"use"`
	N   string   `json:"n"`
	E   string   `json:"e"`
	X5C []string `json:"x5c,omitempty"`
	X5T string   `json:"x5t,omitempty"`
}

// jwk leaves out a certificate that can't be read.
func (k Key) jwk() jwk {
	j := jwk{Kid: k.Kid, Kty: k.Kty, Use: k.Use, N: k.N, E: k.E}
	if _, err := k.Certificate(); err == nil {
		j.X5C, j.X5T = k.X5C, k.X5T
	}
	return j
}

func (k Key) hasPublicKey() bool { return k.Kty == KtyRSA && k.N != "" && k.E != "" }

// decodeInteger reads a Base64urlUInt (RFC 7518, section 2).
func decodeInteger(name, value string) (*big.Int, error) {
	data, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("read the public key: %s isn't base64url: %w", name, err)
	}
	return new(big.Int).SetBytes(data), nil
}
