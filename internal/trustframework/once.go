// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// recipe is how to make one object whose POST must not be worked on twice.
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
	// resent: an earlier POST was given up for lost; what it made may still show.
	resent bool
	// twins are other objects that may be of the earlier POSTs.
	twins []T
}

// ambiguous tells the failures after which the object may have been made: every answer and every
// silence that isn't surely a refusal.
func (e *Error) ambiguous() bool { return e.Kind == KindUnavailable }

// maxPosts is how often the POST for one object is sent at most, each time after the settle time has shown that the
// one before made nothing. Where one POST in ten is lost so, a hundred objects in a row come through 99 times of 100.
const maxPosts = 4

// makeOnce sends the POST of r, which must leave before window ends. If nobody can tell what became of it, it looks for the object over the
// settle time and sends again only if there is none: once whatever the time, and as long as window lasts up to maxPosts in all. From the
// first POST on it doesn't stop for the end of ctx, which would create doubt; but after that nothing new is sent.
func makeOnce[T any](ctx, window context.Context, c *Client, r recipe[T]) (made[T], error) {
	value, lost := r.post(window)
	if lost == nil {
		return made[T]{value: value}, nil
	}
	if !lost.ambiguous() {
		return made[T]{}, lost
	}
	c.logger.WarnContext(ctx, "The answer to a POST was lost; looking for what it made", "error", lost.Error())
	for posts := 1; ; posts++ {
		found, err := findOverSettleTime(ctx, c, r)
		// What answers in Graph's place twice goes on doing so.
		again := posts == 1 || posts < maxPosts && window.Err() == nil && (!lost.NotGraphs || lost.Status == http.StatusTooManyRequests)
		if err != nil || len(found) > 0 || ctx.Err() != nil || !again {
			return choose(r, lost, found, posts > 1, err)
		}
		c.logger.WarnContext(ctx, "Nothing was made; sending the POST again")
		value, next := r.resend(ctx, c)
		switch {
		case next == nil:
			return made[T]{value: value, resent: true, twins: r.twins(ctx, c, value)}, nil
		case !next.ambiguous():
			return chooseAfterRefusal(ctx, c, r, lost, next, posts > 1)
		}
		lost = next
	}
}

// resend sends the POST once more, after the time for the first one may be over.
func (r recipe[T]) resend(ctx context.Context, c *Client) (T, *Error) {
	ctx, cancel := c.clock.WithTimeout(ctx, c.reserve())
	defer cancel()
	return r.post(ctx)
}

// twins looks for what earlier POSTs may have made besides value, which the last one has.
func (r recipe[T]) twins(ctx context.Context, c *Client, value T) []T {
	ctx, cancel := c.clock.WithTimeout(context.WithoutCancel(ctx), c.reserve())
	defer cancel()
	found, err := r.find(ctx)
	if err != nil {
		c.logger.WarnContext(ctx, "Unable to look for a late result of an earlier POST", "error", err.Error())
	}
	return without(r, found, value)
}

// chooseAfterRefusal makes sense of a refusal, which says nothing of the POSTs that were lost before: what they
// have made may be what it is about.
func chooseAfterRefusal[T any](ctx context.Context, c *Client, r recipe[T], lost, refusal *Error, resent bool) (made[T], error) {
	var found []T
	var err error
	if refusal.Kind == KindExists {
		found, err = findOverSettleTime(ctx, c, r)
	} else {
		ctx, cancel := c.clock.WithTimeout(context.WithoutCancel(ctx), c.reserve())
		defer cancel()
		found, err = r.find(ctx)
	}
	if err == nil && len(found) == 0 && refusal.Kind == KindExists {
		refusal.Worked = true // it may be about what an earlier POST has made, which doesn't show yet
		return made[T]{}, refusal
	}
	e := *lost
	e.Err = errors.Join(lost.Err, fmt.Errorf("a second request was not accepted: %w", refusal))
	return choose(r, &e, found, resent, err)
}

// findOverSettleTime reads until something is found or the settle time is over, whether ctx has ended or not.
// Without an error and without a find, a read that began after the settle time has shown that nothing is there.
func findOverSettleTime[T any](ctx context.Context, c *Client, r recipe[T]) (found []T, err error) {
	ctx, cancel := c.clock.WithTimeout(context.WithoutCancel(ctx), c.reserve())
	defer cancel()
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
