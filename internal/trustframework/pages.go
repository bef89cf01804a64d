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

const (
	// mostPages is how many pages of a list are followed. The service's page size isn't known; with ten sets on a page it
	// is room for 2,000.
	mostPages = 200
	// mostListed is how many bytes all pages of a list have together at most.
	mostListed = 64 << 20
)

// fetchPages reads all pages of the collection at a path below the base URL. Get sends the request for the first page, or for the one at
// the address next. Unread are those of decodePage.
func fetchPages[T wireElement[T]](ctx context.Context, c *Client, op, keySetID, collection string,
	get func(ctx context.Context, next string, options []abs.RequestOption) error,
) (all []T, unread []string, err *Error) {
	seen := map[string]bool{}
	size := 0
	for next := ""; ; {
		a, err := c.send(ctx, op, keySetID, func(ctx context.Context, options []abs.RequestOption) error { return get(ctx, next, options) })
		if err != nil {
			return nil, nil, err
		}
		if !a.ok() {
			return nil, nil, newError(op, keySetID, a)
		}
		page, link, left, problem := decodePage[T](a.body)
		if problem != nil {
			return nil, nil, unreadable(op, keySetID, a, problem)
		}
		all, unread, size = append(all, page...), append(unread, left...), size+len(a.body)
		if link == "" {
			return all, unread, nil
		}
		next, problem = c.nextPage(link, collection)
		switch {
		case problem != nil:
		case seen[next]:
			problem = errors.New("the pages of the list go round in a circle")
		case len(seen) == mostPages-1:
			problem = fmt.Errorf("the list has more than %d pages", mostPages)
		case size > mostListed:
			problem = fmt.Errorf("the pages of the list have more than %d MB together", mostListed>>20)
		}
		if problem != nil {
			return nil, nil, unreadable(op, keySetID, a, problem)
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
		return "", errors.New("the next page has no valid address")
	}
	if !strings.EqualFold(path.Base(u.Path), path.Base(collection)) || u.RawQuery == "" {
		return "", fmt.Errorf("the next page %q is not one of %s", u.Path, path.Base(collection))
	}
	return c.adapter.GetBaseUrl() + collection + "?" + u.RawQuery, nil
}
