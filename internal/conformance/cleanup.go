// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxPages = 200
	// maxRefusals is how often a deletion may be refused before it is given up.
	maxRefusals = 3
)

// life is what a run knows of a name it has used.
type life int

const (
	gone     life = iota // as far as the answers say
	mayExist             // a create was sent, or a deletion may have left it
	exists               // the service said that it made it
)

// made is a name that a run has used.
type made struct {
	id   string
	life life
}

// mark notes what became of a name. That something may exist says nothing new
// of what does.
func (s *service) mark(n setName, to life) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(n.id)
	if to != mayExist || s.made[key].life != exists {
		s.made[key] = made{id: n.id, life: to}
	}
}

// named notes the name that the service gave to a new key set. It may choose
// another than was asked for (documented): one that is then not of this run is
// told, and left alone.
func (s *service) named(id string) {
	switch {
	case s.owns(id):
		s.mark(setName{id: id}, exists)
	case id != "":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.strays = append(s.strays, id)
	}
}

// has reports whether this run made the key set, and it is still there.
func (s *service) has(n setName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[strings.ToLower(n.id)].life == exists
}

// deleted notes the answer to a deletion. Whether that of a backup leaves one
// too is for sweep to see.
func (s *service) deleted(n setName, a answer) {
	if a.ok() && !n.isBackup() {
		s.mark(n.backup(), mayExist)
	}
	if a.ok() || a.gone() {
		s.mark(n, gone)
	}
}

// names are those that this run has used and that begin with a text.
func (s *service) names(begin string, atLeast life) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, m := range s.made {
		if m.life >= atLeast && strings.HasPrefix(m.id, begin) {
			names = append(names, m.id)
		}
	}
	slices.Sort(names)
	return names
}

// close deletes what the session has made, and the backups of that. What fails
// here is left to sweep.
func (s *session) close(ctx context.Context) {
	for range 2 {
		for _, id := range s.names(s.prefix+s.label, mayExist) {
			if _, err := s.write(ctx, http.MethodDelete, setName{id: id}, "", "", nil); err != nil {
				return
			}
		}
	}
}

// lull is how long nothing more must show before it is taken that nothing will.
func (s *service) lull() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quiet + 2*s.slowest
}

// sweep deletes all that this run has left, and returns the names of what is
// still there. Nothing but names of this run is touched.
func (s *service) sweep(ctx context.Context) (left []string, err error) {
	if len(s.names(s.prefix, gone)) > 0 {
		left, err = s.sweepListed(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	left = append(left, s.strays...)
	slices.Sort(left)
	return slices.Compact(left), err
}

// sweepListed goes by what the tenant lists: lag can hide a backup when its key
// set is deleted.
func (s *service) sweepListed(ctx context.Context) (left []string, err error) {
	quiet := s.lull()
	session, refusals := s.session(""), map[string]int{}
	begin := now()
	last := begin // when something was last deleted
	for {
		sets, err := session.listing(ctx)
		if err != nil {
			return session.sweepUnseen(ctx, err)
		}
		left = nil
		for _, set := range sets {
			if id := text(set, "id"); s.owns(id) && refusals[id] < maxRefusals {
				left = append(left, id)
			}
		}
		switch at := now(); {
		case len(left) == 0 && at.Sub(last) >= quiet, at.Sub(begin) >= s.patience+quiet:
			for id, n := range refusals {
				if n >= maxRefusals {
					left = append(left, id)
				}
			}
			return left, nil
		}
		for _, id := range left {
			a, err := session.write(ctx, http.MethodDelete, setName{id: id}, "", "", nil)
			switch {
			case err != nil:
				return left, err
			case a.ok():
				last = now()
			case !a.gone(): // a deleted one may show a while longer
				refusals[id]++
			}
		}
		if err := wait(ctx, s.interval); err != nil {
			return left, err
		}
	}
}

// sweepUnseen deletes all names that this run has used and their backups, for a
// tenant that can't be listed.
func (s *session) sweepUnseen(ctx context.Context, cause error) (left []string, err error) {
	for _, id := range s.names(s.prefix, gone) {
		for _, n := range []setName{{id: id}, setName{id: id}.backup()} {
			a, err := s.write(ctx, http.MethodDelete, n, "", "", nil)
			if err != nil || !a.ok() && !a.gone() {
				left = append(left, n.id)
				cause = errors.Join(cause, err)
			}
		}
	}
	return left, fmt.Errorf("what is left can't be seen: %w", cause)
}

// listing reads all key sets of the tenant. Their names go nowhere but to the
// caller.
func (s *session) listing(ctx context.Context) ([]object, error) {
	var sets []object
	path := "keySets"
	for range maxPages {
		a, err := s.get(ctx, path)
		if err == nil {
			err = a.want(http.StatusOK)
		}
		if err != nil {
			return nil, err
		}
		page, ok := a.list("value")
		if !ok {
			return nil, fmt.Errorf("%s: no list of key sets", a.request)
		}
		sets = append(sets, page...)
		link := a.text("@odata.nextLink")
		if link == "" {
			return sets, nil
		}
		next, err := url.Parse(link)
		if err != nil {
			return nil, fmt.Errorf("%s: a nextLink that is no address", a.request)
		}
		path = next.RequestURI() // whatever host it names, the token goes to the service
	}
	return nil, fmt.Errorf("the listing has more than %d pages", maxPages)
}

// listed is a key set in the listing, or nil.
func (s *session) listed(ctx context.Context, n setName) (object, error) {
	sets, err := s.listing(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if text(set, "id") == n.id {
			return set, nil
		}
	}
	return nil, nil
}
