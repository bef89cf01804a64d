// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package auth turns a configuration into a credential that gets tokens from Entra ID.
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

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
	// Transport sends the requests for tokens; an *http.Client fits. No redirect is followed.
	Transport policy.Transporter
	// UserAgent is put before the User-Agent header of azidentity; "" leaves that alone.
	UserAgent string
	// AttemptTimeout bounds one attempt at one request; zero means 10 seconds.
	AttemptTimeout time.Duration
	// LocalTransport sends requests to the machine's own managed identity endpoint; see LocalClient.
	LocalTransport *http.Client
	// Secrets learns everything secret that is given or sent or answered, and says what of an answer may be told; nil for
	// one that nobody else shares.
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
	if config.Secrets == nil {
		config.Secrets = &redact.Secrets{}
	}
	config.addGiven()
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
	c := newCredential(method, s, clock.Real{}, tenant, config.Secrets)
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
		_, err := c.readSecret("client_secret", c.ClientSecret)
		return &application{config: c, proof: c.withSecret}, err
	case MethodOIDCToken:
		_, err := c.readSecret("oidc_token", c.OIDCToken)
		return &application{config: c, proof: c.withAssertion(c.givenToken)}, err
	case MethodAzureDevOps:
		_, err := c.requestAddress()
		return &application{config: c, proof: c.withAssertion(c.azureDevOpsToken)}, err
	case MethodGitHub:
		_, err := c.requestAddress()
		return &application{config: c, proof: c.withAssertion(c.githubToken)}, err
	case MethodAKS:
		_, err := c.readSecret(argumentFederatedToken, Text{Path: c.FederatedTokenFile})
		return &application{config: c, proof: c.withAssertion(c.aksToken)}, err
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
