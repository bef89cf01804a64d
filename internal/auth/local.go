// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
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

// anyToken are claims that every token meets: package graph asks for a fresh token by them.
const anyToken = `{"access_token":{"nbf":{"essential":true,"value":"0"}}}`

func (c Config) managedIdentity() (source, error) {
	options := &azidentity.ManagedIdentityCredentialOptions{}
	// As it is: for Service Fabric MSAL takes nothing but an *http.Client whose transport is an *http.Transport.
	options.Transport = c.LocalTransport
	options.PerRetryPolicies = []policy.Policy{localPolicy{secrets: c.Secrets}}
	options.Retry.TryTimeout = time.Minute // azidentity's own where it has one
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

// localPolicy does for requests to a managed identity's endpoint what wholeAnswers does for those to Entra ID.
type localPolicy struct{ secrets *redact.Secrets }

// Do implements policy.Policy.
func (p localPolicy) Do(req *policy.Request) (*http.Response, error) {
	if err := checkLocal(req.Raw()); err != nil {
		return nil, err
	}
	addRequest(p.secrets, req.Raw().Header, nil)
	resp, err := req.Next()
	if err != nil {
		return nil, p.secrets.Error(err)
	}
	resp.Status = fmt.Sprint(resp.StatusCode)           // the words after it are the wire's
	if body, err := runtime.Payload(resp); err == nil { // it is in memory
		addAnswer(p.secrets, body)
	}
	return resp, nil
}

// maxLocal is how many bytes a connection to a managed identity's endpoint brings at most: an answer, its header and the
// TLS around them.
const maxLocal = maxAnswer + 64<<10

// LocalClient returns the client for a machine's own managed identity endpoint, made of a transport that may have a proxy:
// without it, without redirects, and with a bound to what is read. Neither azidentity nor MSAL has one, and a transport of
// another type, which could bound the bodies, isn't what they take everywhere; so each connection has one, and is used once.
func LocalClient(base *http.Transport) *http.Client {
	transport := base.Clone()
	transport.Proxy = nil
	transport.DisableKeepAlives = true
	transport.DisableCompression = true // 1 MiB may become 1 GiB
	dial := transport.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &boundedConn{Conn: conn, left: maxLocal}, nil
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// boundedConn is a connection that ends with an error where the other side says too much.
type boundedConn struct {
	net.Conn
	left int
}

func (c *boundedConn) Read(into []byte) (int, error) {
	if c.left <= 0 {
		return 0, lasting("the answer is too long to be a token")
	}
	n, err := c.Conn.Read(into[:min(len(into), c.left)])
	c.left -= n
	return n, err
}
