// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package auth turns a configuration into a credential that gets tokens from Entra ID.
package auth

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Config says how to sign in. Other methods than a client secret join it here.
type Config struct {
	// TenantID is the tenant's GUID or one of its domain names.
	TenantID string
	// ClientID is the application's GUID.
	ClientID string
	// ClientSecret is the application's secret.
	ClientSecret string
	// AuthorityHost is the https origin of the login endpoint.
	AuthorityHost string
	// DisableInstanceDiscovery trusts AuthorityHost without asking Microsoft's list of known hosts.
	DisableInstanceDiscovery bool
	// Transport sends the requests for tokens; an *http.Client fits.
	Transport policy.Transporter
	// AttemptTimeout bounds one attempt at one request; zero means 10 seconds.
	AttemptTimeout time.Duration
}

// NewCredential returns the credential that config describes. Nothing is sent until a token is asked
// for. Errors from GetToken are of type *Error.
func NewCredential(config Config) (azcore.TokenCredential, error) {
	credential, err := azidentity.NewClientSecretCredential(config.TenantID, config.ClientID, config.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{
			ClientOptions: azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: config.AuthorityHost},
				Transport: wholeAnswers{inner: config.Transport, attemptTimeout: cmp.Or(config.AttemptTimeout, defaultAttemptTimeout)},
			},
			DisableInstanceDiscovery: config.DisableInstanceDiscovery,
		})
	if err != nil {
		return nil, fmt.Errorf("set up the client secret credential: %w", err)
	}
	return &namedCredential{method: "client secret", secret: config.ClientSecret, inner: credential}, nil
}

// Error is a refusal or failure to get a token.
type Error struct {
	// Method is the way of signing in that failed, such as "client secret".
	Method string
	// Code is Entra's error code such as "AADSTS7000215", or "" if there was no such answer.
	Code string
	// Message holds Entra's own words, or those of the failure below it.
	Message string
	// TraceID and CorrelationID are what Microsoft's support asks for; "" if there was no answer.
	TraceID, CorrelationID string
	// Err is the cause.
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("sign in with %s: %s", e.Method, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

type namedCredential struct {
	method string
	// secret is what was sent and may be repeated nowhere.
	secret string
	inner  azcore.TokenCredential
}

// GetToken implements azcore.TokenCredential.
func (c *namedCredential) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.inner.GetToken(ctx, options)
	if err != nil {
		failure := newError(c.method, err)
		failure.conceal(c.secret)
		return azcore.AccessToken{}, failure
	}
	return token, nil
}

// conceal takes the words of an answer out of the error if they repeat the secret, as a proxy's page may that shows the
// request it refuses.
func (e *Error) conceal(secret string) {
	for _, spelling := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		if spelling != "" && strings.Contains(e.Message, spelling) {
			e.Message = "The words of the answer are left out here, because they repeat the secret that was sent."
		}
	}
}

// newError takes Entra's own words out of azidentity's error, which would print a whole HTTP
// conversation around them.
func newError(method string, err error) *Error {
	e := &Error{Method: method, Message: err.Error(), Err: err}
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil {
		return e
	}
	body, readErr := io.ReadAll(failed.RawResponse.Body)
	if readErr != nil {
		return e
	}
	// Shape: RFC 6749 section 5.2 with Entra's members.
	var answer struct {
		Description   string `json:"error_description"`
		TraceID       string `json:"trace_id"`
		CorrelationID string `json:"correlation_id"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Description == "" {
		return e
	}
	// The trace and correlation ids and the time follow on lines of their own.
	e.Message, _, _ = strings.Cut(answer.Description, "\r\n")
	e.TraceID, e.CorrelationID = answer.TraceID, answer.CorrelationID
	if code, _, ok := strings.Cut(answer.Description, ":"); ok && strings.HasPrefix(code, "AADSTS") {
		e.Code = code
	}
	return e
}
