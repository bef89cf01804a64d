// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"
)

// fetchPages reads all pages of the collection at a path below the base URL. Get sends the request for the first page, or for the one at
// the address next.
func fetchPages[T wireElement](ctx context.Context, c *Client, op, keySetID, collection string,
	get func(ctx context.Context, next string, options []abs.RequestOption) error,
) ([]T, *Error) {
	var all []T
	seen := map[string]bool{}
	for next := ""; ; {
		a, err := send(ctx, op, keySetID, func(ctx context.Context, options []abs.RequestOption) error { return get(ctx, next, options) })
		if err != nil {
			return nil, err
		}
		if !a.ok() {
			return nil, newError(op, keySetID, a)
		}
		page, decodeErr := decodePage[T](a.body)
		if decodeErr != nil {
			return nil, unreadable(op, keySetID, a, decodeErr)
		}
		all = append(all, *page.Value...)
		if page.NextLink == "" {
			return all, nil
		}
		var linkErr error
		next, linkErr = c.nextPage(page.NextLink, collection)
		if linkErr == nil && seen[next] {
			linkErr = errors.New("the pages of the list go round in a circle")
		}
		if linkErr != nil {
			return nil, unreadable(op, keySetID, a, linkErr)
		}
		seen[next] = true
	}
}

// nextPage turns a nextLink into an address at the configured endpoint: behind a proxy the service
// names its own host, to which no token may go. Only the link's query is new; its path must end as the
// collection's does.
func (c *Client) nextPage(link, collection string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the next page has no valid address: %w", err)
	}
	if !strings.EqualFold(path.Base(u.Path), path.Base(collection)) || u.RawQuery == "" {
		return "", fmt.Errorf("the next page %q is not one of %s", u.Path, path.Base(collection))
	}
	return c.adapter.GetBaseUrl() + collection + "?" + u.RawQuery, nil
}
