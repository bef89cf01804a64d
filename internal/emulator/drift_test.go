// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"cmp"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestTenant_Drift_ShowsAtOnceAndLeavesNoTrace(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.SetLag(time.Hour)
	c.tenant.AddKeySet("A")
	c.tenant.AddKeySet("B2C_1A_a") // there already
	nbf, exp := int64(10), int64(20)
	first := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct", Use: "enc", Nbf: &nbf, Exp: &exp})
	second := c.tenant.AddKey("b2c_1a_A", emulator.KeySpec{})
	nbf = 99 // the store has its own copy
	if got := c.tenant.Journal(); len(got) != 0 {
		t.Errorf("journal %v", got)
	}
	const set = "/trustFramework/keySets/B2C_1A_A"
	if got := c.call(http.MethodGet, set, "").kids(t); !slices.Equal(got, []string{first, second}) {
		t.Errorf("kids %q", got)
	}
	sets := c.tenant.KeySets()
	if len(sets) != 1 || len(sets[0].Keys) != 2 {
		t.Fatalf("sets %v", sets)
	}
	if k := sets[0].Keys[0]; k.Kid != first || k.Kty != "oct" || k.Use != "enc" || *k.Nbf != 10 || *k.Exp != 20 || k.Status != "enabled" || k.N != "" {
		t.Errorf("first key %v", k)
	}
	if k := sets[0].Keys[1]; k.Kid != second || k.Kty != "RSA" || k.Use != "sig" || k.Nbf != nil || k.Exp != nil || k.N == "" || k.E != "AQAB" {
		t.Errorf("second key %v", k)
	}
	*sets[0].Keys[0].Nbf = 77 // what a caller does to its copy changes nothing
	c.tenant.SetKeyStatus("A", second, false)
	if k := c.tenant.KeySets()[0].Keys; *k[0].Nbf != 10 || k[1].Status != "disabled" {
		t.Errorf("keys %v", k)
	}
	c.tenant.RemoveKey("A", first)
	if got := c.call(http.MethodGet, set, "").kids(t); !slices.Equal(got, []string{second}) {
		t.Errorf("kids after the removal %q", got)
	}
	c.tenant.RemoveKeySet("A")
	if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
}

// TestTenant_AddKey_OfACertificate: what is on the wire is the certificate's, and nothing of it private.
func TestTenant_AddKey_OfACertificate(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for issuer, length := range map[string]int{"": 1, "Authority": 2} {
		t.Run("issuer "+issuer, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{})
			c.tenant.AddKeySet("A")
			kid := c.tenant.AddKey("A", emulator.KeySpec{Use: "enc", Certificate: &emulator.CertificateSpec{
				Subject: "Leaf", Issuer: issuer, NotBefore: from, NotAfter: from.AddDate(1, 0, 0),
			}})
			var set struct{ Keys []map[string]any }
			if err := json.Unmarshal(c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").body, &set); err != nil || len(set.Keys) != 1 {
				t.Fatalf("keys %v (%v)", set.Keys, err)
			}
			key := set.Keys[0]
			chain, ok := key["x5c"].([]any)
			if !ok || len(chain) != length {
				t.Fatalf("x5c %v", key["x5c"])
			}
			var certificates []*x509.Certificate
			for _, text := range chain {
				der, err := base64.StdEncoding.DecodeString(fmt.Sprint(text))
				if err != nil {
					t.Fatal(err)
				}
				certificate, err := x509.ParseCertificate(der)
				if err != nil {
					t.Fatal(err)
				}
				certificates = append(certificates, certificate)
			}
			leaf, last := certificates[0], certificates[length-1]
			if err := last.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
				t.Errorf("the chain doesn't hold: %v", err)
			}
			if leaf.Subject.CommonName != "Leaf" || leaf.Issuer.CommonName != cmp.Or(issuer, "Leaf") || !leaf.NotBefore.Equal(from) || !leaf.NotAfter.Equal(from.AddDate(1, 0, 0)) {
				t.Errorf("subject %s, issuer %s, from %s to %s", leaf.Subject, leaf.Issuer, leaf.NotBefore, leaf.NotAfter)
			}
			public, ok := leaf.PublicKey.(*rsa.PublicKey)
			if !ok {
				t.Fatalf("a key of type %T", leaf.PublicKey)
			}
			sum := sha1.Sum(leaf.Raw) //nolint:gosec // x5t is a SHA-1
			for name, want := range map[string]any{
				"kid": kid, "kty": "RSA", "use": "enc", "nbf": nil, "exp": nil, "k": nil, "e": "AQAB",
				"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()), "x5t": base64.RawURLEncoding.EncodeToString(sum[:]),
			} {
				if got, ok := key[name]; !ok || got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
			if len(key) != 10 {
				t.Errorf("members beside those: %v", key)
			}
			c.tenant.KeySets()[0].Keys[0].X5C[0] = "changed" // what a caller does to its copy changes nothing
			if got := c.tenant.KeySets()[0].Keys[0]; got.X5C[0] != chain[0] || got.X5T != key["x5t"] {
				t.Errorf("truth %v", got)
			}
		})
	}
	t.Run("symmetric", func(t *testing.T) {
		t.Parallel()
		c := newCaller(t, emulator.Config{})
		c.tenant.AddKeySet("A")
		if kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct", Certificate: &emulator.CertificateSpec{}}); kid != "" || len(c.tenant.KeySets()[0].Keys) > 0 {
			t.Errorf("kid %q", kid)
		}
	})
}

func TestTenant_Drift_WhenThereIsNoSuchThing(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	if kid := c.tenant.AddKey("None", emulator.KeySpec{Kty: "oct"}); kid != "" {
		t.Errorf("kid %q", kid)
	}
	c.tenant.RemoveKey("None", "x")
	c.tenant.RemoveKeySet("None")
	if c.tenant.SetKeyStatus("None", "x", true) {
		t.Error("a status was set")
	}
	c.tenant.AddKeySet("A")
	if c.tenant.SetKeyStatus("A", "x", true) {
		t.Error("a status was set")
	}
}

func TestTenant_RemoveKey_LeavesTheBackupAlone(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	kid := c.generate("B2C_1A_A", octSig)
	c.tenant.SetLag(time.Minute)
	c.call(http.MethodDelete, "/trustFramework/keySets/B2C_1A_A", "").want(t, http.StatusNoContent, "")
	c.tenant.RemoveKey("A", kid)
	sets := c.tenant.KeySets()
	if len(sets) != 1 || sets[0].ID != "B2C_1A_A.bak" || len(sets[0].Keys) != 1 {
		t.Errorf("sets %v", sets)
	}
	if got := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").kids(t); len(got) != 0 {
		t.Errorf("kids of the deleted set %q", got)
	}
}
