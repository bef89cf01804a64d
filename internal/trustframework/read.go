// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"
)

// KeySet returns a key set with its keys. The reads of a refresh share one listing of the tenant; that
// the set is gone is believed only when a read of the set itself says so and, if the set is young
// (made less than YoungAge ago), goes on saying so for the settle time. The error is an *Error, of
// KindKeySetGone if there is no such set, of KindKeysHidden if its keys aren't shown.
func (c *Client) KeySet(ctx context.Context, id string, young bool) (KeySet, error) {
	return c.keySet(ctx, opReadKeySet, id, young, entry.hasKeys)
}

func (c *Client) keySet(ctx context.Context, op, id string, young bool, shows func(entry) bool) (KeySet, error) {
	e, err := c.look(ctx, op, id, young, shows)
	if err != nil {
		return KeySet{}, err
	}
	if e.hidden != nil {
		return KeySet{}, c.keysHidden(op, e)
	}
	return e.set, nil
}

// keysHidden makes the error for an answer that doesn't show which keys a set has.
func (c *Client) keysHidden(op string, e entry) *Error {
	hidden := &Error{Op: op, KeySetID: e.set.ID, Kind: KindKeysHidden}
	if !errors.Is(e.hidden, errNoKeys) {
		hidden.Err = c.secrets.Error(e.hidden)
	}
	return hidden
}

// KeySetWith is KeySet for those who expect keys in it. Young means that one of them was made less than YoungAge ago: then
// the set is read over the settle time until it shows them all.
func (c *Client) KeySetWith(ctx context.Context, id string, kids []string, young bool) (KeySet, error) {
	return c.keySet(ctx, opReadKeySet, id, young, func(e entry) bool {
		return e.hasKeys() && e.set.hasAll(kids)
	})
}

// HasKeySet is KeySet for those who don't need the keys: it costs no read of its own where the listing
// shows the set.
func (c *Client) HasKeySet(ctx context.Context, id string, young bool) (KeySet, error) {
	e, err := c.look(ctx, opReadKeySet, id, young, func(e entry) bool { return e.gone == nil })
	if err != nil {
		return KeySet{}, err
	}
	return e.set, nil
}

// Key returns one key and the set it is in. Like KeySet, it believes only confirmed absence. The error
// is an *Error, of KindKeySetGone or KindKeyGone if there is no such key, of KindKeysHidden if the answer
// doesn't tell.
func (c *Client) Key(ctx context.Context, keySetID, kid string, young bool) (Key, KeySet, error) {
	const op = opReadKey
	has := func(e entry) bool {
		_, ok := e.set.Key(kid)
		return e.gone == nil && ok // whatever can't be read of its neighbors
	}
	e, err := c.look(ctx, op, keySetID, young, has)
	if err != nil {
		return Key{}, KeySet{}, err
	}
	key, ok := e.set.Key(kid)
	if !ok && e.hidden != nil {
		return Key{}, e.set, c.keysHidden(op, e)
	}
	if !ok {
		return Key{}, e.set, &Error{Op: op, KeySetID: e.set.ID, Kind: KindKeyGone, Message: fmt.Sprintf("The key set has no key %q.", kid)}
	}
	return key, e.set, nil
}

// Hold registers keys as owned by a resource of this run, so that none of them is ever taken for a key
// whose answer was lost.
func (c *Client) Hold(keySetID string, kids ...string) { c.held.hold(keySetID, kids...) }

// Holds tells whether Hold has registered a key.
func (c *Client) Holds(keySetID, kid string) bool { return c.held.holds(keySetID, kid) }

// GiveUp registers a key that a resource has owned and now leaves in its set, enabled or not as it is: if its certificate is
// to be uploaded next, by the operation that makes such keys (as KeyInput.Op has it), it is kept. To Hold it again takes
// that back.
func (c *Client) GiveUp(op, keySetID, kid string) { c.held.giveUp(op, keySetID, kid) }

