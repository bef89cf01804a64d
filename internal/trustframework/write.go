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
	// Existed is true if the service says that it has made the set, but an empty one of the name was there before: it may be
	// somebody else's, or one that had been deleted and showed late.
	Existed bool
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
	before, wasEmpty := absent, false
	if !deleted {
		before, wasEmpty = c.presence(window, op, id)
	}
	end := c.snapshot.write(id)
	m, err := makeOnce(ctx, window, c, recipe[KeySet]{
		name: func(s KeySet) string { return s.ID },
		post: func(ctx context.Context) (KeySet, *Error) { return c.postKeySet(ctx, op, id) },
		find: func(ctx context.Context) ([]KeySet, error) {
			e, err := c.fetch(ctx, op, id)
			// A set that was, or may have been, there before, or that somebody has put keys into, isn't the one we made. Nor need it
			// be if this process has just deleted one of the name, which may go on showing.
			if err != nil || e.gone != nil || before != absent || e.hidden != nil || len(e.set.Keys) > 0 || deleted && e.begun.Sub(deletedAt) < c.settleTime {
				return nil, err
			}
			return []KeySet{e.set}, nil
		},
	})
	if err == nil && before == present && !wasEmpty {
		err = c.checkNew(ctx, op, id)
	}
	if err != nil {
		end(nil)
		return MadeKeySet{}, err
	}
	end(&entry{set: m.value, direct: true, at: c.clock.Now()})
	c.held.setMade(id, c.clock.Now())
	return MadeKeySet{KeySet: m.value, Recovered: m.recovered, Existed: before == present && wasEmpty}, nil
}

// presence is what is known of a key set before it is made.
type presence int

const (
	absent presence = iota
	// perhaps: nobody could tell.
	perhaps
	present
)

// presence returns whether a set is there, and whether it shows no keys: as the tenant's listing has it or, without a listing
// that can be used, as a read of the set has it.
func (c *Client) presence(ctx context.Context, op, id string) (p presence, empty bool) {
	if c.snapshot.needsListing(0) {
		if err := c.list(ctx, op, 0); err != nil {
			c.logger.WarnContext(ctx, "Unable to list key sets before creating one", "error", err.Error())
		}
	}
	e, known := c.snapshot.get(id)
	if c.snapshot.shared(id) {
		known = false // what is remembered doesn't tell it from another one
	} else if _, _, listed := c.snapshot.whole(0); !known && listed {
		return absent, false
	}
	if !known {
		var err error
		if e, err = c.fetch(ctx, op, id); err != nil {
			c.logger.WarnContext(ctx, "Unable to look for a key set before creating it", "error", err.Error())
			return perhaps, false
		}
	}
	if e.gone != nil {
		return absent, false
	}
	return present, e.hidden == nil && len(e.set.Keys) == 0
}

// checkNew refuses a set that the service says it has made, though one that held keys was there before, if it goes on holding
// keys for the settle time. Keys can't be taken out of a set, so that one that is empty then is new, and the one before was deleted and
// showed late.
func (c *Client) checkNew(ctx context.Context, op, id string) error {
	ctx, cancel := c.clock.WithTimeout(context.WithoutCancel(ctx), c.reserve())
	defer cancel()
	for wait := range c.waits(ctx) {
		if wait() != nil {
			break
		}
		e, err := c.fetch(ctx, op, id)
		if err != nil || e.gone != nil || e.hidden == nil && len(e.set.Keys) == 0 {
			return nil // what can't be seen doesn't speak against the service's word
		}
	}
	return &Error{
		Op: op, KeySetID: id, Kind: KindExists, Worked: true,
		Err: errors.New("the service says that it has made the key set, but the key set was there before, with keys"),
	}
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
	set, hidden, decodeErr := decodeKeySet(a.body, id, c.secrets)
	switch {
	case decodeErr != nil:
	case len(set.Keys) > 0:
		decodeErr = errors.New("the answer shows a key set with keys, and a new one has none")
	// The request's own body, sent back, has no keys.
	case hidden != nil && a.status != http.StatusCreated:
		decodeErr = errors.New("the answer doesn't say that a key set was made")
	}
	if decodeErr != nil {
		e := unreadable(op, id, a, decodeErr)
		e.NotGraphs = a.isPage()
		return KeySet{}, e
	}
	set.ID = CanonicalID(set.ID)
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
		a, err := c.send(ctx, op, id, call)
		if err != nil {
			return answer{}, err
		}
		if a.ok() {
			return a, nil
		}
		refusal = refusalOf(op, id, a)
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
		a, err := c.send(ctx, op, id, func(ctx context.Context, options []abs.RequestOption) error {
			return c.api.KeySets().ByTrustFrameworkKeySetId(id).Delete(ctx,
				&sdk.KeySetsTrustFrameworkKeySetItemRequestBuilderDeleteRequestConfiguration{Options: options})
		})
		if err != nil {
			return unlessWorked(err, worked)
		}
		worked = worked || a.worked()
		if a.done() {
			break
		}
		if a.ok() {
			if err := c.deletedAfterAll(ctx, id, young, a); err != nil {
				return err
			}
			worked = true // it may have been somebody else's word, and a request of ours still be worked on
			break
		}
		refusal := refusalOf(op, id, a)
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

// deletedAfterAll looks whether a set is gone that a DELETE was to delete, whose answer is a success of another kind than that of
// a DELETE. A young set may not show yet, so that it must be gone at the end of the settle time.
func (c *Client) deletedAfterAll(ctx context.Context, id string, young bool, a answer) error {
	const op = "delete key set"
	var seen entry
	for wait := range c.waits(ctx) {
		err := wait()
		if err == nil {
			seen, err = c.fetch(ctx, op, id)
		}
		if err != nil {
			e := unclear(op, id, a, errNotDone)
			e.Unseen = err
			return e
		}
		if seen.gone != nil && !young && !c.justMade(id) {
			break
		}
	}
	if seen.gone == nil {
		return unclear(op, id, a, fmt.Errorf("%w, and the key set is still there", errNotDone))
	}
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
	return ok && at.After(c.youngSince())
}
