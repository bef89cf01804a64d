// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

var (
	errForeign = errors.New("not a key set of this run")
	errUnseen  = errors.New("it doesn't show")
)

// session is one check or question on a tenant. All key sets that it makes bear
// its label.
type session struct {
	*service
	label    string
	rush     bool
	observed []observation
}

// session begins a check or a question. The caller ends it with close.
func (s *service) session(label string) *session { return &session{service: s, label: label} }

const backupSuffix = ".bak"

// setName is the name of a key set of this run. Whatever writes takes one, which
// set or the cleanup made, and looks again whether the run owns it.
type setName struct {
	id    string // in full
	given string // as it is spelled in a create
}

// set names a key set of this session. One that makes several tells them apart
// by the rest.
func (s *session) set(rest string) setName {
	id := s.prefix + s.label
	if rest != "" {
		id += "_" + rest
	}
	return setName{id: id, given: id}
}

// unprefixed is the same name, to be created without the service's prefix.
func (n setName) unprefixed() setName {
	n.given = strings.TrimPrefix(n.id, servicePrefix)
	return n
}

// backup is the copy that the deletion leaves.
func (n setName) backup() setName {
	return setName{id: n.id + backupSuffix, given: n.id + backupSuffix}
}

func (n setName) isBackup() bool { return strings.HasSuffix(n.id, backupSuffix) }

// path is the address of the key set, and of what is below it.
func (n setName) path(below string) string { return "keySets/" + url.PathEscape(n.id) + below }

// owns tells the names of this run, in any case.
func (s *service) owns(id string) bool {
	return len(id) > len(s.prefix) && strings.EqualFold(id[:len(s.prefix)], s.prefix)
}

// write sends what changes a key set, and nothing to one that isn't this run's,
// or to one that it hasn't made if the request replaces something.
func (s *session) write(ctx context.Context, method string, n setName, below, body string, header http.Header) (answer, error) {
	replaces := method == http.MethodPut || method == http.MethodPatch
	if !s.owns(n.id) || replaces && !s.has(n) {
		return answer{}, fmt.Errorf("%s %s: %w", method, s.plain(n.id), errForeign)
	}
	a, err := s.submit(ctx, method, n.path(below), body, header)
	if method == http.MethodDelete && below == "" && err == nil {
		s.deleted(n, a)
	}
	return a, err
}

func (s *session) submit(ctx context.Context, method, path, body string, header http.Header) (answer, error) {
	r := request{
		method: method, url: s.address(path), shown: method + " " + path, header: s.bearer(), body: []byte(body), rush: s.rush,
	}
	if body != "" {
		r.shown += " " + body
		r.header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		r.header[name] = values
	}
	if r.header.Get("Content-Encoding") == "gzip" {
		var packed bytes.Buffer
		zw := gzip.NewWriter(&packed)
		if _, err := zw.Write(r.body); err != nil {
			return answer{}, err
		}
		if err := zw.Close(); err != nil {
			return answer{}, err
		}
		r.body = packed.Bytes()
	}
	return s.call(ctx, r)
}

// create asks for a key set. The rest follows the id in the body.
func (s *session) create(ctx context.Context, n setName, rest string, header http.Header) (answer, error) {
	if !s.owns(n.id) || !s.owns(n.given) && !s.owns(servicePrefix+n.given) {
		return answer{}, fmt.Errorf("POST keySets %s: %w", s.plain(n.given), errForeign)
	}
	id, err := json.Marshal(n.given)
	if err != nil {
		return answer{}, err
	}
	s.mark(n, mayExist)
	a, err := s.submit(ctx, http.MethodPost, "keySets", `{"id":`+string(id)+rest+`}`, header)
	if err == nil && a.status == http.StatusCreated {
		s.mark(n, exists)
		s.named(a.text("id"))
	}
	return a, err
}

// batch asks for one path in a $batch (documented: JSON batching). It can only
// read.
func (s *session) batch(ctx context.Context, path string) (answer, error) {
	body := compact(object{"requests": []object{{"id": "1", "method": http.MethodGet, "url": "/trustFramework/" + path}}})
	return s.submit(ctx, http.MethodPost, "/beta/$batch", body, nil)
}

// make creates a key set and waits until it shows.
func (s *session) make(ctx context.Context, rest string) (setName, error) {
	n := s.set(rest)
	a, err := s.create(ctx, n, "", nil)
	if err == nil {
		err = a.want(http.StatusCreated)
	}
	if err != nil {
		return n, err
	}
	_, err = s.until(ctx, n.path(""), isThere)
	return n, err
}

// generate asks for a key.
func (s *session) generate(ctx context.Context, n setName, body string) (answer, error) {
	return s.write(ctx, http.MethodPost, n, "/generateKey", body, nil)
}

