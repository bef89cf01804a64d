// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// assertion is a signed JWT by which a client proves who it is (RFC 7523).
type assertion struct {
	header struct {
		Alg     string `json:"alg"`
		Kid     string `json:"kid"`
		X5T     string `json:"x5t"`
		X5TS256 string `json:"x5t#S256"`
	}
	claims struct {
		Iss string   `json:"iss"`
		Sub string   `json:"sub"`
		Aud audience `json:"aud"`
		Nbf *int64   `json:"nbf"`
		Exp *int64   `json:"exp"`
	}
	signed, signature []byte
}

// audience is one text or a list of them (RFC 7519, section 4.1.3).
// Kubernetes writes a list.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

func parseAssertion(text string) (a assertion, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || decodePart(parts[0], &a.header) != nil || decodePart(parts[1], &a.claims) != nil {
		return a, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	a.signed, a.signature = []byte(parts[0]+"."+parts[1]), signature
	return a, err == nil
}

// signedBy verifies the signature (RFC 7518, sections 3.3 and 3.5).
func (a assertion) signedBy(key *rsa.PublicKey) bool {
	digest := sha256.Sum256(a.signed)
	if a.header.Alg == "PS256" {
		return rsa.VerifyPSS(key, crypto.SHA256, digest[:], a.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	}
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], a.signature) == nil
}

// within tells whether a time, in Unix seconds, lies in the assertion's own.
func (a assertion) within(now int64) bool {
	return a.claims.Exp != nil && now < *a.claims.Exp && (a.claims.Nbf == nil || *a.claims.Nbf <= now)
}

func (a assertion) isFor(audiences ...string) bool {
	return slices.ContainsFunc(audiences, func(one string) bool { return slices.Contains(a.claims.Aud, one) })
}
