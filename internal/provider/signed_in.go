// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"sync"
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

// unknownTenant is why nobody can tell which tenant the provider is signed in to, though it is.
type unknownTenant struct{ err error }

func (e *unknownTenant) Error() string { return e.err.Error() }

func (e *unknownTenant) Unwrap() error { return e.err }

// signedIn knows the tenant that the provider is signed in to. It asks once, however many want to know, and
// for as long as that may take: one who leaves ends it for nobody.
type signedIn struct {
	clock clock.Clock
	ask   func(ctx context.Context) (string, error)

	mu       sync.Mutex
	asking   chan struct{} // closed when an answer has come; nil if nobody asks
	known    bool
	tenant   string
	err      error
	failedAt time.Time
}

func newSignedIn(c clock.Clock, ask func(context.Context) (string, error)) *signedIn {
	return &signedIn{clock: c, ask: ask}
}

// id returns the tenant's GUID, or "" if nothing tells. The error is that of signing in, an *unknownTenant,
// or that of ctx.
func (s *signedIn) id(ctx context.Context) (string, error) {
	s.mu.Lock()
	switch {
	case s.known:
		defer s.mu.Unlock()
		return s.tenant, nil
	case s.err != nil && s.clock.Now().Sub(s.failedAt) < signInFailureLife:
		defer s.mu.Unlock()
		return "", s.err
	}
	if s.asking == nil {
		s.asking = make(chan struct{})
		go s.find(context.WithoutCancel(ctx), s.asking)
	}
	asking := s.asking
	s.mu.Unlock()
	select {
	case <-asking:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenant, s.err
}

func (s *signedIn) find(ctx context.Context, done chan struct{}) {
	ctx, cancel := s.clock.WithTimeout(ctx, signInTimeout)
	defer cancel()
	tenant, err := s.ask(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tenant, s.err, s.asking = tenant, err, nil
	s.known, s.failedAt = err == nil, s.clock.Now()
	close(done)
}