// look finds an entry that shows what the caller wants to see, or the confirmed truth. The error is an
// *Error, of KindKeySetGone if the set doesn't exist.
func (c *Client) look(ctx context.Context, op, id string, young bool, shows func(entry) bool) (entry, error) {
	e, ok := c.snapshot.get(id)
	if !ok {
		if c.snapshot.needsListing(0) {
			if err := c.list(ctx, op, 0); err != nil {
				return entry{}, err
			}
		}
		e, ok = c.snapshot.get(id) // a listing may have ended since the first look, whoever asked for it
	}
	if c.snapshot.shared(id) {
		return c.lookAlone(ctx, op, id, young, shows)
	}
	return c.confirm(ctx, op, id, e, ok, young, shows)
}

// lookAlone is look for a set whose id differs from another one's in case alone, which what is remembered doesn't tell apart.
func (c *Client) lookAlone(ctx context.Context, op, id string, young bool, shows func(entry) bool) (e entry, err error) {
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			return entry{}, asError(op, id, err)
		}
		if e, err = c.fetch(ctx, op, id); err != nil || !young || shows(e) {
			break
		}
	}
	if err == nil && e.gone != nil {
		return entry{}, e.gone
	}
	return e, err
}

// confirm is look for who has asked the snapshot, which knows e, or nothing if ok is false.
func (c *Client) confirm(ctx context.Context, op, id string, e entry, ok, young bool, shows func(entry) bool) (entry, error) {
	if !ok || !e.direct && !shows(e) {
		var err error
		if e, err = c.readShared(ctx, op, id, e); err != nil {
			return entry{}, err
		}
	}
	if young && !shows(e) && !e.settled {
		var err error
		if e, err = c.lookAgain(ctx, op, id, e, shows); err != nil {
			return entry{}, err
		}
	}
	if e.gone != nil {
		return entry{}, e.gone
	}
	return e, nil
}

// lookAgain reads a set, of which e was just seen, over the settle time until it shows what it should.
// If it never does, nobody else waits for that again.
func (c *Client) lookAgain(ctx context.Context, op, id string, e entry, shows func(entry) bool) (entry, error) {
	first, end := true, c.clock.Now().Add(c.settleTime)
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			return entry{}, asError(op, id, err)
		}
		if first {
			first = false
			continue
		}
		var err error
		if e, err = c.readShared(ctx, op, id, e); err != nil || shows(e) {
			return e, err
		}
	}
	// The last read may have been another's, begun when the settle time wasn't over yet.
	for !e.settled && e.begun.Before(end) {
		var err error
		if e, err = c.readShared(ctx, op, id, e); err != nil || shows(e) {
			return e, err
		}
	}
	c.snapshot.settle(id, e)
	return e, nil
}

// waits yields functions that each wait a little longer and together the settle time. The first comes
// at once, and the last returns when the settle time is over: however long it took to look in between, there is one
// look that nothing can be too late for.
func (c *Client) waits(ctx context.Context) func(yield func(wait func() error) bool) {
	const longest = 10 * time.Second
	return func(yield func(func() error) bool) {
		end := c.clock.Now().Add(c.settleTime)
		if !yield(func() error { return ctx.Err() }) {
			return
		}
		for d := time.Second; ; d = min(2*d, longest) {
			left := end.Sub(c.clock.Now())
			if !yield(func() error { return c.clock.Sleep(ctx, max(0, min(d, left))) }) || left <= d {
				return
			}
		}
	}
}

// list fills the snapshot with the tenant's key sets, in one call however many ask for it, unless there
// is a listing that is younger than the given number of writes. A service that refuses to list is no
// error: each set is then read by itself.
func (c *Client) list(ctx context.Context, op string, writes uint64) error {
	err := c.listings.do(ctx, struct{}{}, func() error {
		if !c.snapshot.needsListing(writes) {
			return nil
		}
		if err := c.snapshot.listingFailure(); err != nil {
			return err
		}
		ctx, cancel := c.sharedContext(ctx)
		defer cancel()
		begun := c.snapshot.begin()
		listing, unread, err := c.fetchListing(ctx)
		var e *Error
		switch {
		case err == nil:
			c.snapshot.putListing(begun, listing, unread)
			return nil
		case errors.As(err, &e) && e.unlistable():
			c.logger.WarnContext(ctx, "The service doesn't list key sets; each is read by itself", "error", err.Error())
			c.snapshot.refuseListing(err)
			return nil
		default:
			c.snapshot.failListing(err)
			return err
		}
	})
	return asError(op, "", err)
}

