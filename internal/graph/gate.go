// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
)

// jitter is the most by which a request comes later than the pause ends.
const jitter = 250 * time.Millisecond

// gate holds all requests back while the service has asked for a pause: the limit it counts is the
// app's, not the request's.
type gate struct {
	clock clock.Clock

	mu    sync.Mutex
	until time.Time
}

// pause closes the gate for d from now on, if it isn't closed for longer.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := g.clock.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

// wait returns nil when the gate is open, or the error of ctx if that ends before.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		until := g.until
		g.mu.Unlock()
		d := until.Sub(g.clock.Now())
		if d <= 0 {
			return ctx.Err()
		}
		// Those who wait shall not all come back in one moment.
		d += rand.N(jitter) //nolint:gosec // spreads load, guards nothing
		if err := g.clock.Sleep(ctx, d); err != nil {
			return fmt.Errorf("the service asked for a pause until %s: %w", until.UTC().Format(time.RFC3339), err)
		}
	}
}
