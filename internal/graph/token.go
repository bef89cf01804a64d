// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// challengeHeader holds the WWW-Authenticate header of a 401 while it is hidden from Kiota.
const challengeHeader = "X-Trustframework-Challenge"

// tenantForm is the form of a tenant's id.
var tenantForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

var claimsParameter = regexp.MustCompile(`(?i)\bclaims\s*=\s*"?([A-Za-z0-9+/_=-]+)"?`)

// tokenSource asks for every token with the same scope and capability, so that the credential's cache
// answers all but the first.
type tokenSource struct {
	credential azcore.TokenCredential
	scope      string
	secrets    *redact.Secrets
	renewal    chan struct{} // holds a value while somebody renews the token
}

func newTokenSource(credential azcore.TokenCredential, scope string, secrets *redact.Secrets) *tokenSource {
	return &tokenSource{credential: credential, scope: scope, secrets: secrets, renewal: make(chan struct{}, 1)}
}

// refusedToken is a token that Graph has answered with a 401, and the claims that the next one must have;
// "" if it named none.
type refusedToken struct{ token, claims string }

// token gets a token. Claims, if not empty, are those a challenge asked for; they pass the cache by.
func (s *tokenSource) token(ctx context.Context, claims string) (string, error) {
	token, err := s.credential.GetToken(ctx, policy.TokenRequestOptions{
		Scopes:    []string{s.scope},
		EnableCAE: true,
		Claims:    claims,
	})
	s.secrets.Add(token.Token)
	return token.Token, err
}

// pastCache are claims that every token meets: that there are any makes the credential ask Entra instead of
// its cache (source: azidentity's documentation of TokenRequestOptions.Claims; their form is that of the
// claims challenges that Graph sends).
const pastCache = `{"access_token":{"nbf":{"essential":true,"value":"0"}}}`

// renewed gets another token than the one that was refused without a word why: it has expired by the
// service's clock, or was revoked, while the credential's cache still takes it for good. Of all who had
// it, one asks for the next.
func (s *tokenSource) renewed(ctx context.Context, refused string) (string, error) {
	select {
	case s.renewal <- struct{}{}:
		defer func() { <-s.renewal }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	token, err := s.token(ctx, "")
	if err != nil || token != refused {
		return token, err
	}
	return s.token(ctx, pastCache)
}

// tenantID gets a token, the cached one if there is one, and returns the GUID of the tenant it is for, or
// "" if the token is opaque (source: Microsoft's "Access token claims reference", tid).
func (s *tokenSource) tenantID(ctx context.Context) (string, error) {
	token, err := s.token(ctx, "")
	if err != nil {
		return "", err
	}
	var claims struct {
		TenantID string `json:"tid"`
	}
	readClaims(token, &claims) // one that can't be read is Graph's business alone
	if !tenantForm.MatchString(claims.TenantID) {
		return "", nil // it would be kept in state
	}
	return claims.TenantID, nil
}

// claimsChallenge returns the claims that continuous access evaluation wants in the next token, or ""
// (source: Microsoft's "Claims challenges, claims requests, and client capabilities").
func claimsChallenge(header http.Header) string {
	match := claimsParameter.FindStringSubmatch(header.Get(challengeHeader))
	if match == nil {
		return ""
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		// The credential fails on what isn't an object, and would blame the sign-in.
		var object map[string]json.RawMessage
		if claims, err := encoding.DecodeString(match[1]); err == nil && json.Unmarshal(claims, &object) == nil && object != nil {
			return string(claims)
		}
	}
	return ""
}
