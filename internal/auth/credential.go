// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// renewBefore is how long before its end a token is renewed, as MSAL does.
const renewBefore = 5 * time.Minute

// source gets a token from one method. It reads files anew, and knows no cache.
type source interface {
	token(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error)
}

// credential keeps the token of one method and checks whose it is. All callers must ask for the same scope.
type credential struct {
	method Method
	source source
	clock  clock.Clock
	// tenant returns the GUID that a token's tid must have, or "" if it may have any.
	tenant func(ctx context.Context) (string, error)
	// others becomes Error.Others.
	others  error
	secrets *redact.Secrets

	// busy holds a value while somebody asks for a token, so that those who wait can leave.
	busy chan struct{}
	last azcore.AccessToken
}

func newCredential(method Method, s source, c clock.Clock, tenant func(context.Context) (string, error), secrets *redact.Secrets) *credential {
	return &credential{method: method, source: s, clock: c, tenant: tenant, secrets: secrets, busy: make(chan struct{}, 1)}
}

// GetToken implements azcore.TokenCredential. Claims pass the cache by.
func (c *credential) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return azcore.AccessToken{}, &Error{Method: string(c.method), Message: ctx.Err().Error(), Err: ctx.Err()}
	}
	if options.Claims == "" && c.last.Token != "" && c.clock.Now().Add(renewBefore).Before(c.last.ExpiresOn) {
		return c.last, nil
	}
	token, err := c.source.token(ctx, options)
	if err != nil {
		failure := newError(string(c.method), err, c.secrets)
		failure.Others = c.others
		return azcore.AccessToken{}, failure
	}
	addSecrets(c.secrets, token.Token)
	if len(token.Token) > maxToken {
		return azcore.AccessToken{}, &Error{Method: string(c.method), Message: "The answer has a token that is too long to be one."}
	}
	if err := c.checkTenant(ctx, token.Token); err != nil {
		return azcore.AccessToken{}, err
	}
	c.last = token
	return token, nil
}

// checkTenant refuses a token of another tenant, such as a managed identity's home. An opaque token tells nothing.
func (c *credential) checkTenant(ctx context.Context, token string) error {
	got := tenantOf(token)
	if got == "" {
		return nil
	}
	want, err := c.tenant(ctx)
	if err != nil {
		return &Error{Method: string(c.method), Message: fmt.Sprintf("The token is for tenant %s. Whether that is the configured one can't be found out: %v", got, err), Err: err} // ResolveTenant's may be shown
	}
	if want != "" && !strings.EqualFold(got, want) {
		return &Error{Method: string(c.method), Message: fmt.Sprintf("The token is for tenant %s, but tenant_id is tenant %s.", got, want), OtherTenant: true}
	}
	return nil
}

// tenantOf returns the GUID of the tenant that an access token is for, or "" if the token is opaque or names something
// else than a GUID (source: Microsoft's "Access token claims reference", tid).
func tenantOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct {
		TenantID string `json:"tid"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil || !IsGUID(claims.TenantID) {
		return ""
	}
	return claims.TenantID
}
