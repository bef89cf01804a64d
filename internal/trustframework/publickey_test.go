// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func TestKey_Certificate_IsTheFirstOfTheChain(t *testing.T) {
	t.Parallel()
	from := time.Date(2029, 5, 6, 7, 8, 9, 0, time.UTC)
	for issuer, length := range map[string]int{"": 1, "Authority": 2} {
		t.Run("issuer "+issuer, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("Test")
			w.AddKey("Test", emulator.KeySpec{Certificate: &emulator.CertificateSpec{Subject: "Leaf", Issuer: issuer, NotBefore: from, NotAfter: from.AddDate(3, 0, 0)}})
			truth := w.KeySets()[0].Keys[0]
			set, err := w.client.KeySet(t.Context(), "Test", false)
			if err != nil {
				t.Fatal(err)
			}
			key := set.Keys[0]
			if len(key.X5C) != length || !slices.Equal(key.X5C, truth.X5C) || key.X5T != truth.X5T {
				t.Errorf("x5c %v, x5t %s", key.X5C, key.X5T)
			}
			got, err := key.Certificate()
			if err != nil {
				t.Fatal(err)
			}
			der, err := base64.StdEncoding.DecodeString(truth.X5C[0])
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(der)
			want := []string{
				"CN=Leaf", "CN=" + cmp.Or(issuer, "Leaf"), leaf.SerialNumber.String(), from.String(), from.AddDate(3, 0, 0).String(),
				base64.RawURLEncoding.EncodeToString(sum[:]), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
			}
			if got := []string{got.Subject(), got.Issuer(), got.SerialNumber(), got.NotBefore().String(), got.NotAfter().String(), got.X5TS256(), got.PEM()}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			text, err := key.PublicKeyPEM()
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode([]byte(text))
			public, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := public.(*rsa.PublicKey); !ok || !p.Equal(leaf.PublicKey) {
				t.Error("the public key isn't the certificate's")
			}
		})
	}
}

func TestKey_Certificate_ThatIsNone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		x5c  []string
		want string
	}{
		"none":            {nil, ""},
		"not base64":      {[]string{"%"}, "isn't base64"},
		"not a DER":       {[]string{"AAAA"}, "read the certificate"},
		"base64url of it": {[]string{"__--"}, "isn't base64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certificate, err := trustframework.Key{X5C: row.x5c}.Certificate()
			if certificate != nil || (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, %v", certificate, err)
			}
		})
	}
}

// TestKeySet_JWKS_HoldsPublicHalvesOnly: and each in the form it has by itself.
func TestKeySet_JWKS_HoldsPublicHalvesOnly(t *testing.T) {
	t.Parallel()
	rsaKey := trustframework.Key{Kid: "a", Kty: trustframework.KtyRSA, Use: "sig", N: "AQ", E: "AQAB", Status: trustframework.StatusDisabled}
	certified := rsaKey
	certified.Kid, certified.X5C, certified.X5T = "b", []string{selfSigned(t)}, "xyz"
	unreadable := certified
	unreadable.X5C = []string{"+/=="}
	broken := rsaKey
	broken.N = "?"
	for name, row := range map[string]struct {
		keys []trustframework.Key
		want []string // the members of each key
	}{
		"a bad certificate": {[]trustframework.Key{unreadable}, []string{"e kid kty n use"}},
		"a bad modulus":     {[]trustframework.Key{broken, rsaKey}, []string{"e kid kty n use"}},
		"no keys":           {nil, nil},
		"symmetric keys":    {[]trustframework.Key{{Kid: "o", Kty: trustframework.KtyOct, Use: "sig"}}, nil},
		"RSA without n":     {[]trustframework.Key{{Kid: "o", Kty: trustframework.KtyRSA, Use: "sig", E: "AQAB"}}, nil},
		"RSA":               {[]trustframework.Key{rsaKey}, []string{"e kid kty n use"}},
		"in their order":    {[]trustframework.Key{certified, rsaKey}, []string{"e kid kty n use x5c x5t", "e kid kty n use"}},
		"one of two only":   {[]trustframework.Key{{Kid: "o", Kty: trustframework.KtyOct}, rsaKey}, []string{"e kid kty n use"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := trustframework.KeySet{Keys: row.keys}.JWKS()
			if err != nil {
				t.Fatal(err)
			}
			if len(row.want) == 0 && text != `{"keys":[]}` {
				t.Errorf("got %s", text)
			}
			var document struct{ Keys []json.RawMessage }
			if err := json.Unmarshal([]byte(text), &document); err != nil {
				t.Fatal(err)
			}
			var alone, members []string
			for _, k := range row.keys {
				if one, err := k.PublicKeyJWK(); (err != nil) != (k.N == "?") {
					t.Error(err)
				} else if one != "" {
					alone = append(alone, one)
				}
			}
			for i, raw := range document.Keys {
				var m map[string]any
				if err := json.Unmarshal(raw, &m); err != nil {
					t.Fatal(err)
				}
				members = append(members, strings.Join(slices.Sorted(maps.Keys(m)), " "))
				if i >= len(alone) || alone[i] != string(raw) {
					t.Errorf("key %d is %s", i, raw)
				}
			}
			if !slices.Equal(members, row.want) {
				t.Errorf("got %v, want %v", members, row.want)
			}
		})
	}
}

// selfSigned is a certificate of a key that isn't RSA, in base64.
func selfSigned(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}
