// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// application signs in as the application, with what a reading of the configuration yields: azidentity's own
// credentials take it once, while the files that it comes from are replaced. None of them is kept, and with them MSAL's
// cache: the tokens are kept one level above.
type application struct {
	config Config
	// proof reads what proves to be the application, and returns azidentity's credential for it.
	proof func(ctx context.Context, clientID string) (azcore.TokenCredential, error)
}

func (a *application) token(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	clientID, err := a.config.ClientID.Read()
	if err != nil {
		return azcore.AccessToken{}, &argumentError{"client_id", err}
	}
	inner, err := a.proof(ctx, clientID)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return inner.GetToken(ctx, options)
}

// clientOptions are azcore's for a client whose requests all go to an origin.
func (c Config) clientOptions(origin string) azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: c.AuthorityHost},
		Transport: wholeAnswers{
			inner: c.direct(), origin: origin, attemptTimeout: cmp.Or(c.AttemptTimeout, defaultAttemptTimeout), userAgent: c.UserAgent, secrets: c.Secrets,
		},
	}
}

func (c Config) withSecret(_ context.Context, clientID string) (azcore.TokenCredential, error) {
	secret, err := c.readSecret("client_secret", c.ClientSecret)
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientSecretCredential(c.TenantID, clientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: c.clientOptions(c.AuthorityHost), DisableInstanceDiscovery: c.DisableInstanceDiscovery})
}

func (c Config) withCertificate(_ context.Context, clientID string) (azcore.TokenCredential, error) {
	pair, err := c.readCertificate()
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientCertificateCredential(c.TenantID, clientID, pair.certificates, pair.key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: c.clientOptions(c.AuthorityHost), DisableInstanceDiscovery: c.DisableInstanceDiscovery})
}

// withAssertion exchanges an ID token. It is got before azidentity is asked, which would keep no chain to the error.
func (c Config) withAssertion(get func(ctx context.Context) (string, error)) func(context.Context, string) (azcore.TokenCredential, error) {
	return func(ctx context.Context, clientID string) (azcore.TokenCredential, error) {
		assertion, err := get(ctx)
		if err != nil {
			return nil, err
		}
		return c.assertionCredential(clientID, assertion)
	}
}

func (c Config) assertionCredential(clientID, assertion string) (azcore.TokenCredential, error) {
	return azidentity.NewClientAssertionCredential(c.TenantID, clientID,
		func(context.Context) (string, error) { return assertion, nil },
		&azidentity.ClientAssertionCredentialOptions{ClientOptions: c.clientOptions(c.AuthorityHost), DisableInstanceDiscovery: c.DisableInstanceDiscovery})
}

// keyPair is a certificate to sign in with, its chain after it.
type keyPair struct {
	certificates []*x509.Certificate
	key          crypto.PrivateKey
}

// argumentError is what is wrong with an argument's value or file.
type argumentError struct {
	argument string
	err      error
}

func (e *argumentError) Error() string { return e.argument + ": " + e.err.Error() }

func (e *argumentError) Unwrap() error { return e.err }
