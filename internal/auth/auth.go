// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package auth turns a configuration into a credential that gets tokens from Entra ID.
package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// Config says how to sign in. Select tells which of the methods it asks for.
type Config struct {
	// TenantID is the tenant's GUID or one of its domain names.
	TenantID string
	// ClientID is the application's GUID, or that of a user-assigned managed identity.
	ClientID Text
	// ClientSecret is the application's secret.
	ClientSecret Text
	// Certificate is a PKCS#12 file in base64, or a path of one or of a PEM file, with its private key.
	Certificate Text
	// CertificatePassword is the password of Certificate, and "" if it has none.
	CertificatePassword string
	// UseOIDC allows the methods that exchange an ID token.
	UseOIDC bool
	// OIDCToken is an ID token that the application trusts.
	OIDCToken Text
	// OIDCRequestURL and OIDCRequestToken are where and with what a CI service is asked for an ID token.
	OIDCRequestURL, OIDCRequestToken string
	// ServiceConnectionID is the GUID of the Azure DevOps service connection to ask for; "" means GitHub's protocol.
	ServiceConnectionID string
	// UseAKSWorkloadIdentity takes the ID token that AKS keeps in FederatedTokenFile.
	UseAKSWorkloadIdentity bool
	FederatedTokenFile     string
	// UseMSI asks the machine's managed identity, UseCLI the login of the Azure CLI.
	UseMSI, UseCLI bool
	// AuthorityHost is the https origin of the login endpoint.
	AuthorityHost string
	// DisableInstanceDiscovery trusts AuthorityHost without asking Microsoft's list of known hosts.
	DisableInstanceDiscovery bool
	// Transport sends the requests for tokens; an *http.Client fits.
	Transport policy.Transporter
	// UserAgent is put before the User-Agent header of azidentity; "" leaves that alone.
	UserAgent string
	// AttemptTimeout bounds one attempt at one request; zero means 10 seconds.
	AttemptTimeout time.Duration
	// LocalTransport sends requests to the machine's own managed identity endpoint, past every proxy.
	LocalTransport *http.Client
	// Secrets learns everything secret that is given or sent or answered, and says what of an answer may be told; nil for
	// none.
	Secrets *redact.Secrets
}

// NewCredential returns the credential of the method that config asks for. Nothing is sent until a token is asked
// for; what can be checked before is. The error is a *NotConfigured, or names an argument (see ArgumentOf). Errors from
// GetToken are of type *Error.
func NewCredential(config Config) (azcore.TokenCredential, Method, error) {
	method, err := Select(config)
	if err != nil {
		return nil, "", err
	}
	if _, err := config.ClientID.Read(); err != nil {
		return nil, method, &argumentError{"client_id", err}
	}
	s, err := config.source(method)
	if err != nil {
		return nil, method, err
	}
	tenant := func(ctx context.Context) (string, error) { return ResolveTenant(ctx, config) }
	if _, ok := s.(*application); ok {
		if !IsGUID(config.TenantID) {
			// The token comes from the endpoint of the domain's own tenant: there is nothing to look up.
			tenant = func(context.Context) (string, error) { return "", nil }
		}
		// Of azidentity's own checks, which else came with the first token: the tenant's form, the authority.
		if _, err := config.assertionCredential("client", ""); err != nil {
			return nil, method, fmt.Errorf("set up the %s credential: %w", method, err)
		}
	}
	c := newCredential(method, s, clock.Real{}, tenant)
	if method == MethodCLI {
		config.UseCLI = false
		_, c.others = Select(config)
	}
	return c, method, nil
}

func (c Config) source(method Method) (source, error) {
	switch method {
	case MethodCertificate:
		_, err := c.readCertificate()
		return &application{config: c, proof: c.withCertificate}, err
	case MethodSecret:
		if _, err := c.ClientSecret.Read(); err != nil {
			return nil, &argumentError{"client_secret", err}
		}
		return &application{config: c, proof: c.withSecret}, nil
	case MethodOIDCToken:
		if _, err := c.OIDCToken.Read(); err != nil {
			return nil, &argumentError{"oidc_token", err}
		}
		return &application{config: c, proof: c.withAssertion(c.givenToken)}, nil
	case MethodAzureDevOps:
		_, err := c.requestAddress()
		return &application{config: c, proof: c.withAssertion(c.azureDevOpsToken)}, err
	case MethodGitHub:
		_, err := c.requestAddress()
		return &application{config: c, proof: c.withAssertion(c.githubToken)}, err
	case MethodAKS:
		if _, err := (Text{Path: c.FederatedTokenFile}).Read(); err != nil {
			return nil, &argumentError{argumentFederatedToken, err}
		}
		return &application{config: c, proof: c.withAssertion(c.aksToken)}, nil
	case MethodManagedIdentity:
		return c.managedIdentity()
	default:
		return c.azureCLI()
	}
}

// ArgumentOf returns the provider's argument, or the environment variable, that an error is about, and what is wrong with
// it; "" if it is about none.
func ArgumentOf(err error) (argument string, problem error) {
	var e *argumentError
	if errors.As(err, &e) {
		return e.argument, e.err
	}
	return "", nil
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
	// OtherTenant is true if there is a token, and it is another tenant's.
	OtherTenant bool
	// Others is a *NotConfigured of all other methods if the Azure CLI was asked, which needs nothing to be configured.
	Others error
	// Err is the cause.
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("sign in with %s: %s", e.Method, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

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
		if words := wordsOf(body); words != "" { // App Service's form
			e.Message = fmt.Sprintf("The answer has status %d. It says: %s", failed.RawResponse.StatusCode, words)
		}
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