// key generates a key and waits until it shows.
func (s *session) key(ctx context.Context, n setName, body string) (string, error) {
	var a answer
	var failed error
	err := s.watch(ctx, func(ctx context.Context) error {
		// A key set that was seen may still be missing elsewhere. All else is final:
		// a second request could make a second key.
		if a, failed = s.generate(ctx, n, body); failed == nil && a.gone() {
			return a.unexpected()
		}
		return nil
	}).err
	if err = errors.Join(err, failed); err == nil {
		err = a.want(http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	kid, err := readKey(a.object())
	if err != nil {
		return "", err
	}
	_, err = s.until(ctx, n.path(""), hasKid(kid))
	return kid, err
}

// keySet makes a key set with a key for each body.
func (s *session) keySet(ctx context.Context, rest string, bodies ...string) (n setName, made []string, err error) {
	if n, err = s.make(ctx, rest); err != nil {
		return n, nil, err
	}
	for _, body := range bodies {
		kid, err := s.key(ctx, n, body)
		if err != nil {
			return n, nil, err
		}
		made = append(made, kid)
	}
	return n, made, nil
}

// patch changes a key by keys_v2.
func (s *session) patch(ctx context.Context, n setName, kid, body string) (answer, error) {
	return s.write(ctx, http.MethodPatch, n, "/keys_v2/"+url.PathEscape(kid), body, nil)
}

// remove deletes a key set and waits until it is gone.
func (s *session) remove(ctx context.Context, n setName) error {
	a, err := s.write(ctx, http.MethodDelete, n, "", "", nil)
	if err == nil {
		err = a.want(http.StatusNoContent)
	}
	if err == nil {
		_, err = s.until(ctx, n.path(""), isGone)
	}
	return err
}

func isGone(a answer) error {
	if !a.gone() {
		return fmt.Errorf("%w, want a missing key set", a.unexpected())
	}
	return nil
}

// hasKid wants a key set that holds the key.
func hasKid(kid string) func(answer) error {
	return func(a answer) error {
		keys, _ := a.list("keys")
		for _, key := range keys {
			if text(key, "kid") == kid {
				return nil
			}
		}
		return fmt.Errorf("%s: status %d, and the key isn't there", a.request, a.status)
	}
}

// sighting says how long something took to show.
type sighting struct {
	took  time.Duration
	looks int
	err   error // why it doesn't show
}

// watch looks until look finds what it wants, or patience ends.
func (s *session) watch(ctx context.Context, look func(context.Context) error) sighting {
	return s.watchFor(ctx, s.patience, look)
}

func (s *session) watchFor(ctx context.Context, patience time.Duration, look func(context.Context) error) sighting {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begin := now()
	var last error
	for looks := 1; ; looks++ {
		err := look(ctx)
		if err == nil {
			took := now().Sub(begin)
			if looks > 1 {
				s.mu.Lock()
				s.slowest = max(s.slowest, took)
				s.mu.Unlock()
			}
			return sighting{took: took, looks: looks}
		}
		if last == nil || ctx.Err() == nil { // the end of patience says less
			last = err
		}
		if wait(ctx, s.interval) != nil {
			return sighting{looks: looks, err: fmt.Errorf("after %s: %w", patience, last)}
		}
	}
}

// until reads an address until the answer is as wanted.
func (s *session) until(ctx context.Context, path string, wanted func(answer) error) (answer, error) {
	var last answer
	err := s.watch(ctx, func(ctx context.Context) error {
		a, err := s.get(ctx, path)
		if err != nil {
			return err
		}
		last = a
		return wanted(a)
	}).err
	return last, err
}

// allow gives what was written a while to show, for a question whose answer may
// be that it never does: the while is what everything so far took, and more.
func (s *session) allow(ctx context.Context, path string, wanted func(answer) error) {
	_ = s.watchFor(ctx, s.lull(), func(ctx context.Context) error { return s.shows(ctx, path, wanted) })
}

// isThere wants something at an address.
func isThere(a answer) error { return a.want(http.StatusOK) }

// shows looks once.
func (s *session) shows(ctx context.Context, path string, wanted func(answer) error) error {
	a, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	return wanted(a)
}

// together does the same thing several times at once.
func (s *session) together(ctx context.Context, times int, do func(context.Context) (answer, error)) ([]answer, error) {
	for range times {
		if err := s.turn(ctx); err != nil {
			return nil, err
		}
	}
	s.rush = true
	defer func() { s.rush = false }()
	answers, errs := make([]answer, times), make([]error, times)
	var group sync.WaitGroup
	for i := range times {
		group.Go(func() { answers[i], errs[i] = do(ctx) })
	}
	group.Wait()
	return answers, errors.Join(errs...)
}
