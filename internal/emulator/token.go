// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

// tokenLife is how long an access token is good for, on the emulator's clock.
const tokenLife = time.Hour

var (
	errTokenMalformed = errors.New("malformed token")
	errTokenSignature = errors.New("token signed by somebody else")
)

// claims is the body of an access token (documented: access-token-claims-reference).
type claims struct {
	Aud   string   `json:"aud"`
	Iss   string   `json:"iss"`
	Iat   int64    `json:"iat"`
	Nbf   int64    `json:"nbf"`
	Exp   int64    `json:"exp"`
	Appid string   `json:"appid"`
	Idtyp string   `json:"idtyp"`
	Oid   string   `json:"oid"`
	Roles []string `json:"roles,omitempty"`
	Scp   string   `json:"scp,omitempty"`
	Sub   string   `json:"sub"`
	Tid   string   `json:"tid"`
	Uti   string   `json:"uti"`
	Ver   string   `json:"ver"`
	XmsCC []string `json:"xms_cc,omitempty"`
	// XmsMirid is a managed identity's resource id.
	XmsMirid string `json:"xms_mirid,omitempty"`
}

type tokenHeader struct {
	Typ string `json:"typ"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
}

// signer issues and checks tokens. It signs with ES256 (RFC 7518, section
// 3.4), where Entra uses RS256: clients aren't to look, and starting is faster.
type signer struct {
	key *ecdsa.PrivateKey
	kid string

	mu     sync.Mutex
	opaque map[string]claims
}

func newSigner() (*signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate the token key: %w", err)
	}
	return &signer{key: key, kid: secret()[:16], opaque: map[string]claims{}}, nil
}

// issue returns a JWT, or a reference that means nothing to anybody else.
func (s *signer) issue(c claims, opaque bool) (string, error) {
	if opaque {
		token := "EwB" + secret()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opaque[token] = c
		return token, nil
	}
	header, err := json.Marshal(tokenHeader{Typ: "JWT", Alg: "ES256", Kid: s.kid})
	if err != nil {
		return "", fmt.Errorf("encode the token header: %w", err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode the token: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// verify returns the claims of a token that this signer issued. Lifetime and
// audience are the caller's to check.
func (s *signer) verify(token string) (claims, error) {
	s.mu.Lock()
	c, ok := s.opaque[token]
	s.mu.Unlock()
	if ok {
		return c, nil
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, errTokenMalformed
	}
	var header tokenHeader
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decodePart(parts[0], &header) != nil || decodePart(parts[1], &c) != nil {
		return claims{}, errTokenMalformed
	}
	if header.Alg != "ES256" || header.Kid != s.kid || len(signature) != 64 {
		return claims{}, errTokenSignature
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, v := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(&s.key.PublicKey, sum[:], r, v) {
		return claims{}, errTokenSignature
	}
	return c, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
