// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package trustframework is the domain client of Microsoft Graph beta /trustFramework: plain structs
// in and out, one *Error, and the rules by which a key is made exactly once.
package trustframework

import (
	"context"
	"log/slog"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

const (
	// DefaultSettleTime is how long a write may stay invisible before the client acts as if it hadn't
	// been made. Microsoft publishes no number.
	DefaultSettleTime = 60 * time.Second

	// leastYoungAge is what Client.YoungAge returns at least.
	leastYoungAge = 10 * time.Minute

	// idPrefix is put before a key set's name by the service if it isn't there (documented).
	idPrefix = "B2C_1A_"

	// sharedReadTimeout bounds a read that several callers wait for, which none of them may end.
	sharedReadTimeout = 5 * time.Minute

	// recoveryMargin is what recovery gets beyond its waits, for the requests themselves.
	recoveryMargin = 2 * time.Minute
)

// Config makes a Client.
type Config struct {
	// Adapter sends the requests. It must return answers whole, must not interpret them when a
	// response handler is set, and must send a POST again only if it surely wasn't worked on.
	Adapter abs.RequestAdapter
	// Clock is the time by which keys are active and waits end.
	Clock clock.Clock
	// SettleTime replaces DefaultSettleTime if it isn't zero.
	SettleTime time.Duration
	// Logger gets what happened beyond single requests; nil discards it.
	Logger *slog.Logger
	// Secrets learns what is uploaded, and says what of an answer may be told; nil for none.
	Secrets *redact.Secrets
}

// Client is one configured provider's view of a tenant. All methods may be called at the same time.
type Client struct {
	adapter    abs.RequestAdapter
	api        *sdk.TrustFrameworkRequestBuilder
	clock      clock.Clock
	settleTime time.Duration
	logger     *slog.Logger
	secrets    *redact.Secrets

	locks       locks
	snapshot    *snapshot
	listings    flights[struct{}]
	reads       flights[string]
	statusReads flights[string]
	held        held
}

// New returns a Client. It sends nothing.
func New(config Config) *Client {
	if config.SettleTime == 0 {
		config.SettleTime = DefaultSettleTime
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Secrets == nil {
		config.Secrets = &redact.Secrets{}
	}
	return &Client{
		adapter:    config.Adapter,
		api:        sdk.NewTrustFrameworkRequestBuilderInternal(map[string]string{}, config.Adapter),
		clock:      config.Clock,
		settleTime: config.SettleTime,
		logger:     config.Logger,
		secrets:    config.Secrets,
		snapshot:   newSnapshot(config.Clock),
	}
}

// YoungAge is the age below which an object that can't be seen is looked for again: the settle time, and ten minutes at least.
func (c *Client) YoungAge() time.Duration { return max(leastYoungAge, c.settleTime) }

// youngSince is the time since which whatever was made or set is young.
func (c *Client) youngSince() time.Time { return c.clock.Now().Add(-c.YoungAge()) }

// settled is the time before which every write is expected to show.
func (c *Client) settled() time.Time { return c.clock.Now().Add(-c.settleTime) }

// reserve is the part of a create's timeout that belongs to finding out what became of a POST: the
// settle time after the first one, before the second one leaves, and after it.
func (c *Client) reserve() time.Duration { return 3*c.settleTime + recoveryMargin }

// sendWindow bounds what may take place before a POST leaves, so that the reserve still fits into the
// timeout. A timeout too short for that gives half of itself, and recovery, which is never cut short,
// then takes longer than the timeout says.
func (c *Client) sendWindow(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return c.clock.WithTimeout(ctx, max(timeout-c.reserve(), timeout/2))
}

// CanonicalID is the id that the service gives to a key set of this name: with the prefix, in the
// case it was written in. An id is its own canonical id.
func CanonicalID(name string) string {
	if len(name) >= len(idPrefix) && strings.EqualFold(name[:len(idPrefix)], idPrefix) {
		return name
	}
	return idPrefix + name
}

// SameID tells whether two names or ids mean the same key set: the prefix may be missing, and case
// doesn't count (inferred: the service upper-cases ids in messages).
func SameID(a, b string) bool { return foldID(a) == foldID(b) }

// foldID is the form of an id that equal ids share, for use as a map's key.
func foldID(id string) string {
	// Of ASCII alone: a letter of another alphabet that looks like one of these must not pass for it.
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, CanonicalID(id))
}

// sharedContext is ctx for work whose result several callers wait for: it has the values of ctx but
// not its end.
func (c *Client) sharedContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return c.clock.WithTimeout(context.WithoutCancel(ctx), sharedReadTimeout)
}
