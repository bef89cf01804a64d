// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"slices"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/models"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"
)

// The operations that can end with an unknown outcome, as Error.Op has them.
const (
	OpCreateKeySet = "create key set"
	OpGenerateKey  = "generate key"
)

// filledNbf is how far from the time in which a request may have been worked on an nbf may lie that the service has
// filled in for one that was left out: the two clocks needn't agree.
const filledNbf = 10 * time.Minute

// MadeKeySet is a new key set.
type MadeKeySet struct {
	KeySet
	// Recovered is true if the service's answer was lost and the set was found by reading.
	Recovered bool
}

// GenerateKeyInput is what a key is generated from.
type GenerateKeyInput struct {
	// KeySetID is the name or id of an existing key set.
	KeySetID string
	// Use and Kty are values of Uses and KeyTypes.
	Use, Kty string
	// Nbf and Exp are NumericDates in seconds; nil for none.
	Nbf, Exp *int64
}

// MadeKey is a new key.
type MadeKey struct {
	Key
	// KeySetID is the set's id in the service's spelling.
	KeySetID string
	// Recovered is true if the service's answer was lost and the key was found by reading. If that is another process's,
	// the one asked for may still appear.
	Recovered bool
	// Asked is when the first request may have left.
	Asked time.Time
	// Resent is true if an earlier request was given up for lost. Its key may still appear.
	Resent bool
	// Twins are the kids of keys that may come from an earlier request.
	Twins []string
	// Known are the kids of all keys known to be in the set beside this one.
	Known []string
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

// GenerateKey makes a key. The first request leaves before timeout or not at all; finding out what became
// of it isn't cut short by timeout or ctx. The error is an *Error: of KindKeySetGone if there is no such
// set, of KindSeveral or KindUnknownOutcome if a key may have been made that can't be told from others or
// wasn't seen, and for every other kind no key was made.
func (c *Client) GenerateKey(ctx context.Context, timeout time.Duration, in GenerateKeyInput) (MadeKey, error) {
	const op = OpGenerateKey
	id := CanonicalID(in.KeySetID)
	window, cancel := c.sendWindow(ctx, timeout)
	defer cancel()
	unlock, err := c.locks.lock(window, id)
	if err != nil {
		return MadeKey{}, asError(op, id, err)
	}
	defer unlock()
	before, err := c.look(window, op, id, c.justMade(id), entry.hasKeys)
	if err != nil {
		return MadeKey{}, err
	}
	started := c.clock.Now()
	end := c.snapshot.write(id)
	m, err := makeOnce(ctx, window, c, recipe[Key]{
		name: func(k Key) string { return k.Kid },
		post: func(ctx context.Context) (Key, *Error) { return c.postGenerateKey(ctx, op, id, in) },
		find: func(ctx context.Context) ([]Key, error) {
			e, err := c.fetch(ctx, op, id)
			if err != nil {
				return nil, err
			}
			if e.gone != nil {
				return nil, e.gone // what doesn't show the set can't show that no key was made
			}
			if !before.keysKnown || !e.keysKnown {
				return nil, errors.New("the service's answers don't show the keys of the key set")
			}
			return c.candidates(before.set, e.set, in, started), nil
		},
	})
	if err != nil {
		end(nil)
		return MadeKey{}, err
	}
	c.held.keyMade(id, m.value, c.clock.Now())
	key := MadeKey{Key: m.value, KeySetID: before.set.ID, Asked: started, Recovered: m.recovered, Resent: m.resent}
	for _, twin := range m.twins {
		key.Twins = append(key.Twins, twin.Kid)
	}
	for _, k := range before.set.Keys {
		key.Known = append(key.Known, k.Kid)
	}
	if m.recovered || m.resent {
		end(nil) // others may have written meanwhile; the next reader looks
		return key, nil
	}
	// What else is known of the set is as old, and as sure, as it was before.
	after := before
	after.settled = false
	after.set.Keys = append(slices.Clone(before.set.Keys), m.value)
	end(&after)
	return key, nil
}

func (c *Client) postGenerateKey(ctx context.Context, op, id string, in GenerateKeyInput) (Key, *Error) {
	body := sdk.NewKeySetsItemGenerateKeyPostRequestBody()
	body.SetUse(&in.Use)
	body.SetKty(&in.Kty)
	body.SetNbf(in.Nbf)
	body.SetExp(in.Exp)
	a, err := c.post(ctx, op, id, KindKeySetGone, c.held.madeAt, func(ctx context.Context, options []abs.RequestOption) error {
		_, err := c.api.KeySets().ByTrustFrameworkKeySetId(id).GenerateKey().Post(ctx, body,
			&sdk.KeySetsItemGenerateKeyRequestBuilderPostRequestConfiguration{Options: options})
		return err
	})
	if err != nil {
		return Key{}, err
	}
	key, decodeErr := decodeKey(a.body)
	if decodeErr != nil {
		return Key{}, unreadable(op, id, a, decodeErr)
	}
	return key, nil
}

// candidates are the keys in now that may be the one asked for: new since before, owned by nobody in
// this process, and alike.
func (c *Client) candidates(before, now KeySet, in GenerateKeyInput, asked time.Time) []Key {
	var found []Key
	for _, k := range now.Keys {
		if _, old := before.Key(k.Kid); !old && !c.held.holds(now.ID, k.Kid) && in.fits(k, asked, c.clock.Now()) {
			found = append(found, k)
		}
	}
	return found
}

// fits tells whether a key can be what came of requests that were worked on between two times, which the service may
// have put in for an nbf that was left out.
func (in GenerateKeyInput) fits(k Key, from, to time.Time) bool {
	if k.Use != in.Use || k.Kty != in.Kty || !sameDate(in.Exp, k.Exp) {
		return false
	}
	if in.Nbf == nil && k.Nbf != nil {
		nbf := time.Unix(*k.Nbf, 0)
		return !nbf.Before(from.Add(-filledNbf)) && !nbf.After(to.Add(filledNbf))
	}
	return sameDate(in.Nbf, k.Nbf)
}

// Unowned lists the kids of keys in set that have exactly the use, kty and dates of in and that nothing
// in this process has made or read.
func (c *Client) Unowned(set KeySet, in GenerateKeyInput) []string {
	var kids []string
	for _, k := range set.Keys {
		if k.Use == in.Use && k.Kty == in.Kty && sameDate(k.Nbf, in.Nbf) && sameDate(k.Exp, in.Exp) && !c.held.holds(set.ID, k.Kid) {
			kids = append(kids, k.Kid)
		}
	}
	return kids
}

func sameDate(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
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

// Late lists the kids of keys in set that may come from a request of in that was sent at a given time or later, worked
// on whenever, and given up for lost: alike, not among the known ones, and read or made by nothing in this process.
func (c *Client) Late(set KeySet, in GenerateKeyInput, asked time.Time, known []string) []string {
	var kids []string
	for _, k := range set.Keys {
		if !slices.Contains(known, k.Kid) && !c.held.holds(set.ID, k.Kid) && in.fits(k, asked, c.clock.Now()) {
			kids = append(kids, k.Kid)
		}
	}
	return kids
}
