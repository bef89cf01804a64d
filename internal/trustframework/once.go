// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"fmt"
)

// recipe is how to make one object whose POST must not be sent twice.
type recipe[T any] struct {
	// post sends the POST. Its ctx bounds the waits before the request leaves; the error is nil only if
	// the answer names the object.
	post func(ctx context.Context) (T, *Error)
	// find reads what may be the object that a POST without a clear answer has made.
	find func(ctx context.Context) ([]T, error)
	// name names an object in an error.
	name func(T) string
}

// made is an object and what is to be said of how it came about.
type made[T any] struct {
	value T
	// recovered: the answer was lost, the object was found by reading.
	recovered bool
	// resent: the first POST was given up for lost; it may still show.
	resent bool
	// twins are other objects that may be of the first POST.
	twins []T
}

// ambiguous tells the failures after which the object may have been made: every answer and every
// silence that isn't surely a refusal.
func (e *Error) ambiguous() bool { return e.Kind == KindUnavailable }

// makeOnce sends the POST of r, which must leave before window ends. If nobody can tell what became of it, it looks for the object over the
// settle time and sends again, once, only if there is none. From the first POST on it doesn't stop for
// the end of ctx, which would create doubt; but after that nothing new is sent.
func makeOnce[T any](ctx, window context.Context, c *Client, r recipe[T]) (made[T], error) {
	value, first := r.post(window)
	if first == nil {
		return made[T]{value: value}, nil
	}
	if !first.ambiguous() {
		return made[T]{}, first
	}
	c.logger.WarnContext(ctx, "The answer to a POST was lost; looking for what it made", "error", first.Error())

	recovery, cancel := c.clock.WithTimeout(context.WithoutCancel(ctx), c.reserve())
	defer cancel()
	found, err := findOverSettleTime(recovery, c, r)
	if err != nil || len(found) > 0 || ctx.Err() != nil {
		return choose(r, first, found, false, err)
	}

	c.logger.WarnContext(ctx, "Nothing was made; sending the POST again")
	resend, cancelResend := c.clock.WithTimeout(ctx, c.reserve())
	defer cancelResend()
	value, second := r.post(resend)
	switch {
	case second == nil:
		twins, err := r.find(recovery)
		if err != nil {
			c.logger.WarnContext(ctx, "Unable to look for a late result of the first POST", "error", err.Error())
		}
		return made[T]{value: value, resent: true, twins: without(r, twins, value)}, nil
	case second.ambiguous():
		found, err = findOverSettleTime(recovery, c, r)
		return choose(r, second, found, true, err)
	default:
		// A refusal of the second POST says nothing of the first: it may be what the refusal is about.
		look := r.find
		if second.Kind == KindExists {
			look = func(ctx context.Context) ([]T, error) { return findOverSettleTime(ctx, c, r) }
		}
		found, err = look(recovery)
		if err == nil && len(found) == 0 && second.Kind == KindExists {
			return made[T]{}, second
		}
		lost := *first
		lost.Err = errors.Join(first.Err, fmt.Errorf("a second request was not accepted: %w", second))
		return choose(r, &lost, found, false, err)
	}
}

// findOverSettleTime reads until something is found or the settle time is over. Without an error and
// without a find, the last read has shown that nothing is there.
func findOverSettleTime[T any](ctx context.Context, c *Client, r recipe[T]) (found []T, err error) {
	for wait := range c.waits(ctx) {
		if waitErr := wait(); waitErr != nil {
			return nil, errors.Join(err, waitErr)
		}
		if found, err = r.find(ctx); err == nil && len(found) > 0 {
			return found, nil
		}
	}
	return nil, err
}

// choose takes the one object found, or makes the error for none or several.
func choose[T any](r recipe[T], lost *Error, found []T, resent bool, unseen error) (made[T], error) {
	if len(found) == 1 {
		return made[T]{value: found[0], recovered: true, resent: resent}, nil
	}
	e := *lost
	e.Kind, e.Resent, e.Unseen = KindUnknownOutcome, resent, unseen
	for _, f := range found {
		e.Kind = KindSeveral
		e.Candidates = append(e.Candidates, r.name(f))
	}
	return made[T]{}, &e
}

func without[T any](r recipe[T], objects []T, one T) []T {
	var others []T
	for _, o := range objects {
		if r.name(o) != r.name(one) {
			others = append(others, o)
		}
	}
	return others
}
