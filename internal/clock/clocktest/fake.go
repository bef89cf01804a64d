// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package clocktest has a clock for tests that moves only when somebody waits for it.
package clocktest

import (
	"context"
	"sync"
	"time"
)

// Fake is a clock.Clock whose Sleep moves the time instead of waiting, so that a test of a minute's
// back-off takes no time. Two sleepers that start at the same moment end at the same moment too.
type Fake struct {
	mu       sync.Mutex
	now      time.Time
	timeouts map[*timeout]struct{}
}

// NewFake returns a clock that stands at now.
func NewFake(now time.Time) *Fake {
	return &Fake{now: now, timeouts: map[*timeout]struct{}{}}
}

// Now is the time the clock stands at.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d and ends the contexts whose time has come.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moveTo(f.now.Add(d))
}

// Sleep moves the clock to d after the moment of the call. Like the real clock's, it returns
// context.DeadlineExceeded at once, with the clock where it was, if ctx ends before that.
func (f *Fake) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	target := f.now.Add(d)
	if deadline, ok := deadlineOf(ctx); ok && deadline.Before(target) {
		return context.DeadlineExceeded
	}
	f.moveTo(target)
	return ctx.Err()
}

// WithTimeout returns a context that ends with context.DeadlineExceeded when the clock has moved by
// d. Its Deadline method knows nothing of that: net.Dialer would compare it with the system's time.
func (f *Fake) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	deadline := f.now.Add(d)
	if outer, ok := deadlineOf(ctx); ok && outer.Before(deadline) {
		deadline = outer
	}
	inner, cancel := context.WithCancelCause(context.WithValue(ctx, deadlineKey{}, deadline))
	t := &timeout{Context: inner, cancel: cancel, deadline: deadline}
	f.timeouts[t] = struct{}{}
	return t, func() {
		f.mu.Lock()
		delete(f.timeouts, t)
		f.mu.Unlock()
		cancel(context.Canceled)
	}
}

// deadlineOf is the time at which ctx ends on this clock. context.WithoutCancel keeps values, so that
// one which can't end has no deadline whatever its values say.
func deadlineOf(ctx context.Context) (time.Time, bool) {
	if ctx.Done() == nil {
		return time.Time{}, false
	}
	deadline, ok := ctx.Value(deadlineKey{}).(time.Time)
	return deadline, ok
}

func (f *Fake) moveTo(target time.Time) {
	if target.After(f.now) {
		f.now = target
	}
	for t := range f.timeouts {
		if !t.deadline.After(f.now) {
			delete(f.timeouts, t)
			t.cancel(context.DeadlineExceeded)
		}
	}
}

type deadlineKey struct{}

type timeout struct {
	context.Context
	cancel   context.CancelCauseFunc
	deadline time.Time
}

// Err is context.DeadlineExceeded when the clock ended the context, as callers expect of a timeout.
func (t *timeout) Err() error {
	if err := t.Context.Err(); err == nil {
		return nil
	}
	return context.Cause(t.Context)
}