// unlistable tells whether a listing's failure leaves the sets to be read one by one: the service
// refuses to list, or lists something that can't be understood. A 404 isn't of that kind: where the
// tenant's key sets have no address, no single set that isn't found is gone. Nor is a 401: a token that
// isn't good for the listing is good for nothing.
func (e *Error) unlistable() bool {
	switch e.Kind {
	case KindDenied, KindRefused:
		return e.Status != http.StatusNotFound && e.Status != http.StatusUnauthorized
	case KindUnavailable:
		return e.Status >= http.StatusOK && e.Status < http.StatusMultipleChoices
	default:
		return false
	}
}

// fetchListing reads all pages of the listing.
func (c *Client) fetchListing(ctx context.Context) (sets []listedSet, unread []string, err error) {
	const op = opListKeySets
	builder := c.api.KeySets()
	items, unread, failure := fetchPages[wireKeySet](ctx, c, op, "", "/trustFramework/keySets", func(ctx context.Context, next string, options []abs.RequestOption) error {
		page := builder
		if next != "" {
			page = builder.WithUrl(next)
		}
		_, err := page.Get(ctx, &sdk.KeySetsRequestBuilderGetRequestConfiguration{Options: options})
		return err
	})
	if failure != nil {
		if failure.Kind == KindKeySetGone || failure.Kind == KindExists {
			failure.Kind = KindRefused // it is about no key set
		}
		return nil, nil, failure
	}
	if len(unread) > 0 {
		c.logger.WarnContext(ctx, "The listing of key sets has elements without an id that can be one", "elements", len(unread))
	}
	sets = make([]listedSet, len(items))
	for i, w := range items {
		sets[i].set, sets[i].hidden = w.keySet(c.secrets)
	}
	return sets, unread, nil
}

// readShared reads one set and puts it into the snapshot, in one call for all who ask at the same time,
// and for those who were about to ask when it ended: seen is what the caller knows already.
func (c *Client) readShared(ctx context.Context, op, id string, seen entry) (entry, error) {
	err := c.reads.do(ctx, foldID(id), func() error {
		if e, ok := c.snapshot.get(id); ok && e.read > seen.read {
			return nil
		}
		ctx, cancel := c.sharedContext(ctx)
		defer cancel()
		begun := c.snapshot.begin()
		e, err := c.fetch(ctx, op, id)
		if err != nil {
			return err
		}
		c.snapshot.put(begun, id, e)
		return nil
	})
	if err != nil {
		return entry{}, asError(op, id, err)
	}
	e, ok := c.snapshot.get(id)
	if !ok {
		// A write came in between; what it left is read without company.
		return c.fetch(ctx, op, id)
	}
	return e, nil
}

// fetch reads one set from the service. That the set is gone is a result, not an error.
func (c *Client) fetch(ctx context.Context, op, id string) (entry, error) {
	id = CanonicalID(id)
	begun := c.clock.Now()
	a, err := c.send(ctx, op, id, func(ctx context.Context, options []abs.RequestOption) error {
		_, err := c.api.KeySets().ByTrustFrameworkKeySetId(id).Get(ctx,
			&sdk.KeySetsTrustFrameworkKeySetItemRequestBuilderGetRequestConfiguration{Options: options})
		return err
	})
	if err != nil {
		return entry{}, err
	}
	if !a.ok() {
		e := newError(op, id, a)
		if e.Kind == KindKeySetGone {
			return entry{gone: e, direct: true, begun: begun}, nil
		}
		return entry{}, e
	}
	set, hidden, decodeErr := decodeKeySet(a.body, id, c.secrets)
	if decodeErr != nil {
		return entry{}, unreadable(op, id, a, decodeErr)
	}
	return entry{set: set, hidden: hidden, direct: true, begun: begun}, nil
}

// unreadable makes the error for a success that can't be understood.
func unreadable(op, keySetID string, a answer, cause error) *Error {
	e := unclear(op, keySetID, a, cause)
	e.Message = ""
	return e
}

// asError returns err as an *Error: a caller's own end, while others go on, isn't one yet.
func asError(op, keySetID string, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Op: op, KeySetID: keySetID, Kind: KindNotSent, Err: err}
}
