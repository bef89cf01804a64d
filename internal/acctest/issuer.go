// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"
)

// ExchangeAudience is the audience of ID tokens that Entra ID exchanges.
const ExchangeAudience = "api://AzureADTokenExchange"

// Issuer makes ID tokens that Entra ID can verify, as GitHub, Azure DevOps, HCP Terraform or a cluster does.
type Issuer struct {
	// URL is its iss claim.
	URL string

	t   *testing.T
	env *Env
	key *rsa.PrivateKey
}

// NewIssuer makes an issuer's keys known to the emulator. Nobody trusts it yet: see AddFederatedCredential.
func (e *Env) NewIssuer(t *testing.T, url string) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e.Server.AddIssuer(url, "key-1", &key.PublicKey)
	return &Issuer{URL: url, t: t, env: e, key: key}
}

// Token is an ID token that begins now, by the emulator's clock, and lasts five minutes.
func (i *Issuer) Token(subject string, audience any) string {
	now := i.env.Server.Now()
	part := func(m map[string]any) string {
		raw, err := json.Marshal(m)
		if err != nil {
			i.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(map[string]any{"typ": "JWT", "alg": "RS256", "kid": "key-1"}) + "." + part(map[string]any{
		"iss": i.URL, "sub": subject, "aud": audience, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, digest[:])
	if err != nil {
		i.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
