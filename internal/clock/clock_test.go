// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
)

func clocks() map[string]clock.Clock {
	return map[string]clock.Clock{
		"real": clock.Real{},
		"fake": clocktest.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
	}
}

func TestClock_Sleep_ReturnsNilWhenTheTimeHasPassed(t *testing.T) {
	t.Parallel()
	for name, c := range clocks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := c.Now()
			if err := c.Sleep(t.Context(), 2*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if passed := c.Now().Sub(before); passed < 2*time.Millisecond {
				t.Errorf("only %s passed", passed)
			}
		})
	}
}

func TestClock_Sleep_NeverWaitsInVain(t *testing.T) {
	t.Parallel()
	for name, c := range clocks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := c.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			before := c.Now()
			if err := c.Sleep(ctx, 2*time.Hour); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if passed := c.Now().Sub(before); passed > time.Minute {
				t.Errorf("waited %s", passed)
			}
			// A context without its parent's end has no deadline either.
			if err := c.Sleep(context.WithoutCancel(ctx), time.Millisecond); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClock_Sleep_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, c := range clocks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFake_WithTimeout_EndsWhenTheClockHasMoved(t *testing.T) {
	t.Parallel()
	c := clocktest.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	ctx, cancel := c.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	inner, cancelInner := c.WithTimeout(ctx, time.Hour)
	defer cancelInner()
	c.Advance(59 * time.Second)
	if err := inner.Err(); err != nil {
		t.Fatalf("ended early: %v", err)
	}
	c.Advance(time.Second)
	<-inner.Done()
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
