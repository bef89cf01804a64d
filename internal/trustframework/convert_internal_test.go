// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"testing"
)

// TestDecodeKey_ChainInAnyOrder: the key's own certificate comes first, whatever the service's order, and what can't be
// told stays as it is.
func TestDecodeKey_ChainInAnyOrder(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate := func(public any) (encoded, n string) {
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, authority)
		if err != nil {
			t.Fatal(err)
		}
		n, _ = publicKeyOf(der)
		return base64.StdEncoding.EncodeToString(der), n
	}
	own, n := certificate(&key.PublicKey)
	root, _ := certificate(&authority.PublicKey)
	for name, row := range map[string]struct {
		chain, want []string
		n           string
	}{
		"own first":             {[]string{own, root}, []string{own, root}, n},
		"root first":            {[]string{root, own}, []string{own, root}, n},
		"own in the middle":     {[]string{root, own, root}, []string{own, root, root}, n},
		"beside an unreadable":  {[]string{"?", own}, []string{own, "?"}, n},
		"of another key":        {[]string{root, own}, []string{root, own}, "AQAB"},
		"without a modulus":     {[]string{root, own}, []string{root, own}, ""},
		"a chain of one":        {[]string{root}, []string{root}, n},
		"no chain":              {nil, nil, n},
		"nothing of the key":    {[]string{root, root}, []string{root, root}, n},
		"nothing that is read":  {[]string{"?", "!"}, []string{"?", "!"}, n},
		"own twice, root first": {[]string{root, own, own}, []string{own, root, own}, n},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]any{"kid": "k", "kty": "RSA", "use": "sig", "n": row.n, "e": "AQAB", "x5c": row.chain})
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeKey(body, nil)
			if err != nil || !slices.Equal(got.X5C, row.want) {
				t.Errorf("%v, %v", got.X5C, err)
			}
		})
	}
}

// TestDecodeKey_TypeOfACertificate: the documented examples of uploaded certificates have "oct" for what must be RSA.
func TestDecodeKey_TypeOfACertificate(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"kid":"k","kty":"OCT","x5c":["MIIB"]}`: KtyRSA,
		`{"kid":"k","kty":"oct","x5t":"abc"}`:    KtyRSA,
		`{"kid":"k","kty":"oct","n":"abc"}`:      KtyRSA,
		`{"kid":"k","kty":"OCT","x5c":[]}`:       KtyOct,
		`{"kid":"k","x5t":"abc"}`:                "", // an answer that shows less of a key is known by that
	} {
		if k, err := decodeKey([]byte(body), nil); err != nil || k.Kty != want {
			t.Errorf("%s: %q, %v", body, k.Kty, err)
		}
	}
}
