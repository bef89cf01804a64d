// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"net/http"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

// ActiveKey asks the service which key of a set is in use, each time anew. What this process has just
// made, and the service may not see yet, is waited for over the settle time. The error is an *Error, of
// KindKeySetGone if there is no such set, of KindNoActiveKey if the service names no key.
func (c *Client) ActiveKey(ctx context.Context, keySetID string) (Key, error) {
	const op = opReadActiveKey
	id := CanonicalID(keySetID)
	var key Key
	var refusal *Error
	asked := false
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			if asked {
				break // the last answer stands
			}
			return Key{}, asError(op, id, err)
		}
		a, err := c.send(ctx, op, id, func(ctx context.Context, options []abs.RequestOption) error {
			builder := c.api.KeySets().ByTrustFrameworkKeySetId(id).GetActiveKey()
			// The SDK puts parentheses behind the name, as OData has it. The documentation doesn't, and
			// only the form without has been observed (microsoft-graph-docs-contrib, pull request 9963).
			builder.UrlTemplate = strings.TrimSuffix(builder.UrlTemplate, "()")
			_, err := builder.Get(ctx, &sdk.KeySetsItemGetActiveKeyRequestBuilderGetRequestConfiguration{Options: options})
			return err
		})
		if err != nil {
			return Key{}, err
		}
		asked = true
		if key, refusal = c.activeKeyIn(ctx, op, id, a); !c.mayChange(id, key, refusal) {
			break
		}
	}
	if refusal != nil {
		return Key{}, refusal
	}
	return key, nil
}

// activeKeyIn reads the answer to getActiveKey, which is the bare key (documented and observed).
func (c *Client) activeKeyIn(ctx context.Context, op, id string, a answer) (Key, *Error) {
	if !a.ok() || a.status == http.StatusNoContent {
		return Key{}, c.noActiveKey(ctx, op, id, a)
	}
	key, err := decodeKey(a.body, c.secrets)
	if err != nil {
		return Key{}, unreadable(op, id, a, err)
	}
	return key, nil
}

// noActiveKey makes the error for an answer that names no key. Nobody has seen how the service says that
// a set has none in use: AADB2C90019 is the nearest of its codes, and 204 is OData's answer of a
// function that returns null. So every refusal is taken for that, unless the set is missing; that, a
// 404 of another code can't tell.
func (c *Client) noActiveKey(ctx context.Context, op, id string, a answer) *Error {
	e := newError(op, id, a)
	_, own := a.graphs()
	switch {
	case !a.ok() && !own && e.Kind == KindRefused && e.Status != http.StatusNotFound:
		e.Kind, e.NotGraphs = KindUnavailable, true
	case a.ok(), e.Code == errorcode.NoActiveKey && (e.Kind == KindRefused || e.Kind == KindKeySetGone):
		e.Kind = KindNoActiveKey
	case errorcode.ClassOf(e.Code) == errorcode.Gone: // which classify knows
	case e.Kind == KindKeySetGone, e.Kind == KindRefused && e.Status != http.StatusNotFound:
		e.Kind = KindNoActiveKey
		if _, err := c.HasKeySet(ctx, id, false); KindOf(err) == KindKeySetGone {
			e.Kind = KindKeySetGone
		}
	}
	return e
}

// mayChange tells whether an answer may be another one as soon as the service sees what this process has
// just made or done: the set, its deletion, a key that comes before the one it names, a status.
func (c *Client) mayChange(id string, named Key, refusal *Error) bool {
	now := c.clock.Now()
	if at, ok := c.held.deletedAt(id); ok && now.Sub(at) < c.settleTime {
		return refusal == nil || refusal.Kind == KindNoActiveKey
	}
	done := c.held.doneAfter(id, c.youngSince(), c.settled())
	known := KeySet{Keys: done}
	if len(done) > 0 {
		known.Keys = c.held.withStatuses(id, c.held.among(id), c.settled())
		for _, k := range done {
			if _, ok := known.Key(k.Kid); !ok {
				known.Keys = append(known.Keys, k)
			}
		}
	}
	active, ok := known.ActiveKey(now)
	switch {
	case refusal != nil && refusal.Kind == KindNoActiveKey:
		return ok
	case refusal != nil:
		return refusal.Kind == KindKeySetGone && c.justMade(id)
	}
	if _, listed := known.Key(named.Kid); !listed {
		if c.justMade(id) {
			return true // it may be of the set of this name that was deleted
		}
		active, ok = KeySet{Keys: append([]Key{named}, known.Keys...)}.ActiveKey(now)
	}
	return len(done) > 0 && (!ok || active.Kid != named.Kid)
}
