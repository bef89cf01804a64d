// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// machine signs in as what the machine or its user is, not as a configured application.
type machine struct {
	inner azcore.TokenCredential
	// takesClaims is false for the Azure CLI: azidentity fails on any claims, and the login itself would have to be
	// repeated with them. What az has cached is then all there is.
	takesClaims bool
}

func (m machine) token(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if !m.takesClaims && options.Claims == anyToken {
		options.Claims = ""
	}
	return m.inner.GetToken(ctx, options)
}

func (machine) secrets() []string { return nil }

// anyToken are claims that every token meets: package graph asks for a fresh token by them.
const anyToken = `{"access_token":{"nbf":{"essential":true,"value":"0"}}}`

func (c Config) managedIdentity() (source, error) {
	options := &azidentity.ManagedIdentityCredentialOptions{}
	// As it is: for Service Fabric azidentity takes nothing else.
	options.Transport = c.LocalTransport
	id, err := c.ClientID.Read()
	if err != nil {
		return nil, &argumentError{"client_id", err}
	}
	if id != "" {
		options.ID = azidentity.ClientID(id)
	}
	inner, err := azidentity.NewManagedIdentityCredential(options)
	return machine{inner: inner, takesClaims: true}, err
}

func (c Config) azureCLI() (source, error) {
	inner, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: c.TenantID})
	return machine{inner: inner}, err
}
