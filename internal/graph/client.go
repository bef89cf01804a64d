// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package graph is the transport to Microsoft Graph: one HTTP client, one Kiota adapter on top of it,
// and the rules by which a request may be sent again.
package graph

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	textserialization "github.com/microsoft/kiota-serialization-text-go"
	msgraphgocore "github.com/microsoftgraph/msgraph-sdk-go-core"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// DefaultAttemptTimeout bounds one attempt of one request, its answer's body included.
const DefaultAttemptTimeout = 100 * time.Second

// Config says where Graph is and who asks.
type Config struct {
	// Endpoint is Graph's origin, https and without a version, such as "https://graph.microsoft.com".
	Endpoint string
	// Credential gets the tokens.
	Credential azcore.TokenCredential
	// Scope is what every token is asked for, such as "https://graph.microsoft.com/.default".
	Scope string
	// Transport sends the requests; see NewHTTPTransport.
	Transport http.RoundTripper
	// Clock times the waits between attempts.
	Clock clock.Clock
	// Logger gets a line for each attempt, without secrets; nil discards them.
	Logger *slog.Logger
	// UserAgent is the User-Agent header.
	UserAgent string
	// AttemptTimeout replaces DefaultAttemptTimeout if it isn't zero.
	AttemptTimeout time.Duration
	// Secrets learns the tokens, and says what of an answer may be logged or told; nil for none.
	Secrets *redact.Secrets
}

// Adapter is a Kiota adapter for Graph beta. Its requests share their pauses, their connections and
// their token.
type Adapter struct {
	abs.RequestAdapter
	tokens *tokenSource
}

// TenantID returns the GUID of the tenant that is signed in to, or "" if the token doesn't say. It asks
// for a token if there is none yet, and fails if there is none to be had.
func (a *Adapter) TenantID(ctx context.Context) (string, error) { return a.tokens.tenantID(ctx) }

// NewAdapter returns an Adapter. It sends nothing.
func NewAdapter(config Config) (*Adapter, error) {
	endpoint, err := parseOrigin(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.AttemptTimeout == 0 {
		config.AttemptTimeout = DefaultAttemptTimeout
	}
	if config.Secrets == nil {
		config.Secrets = &redact.Secrets{}
	}
	tokens := newTokenSource(config.Credential, config.Scope, config.Secrets)
	client := newHTTPClient(&transport{
		base:           MarkLasting(config.Transport),
		endpoint:       endpoint,
		tokens:         tokens,
		gate:           &gate{clock: config.Clock},
		clock:          config.Clock,
		logger:         config.Logger,
		userAgent:      config.UserAgent,
		attemptTimeout: config.AttemptTimeout,
		secrets:        config.Secrets,
	})
	// The token is added in transport, for each attempt and for the configured origin only, so that
	// Kiota has nothing to authenticate.
	adapter, err := msgraphgocore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, msgraphgocore.GraphClientOptions{}, parsers(), serializers(), client)
	if err != nil {
		return nil, fmt.Errorf("set up the Graph adapter: %w", err)
	}
	adapter.SetBaseUrl(endpoint.String() + "/beta")
	return &Adapter{RequestAdapter: adapter, tokens: tokens}, nil
}

// newHTTPClient returns the client that Kiota sends with. It has no timeout, for each attempt has its
// own, and follows no redirect: one would carry the token elsewhere and, as a GET, forget the body.
func newHTTPClient(t *transport) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// serializers are registered here because the SDK's root package, which does it otherwise, is never
// imported: it costs four times the build.
func serializers() serialization.SerializationWriterFactory {
	registry := serialization.NewSerializationWriterFactoryRegistry()
	for _, f := range []serialization.SerializationWriterFactory{
		jsonserialization.NewJsonSerializationWriterFactory(),
		textserialization.NewTextSerializationWriterFactory(),
	} {
		if contentType, err := f.GetValidContentType(); err == nil {
			registry.ContentTypeAssociatedFactories[contentType] = f
		}
	}
	return registry
}

func parsers() serialization.ParseNodeFactory {
	registry := serialization.NewParseNodeFactoryRegistry()
	for _, f := range []serialization.ParseNodeFactory{
		jsonserialization.NewJsonParseNodeFactory(),
		textserialization.NewTextParseNodeFactory(),
	} {
		if contentType, err := f.GetValidContentType(); err == nil {
			registry.ContentTypeAssociatedFactories[contentType] = f
		}
	}
	return registry
}

func parseOrigin(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse the Graph endpoint: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the Graph endpoint %q is not an https origin", raw)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
