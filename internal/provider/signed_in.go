// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
)

const (
	// signInTimeout bounds what finding out the tenant may take.
	signInTimeout = 5 * time.Minute
	// signInFailureLife is how long a failed sign-in stands for those who come after it: each try costs
	// Entra ID a request and the client library's own retries.
	signInFailureLife = 10 * time.Second
)

// signedIn knows the tenant that the provider is signed in to. It asks once, however many want to know.
type signedIn struct {
	clock clock.Clock
	ask   func(ctx context.Context) (string, error)

	// turn has room for the one who asks; what follows is that one's.
	turn     chan struct{}
	known    bool
	tenant   string
	err      error
	failedAt time.Time
}

func newSignedIn(c clock.Clock, ask func(context.Context) (string, error)) *signedIn {
	return &signedIn{clock: c, ask: ask, turn: make(chan struct{}, 1)}
}

// id returns the tenant's GUID, or "" if the token doesn't tell. The error is that of signing in, or of
// ctx.
func (s *signedIn) id(ctx context.Context) (string, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	switch {
	case s.known:
		return s.tenant, nil
	case s.err != nil && s.clock.Now().Sub(s.failedAt) < signInFailureLife:
		return "", s.err
	}
	s.tenant, s.err = s.ask(ctx)
	s.known, s.failedAt = s.err == nil, s.clock.Now()
	return s.tenant, s.err
}
