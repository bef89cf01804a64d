// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CurrentKeySet is KeySet for who remembers nothing of the set: what this process has just done to it,
// and the service may not show yet, is waited for over the settle time. The error is that of KeySet.
func (c *Client) CurrentKeySet(ctx context.Context, id string) (KeySet, error) {
	recent, shows := c.expected(id, entry.hasKeys)
	return c.keySet(ctx, opReadKeySet, id, recent, shows)
}

// KeySets returns the tenant's key sets whose ids are wanted, with their keys, sorted by id. It takes one
// listing, shared with all other readers unless this process has written since, and a read of its own
// for each set that the listing doesn't show with its keys; as in CurrentKeySet, what this process has
// just done is waited for. The error is an *Error; a listing that is refused is one too.
func (c *Client) KeySets(ctx context.Context, wanted func(id string) bool) ([]KeySet, error) {
	const op = opListKeySets
	tenant, known, err := c.wholeListing(ctx, op)
	if err != nil {
		return nil, err
	}
	hasKeys := func(e entry) bool {
		return e.hasKeys() || tenant.withKeys && e.gone == nil && e.hidden == nil
	}
	ids := slices.Clone(tenant.ids)
	for _, id := range c.held.madeAfter(c.youngSince()) {
		if !slices.ContainsFunc(tenant.ids, func(listed string) bool { return SameID(listed, id) }) {
			ids = append(ids, id)
		}
	}
	for _, id := range tenant.unread {
		if strings.TrimSpace(id) == "" || wanted(id) {
			return nil, &Error{Op: op, Kind: KindUnavailable, Err: fmt.Errorf("the list of key sets has one whose ID can't be an ID: %q", c.secrets.Text(id))}
		}
	}
	sets := map[string]KeySet{}
	// One read after the other: all at once would only meet the limit of requests a minute.
	for _, id := range ids {
		if !wanted(id) {
			continue
		}
		if tenant.likeNamed[foldID(id)] {
			set, err := c.keySet(ctx, op, id, false, hasKeys)
			switch {
			case KindOf(err) == KindKeySetGone:
				continue
			case err != nil:
				return nil, err
			}
			sets[set.ID] = set
			continue
		}
		e, ok := known[foldID(id)]
		e, ok = c.snapshot.latest(id, e, ok)
		ok = ok && e.gone == nil // that it was gone before it was listed says nothing
		recent, shows := c.expected(id, hasKeys)
		e, err := c.confirm(ctx, op, id, e, ok, recent, shows)
		switch {
		case KindOf(err) == KindKeySetGone:
			continue
		case err != nil:
			return nil, err
		case e.hidden != nil:
			return nil, c.keysHidden(op, e)
		}
		sets[e.set.ID] = e.set
	}
	return slices.SortedFunc(maps.Values(sets), func(a, b KeySet) int { return cmp.Compare(a.ID, b.ID) }), nil
}

// wholeListing returns a listing that began after every write of this process that had begun or ended
// when it was called, and what is known of single sets by folded id.
func (c *Client) wholeListing(ctx context.Context, op string) (listing, map[string]entry, error) {
	writes := c.snapshot.writes()
	for {
		if l, known, ok := c.snapshot.whole(writes); ok {
			return l, known, nil
		}
		if err := c.snapshot.listingRefusal(); err != nil {
			return listing{}, nil, asError(op, "", err)
		}
		// The listing that others wait for may have begun too early, so that it takes a second one.
		if err := c.list(ctx, op, writes); err != nil {
			return listing{}, nil, err
		}
	}
}

// expected tells what a read of a set must show for what this process has done to it less than YoungAge
// ago: the set, the keys it has made, the statuses it has set (where the service shows any), or, for the
// settle time, that what it has deleted is gone. If there is nothing recent, it must only show the keys.
func (c *Client) expected(id string, hasKeys func(entry) bool) (recent bool, shows func(entry) bool) {
	now := c.clock.Now()
	if at, ok := c.held.deletedAt(id); ok && now.Sub(at) < c.settleTime {
		return true, func(e entry) bool { return e.gone != nil }
	}
	done := c.held.doneAfter(id, c.youngSince(), c.settled())
	return c.justMade(id) || len(done) > 0, func(e entry) bool { return hasKeys(e) && e.set.holds(done) }
}
