// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"net/http"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"
)

// ActiveKey asks the service which key of a set is in use, each time anew. What this process has just
// made, and the service may not see yet, is waited for over the settle time. The error is an *Error, of
// KindKeySetGone if there is no such set, of KindNoActiveKey if the service names no key.
func (c *Client) ActiveKey(ctx context.Context, keySetID string) (Key, error) {
	const op = "read active key"
	id := CanonicalID(keySetID)
	var refusal *Error
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			if refusal != nil {
				break
			}
			return Key{}, asError(op, id, err)
		}
		a, err := send(ctx, op, id, func(ctx context.Context, options []abs.RequestOption) error {
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
		if a.ok() && a.status != http.StatusNoContent {
			key, decodeErr := decodeKey(a.body)
			if decodeErr != nil {
				return Key{}, unreadable(op, id, a, decodeErr)
			}
			return key, nil
		}
		if refusal = c.noActiveKey(ctx, op, id, a); !c.mayPass(refusal.Kind, id) {
			break
		}
	}
	return Key{}, refusal
}

// noActiveKey makes the error for an answer that names no key. Nobody has seen how the service says that
// a set has none in use: AADB2C90019 is the nearest of its codes, and 204 is OData's answer of a
// function that returns null. So every refusal is taken for that, unless the set is missing; that, a
// 404 of another code can't tell.
func (c *Client) noActiveKey(ctx context.Context, op, id string, a answer) *Error {
	e := newError(op, id, a)
	switch {
	case a.ok(), e.Code == codeNoActiveKey && (e.Kind == KindRefused || e.Kind == KindKeySetGone):
		e.Kind = KindNoActiveKey
	case e.Code == codeNotFound: // which classify knows
	case e.Kind == KindKeySetGone, e.Kind == KindRefused && e.Status != http.StatusNotFound:
		e.Kind = KindNoActiveKey
		if _, err := c.HasKeySet(ctx, id, false); KindOf(err) == KindKeySetGone {
			e.Kind = KindKeySetGone
		}
	}
	return e
}

// mayPass tells whether an error may come of what this process has just made and the service doesn't
// see yet.
func (c *Client) mayPass(kind Kind, id string) bool {
	switch kind {
	case KindKeySetGone:
		return c.justMade(id)
	case KindNoActiveKey:
		now := c.clock.Now()
		_, ok := KeySet{Keys: c.held.keysMadeAfter(id, now.Add(-YoungAge))}.ActiveKey(now)
		return ok
	default:
		return false
	}
}
