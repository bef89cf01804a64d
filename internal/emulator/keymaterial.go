// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
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
	k.N = base64.RawURLEncoding.EncodeToString(private.N.Bytes())
	k.E = base64.RawURLEncoding.EncodeToString(big.NewInt(int64(private.E)).Bytes())
	// RFC 7638, section 3.2: the required members in lexicographic order.
	sum := sha256.Sum256([]byte(fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, k.E, k.N)))
	k.Kid = base64.RawURLEncoding.EncodeToString(sum[:])
	return k, nil
}
