// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/models"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"
)

// OpCreateKeySet is what Error.Op has for CreateKeySet.
const OpCreateKeySet = "create key set"

// MadeKeySet is a new key set.
type MadeKeySet struct {
	KeySet
	// Recovered is true if the service's answer was lost and the set was found by reading.
	Recovered bool
}

// CreateKeySet makes an empty key set of a name, to which the service adds its prefix. The first
// request leaves before timeout or not at all; finding out what became of it isn't cut short by timeout or ctx. The
// error is an *Error, of KindExists if there is such a set, and of KindUnknownOutcome if nobody knows
// whether it was made.
func (c *Client) CreateKeySet(ctx context.Context, timeout time.Duration, name string) (MadeKeySet, error) {
	const op = OpCreateKeySet
	id := CanonicalID(name)
	window, cancel := c.sendWindow(ctx, timeout)
	defer cancel()
	unlock, err := c.locks.lock(window, id)
	if err != nil {
		return MadeKeySet{}, asError(op, id, err)
	}
	defer unlock()
	if since, doubt := c.held.mayBeDeleted(id); doubt {
		if err := c.clock.Sleep(window, max(0, since.Add(c.settleTime).Sub(c.clock.Now()))); err != nil {
			return MadeKeySet{}, asError(op, id, err)
		}
	}
	deletedAt, deleted := c.held.deletedAt(id)
	existed := !deleted && c.listed(window, op, id)
	end := c.snapshot.write(id)
	m, err := makeOnce(ctx, window, c, recipe[KeySet]{
		name: func(s KeySet) string { return s.ID },
		post: func(ctx context.Context) (KeySet, *Error) { return c.postKeySet(ctx, op, id) },
		find: func(ctx context.Context) ([]KeySet, error) {
			e, err := c.fetch(ctx, op, id)
			// A set that was there before, or that somebody has put keys into, isn't the one we made. Nor need it be if
			// this process has just deleted one of the name, which may go on showing.
			if err != nil || e.gone != nil || existed || len(e.set.Keys) > 0 || deleted && e.begun.Sub(deletedAt) < c.settleTime {
				return nil, err
			}
			return []KeySet{e.set}, nil
		},
	})
	if err != nil {
		end(nil)
		return MadeKeySet{}, err
	}
	end(&entry{set: m.value, keysKnown: true, direct: true, at: c.clock.Now()})
	c.held.setMade(id, c.clock.Now())
	return MadeKeySet{KeySet: m.value, Recovered: m.recovered}, nil
}

// listed tells whether the tenant's listing shows a set. Without a listing the answer is no: then only
// a set that is empty can be mistaken for a new one.
func (c *Client) listed(ctx context.Context, op, id string) bool {
	if c.snapshot.needsListing(0) {
		if err := c.list(ctx, op, 0); err != nil {
			c.logger.WarnContext(ctx, "Unable to list key sets before creating one", "error", err.Error())
		}
	}
	e, ok := c.snapshot.get(id)
	return ok && e.gone == nil
}

func (c *Client) postKeySet(ctx context.Context, op, id string) (KeySet, *Error) {
	body := models.NewTrustFrameworkKeySet()
	body.SetId(&id)
	a, err := c.post(ctx, op, id, KindExists, c.held.deletedAt, func(ctx context.Context, options []abs.RequestOption) error {
		_, err := c.api.KeySets().Post(ctx, body, &sdk.KeySetsRequestBuilderPostRequestConfiguration{Options: options})
		return err
	})
	if err != nil {
		return KeySet{}, err
	}
	set, _, decodeErr := decodeKeySet(a.body, id)
	if decodeErr != nil {
		return KeySet{}, unreadable(op, id, a, decodeErr)
	}
	return set, nil
}

// post sends a POST. The service may be late to see a set that this process has just made or deleted,
// which passing refusal is waited out: it was no work, so that sending again is safe.
func (c *Client) post(ctx context.Context, op, id string, passing Kind, since func(string) (time.Time, bool),
	call func(context.Context, []abs.RequestOption) error,
) (answer, *Error) {
	var refusal *Error
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			if refusal == nil {
				refusal = &Error{Op: op, KeySetID: id, Kind: KindNotSent, Err: err}
			}
			return answer{}, refusal
		}
		sent := c.clock.Now()
		a, err := send(ctx, op, id, call)
		if err != nil {
			return answer{}, err
		}
		if a.ok() {
			return a, nil
		}
		refusal = newError(op, id, a)
		at, ok := since(id)
		if refusal.Kind != passing || !ok || sent.Sub(at) >= c.settleTime {
			break
		}
	}
	return answer{}, refusal
}

// DeleteKeySet deletes a key set and its keys. That there is none is no error; but a young set may just
// not be visible yet, and is deleted again and again over the settle time before it is believed to be
// gone. The error is an *Error.
func (c *Client) DeleteKeySet(ctx context.Context, id string, young bool) error {
	const op = "delete key set"
	id = CanonicalID(id)
	unlock, err := c.locks.lock(ctx, id)
	if err != nil {
		return asError(op, id, err)
	}
	defer unlock()
	defer c.snapshot.write(id)(nil)
	worked := false // an attempt without a clear answer may have been carried out, or may yet be
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			return unlessWorked(asError(op, id, err), worked)
		}
		a, err := send(ctx, op, id, func(ctx context.Context, options []abs.RequestOption) error {
			return c.api.KeySets().ByTrustFrameworkKeySetId(id).Delete(ctx,
				&sdk.KeySetsTrustFrameworkKeySetItemRequestBuilderDeleteRequestConfiguration{Options: options})
		})
		if err != nil {
			return unlessWorked(err, worked)
		}
		if a.strange() {
			return unreadable(op, id, a, errStrange())
		}
		worked = worked || a.worked()
		if a.ok() {
			break
		}
		refusal := newError(op, id, a)
		if refusal.Kind != KindKeySetGone {
			return unlessWorked(refusal, worked)
		}
		if !young && !c.justMade(id) {
			break
		}
	}
	c.held.setDeleted(id, c.clock.Now(), worked)
	return nil
}

// unlessWorked marks an error that, of itself, says that nothing was done. One that wasn't sent may then have been.
func unlessWorked(err error, worked bool) error {
	var e *Error
	if worked && errors.As(err, &e) {
		e.Worked = true
		if e.Kind == KindNotSent {
			e.Kind = KindUnavailable
		}
	}
	return err
}

// justMade tells whether this process has made the set so recently that it may not be visible.
func (c *Client) justMade(id string) bool {
	at, ok := c.held.madeAt(id)
	return ok && c.clock.Now().Sub(at) < YoungAge
}
