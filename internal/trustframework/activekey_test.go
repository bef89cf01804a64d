// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func TestClient_ActiveKey_IsAskedForEachTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{NumbersAsStrings: true})
	w.AddKeySet("Test")
	old := w.AddKey("Test", emulator.KeySpec{})
	next := w.AddKey("Test", emulator.KeySpec{Nbf: ptr(w.clock.Now().Add(time.Minute).Unix())})
	for _, row := range []struct {
		after time.Duration
		kid   string
	}{{0, old}, {time.Minute, next}} {
		w.clock.Advance(row.after)
		key, err := w.client.ActiveKey(t.Context(), "test")
		if err != nil || key.Kid != row.kid || key.Kty != trustframework.KtyRSA || key.N == "" {
			t.Errorf("got %v, %v, want %s", key, err, row.kid)
		}
	}
	w.SetKeyStatus("Test", next, false)
	if key, err := w.client.ActiveKey(t.Context(), "B2C_1A_Test"); err != nil || key.Kid != old {
		t.Errorf("after the next one is disabled: %v, %v", key, err)
	}
	requests := w.Journal()
	for _, e := range requests {
		if e.Op == emulator.OpGetActiveKey && !strings.HasSuffix(e.Path, "/getActiveKey") {
			t.Errorf("path %s", e.Path)
		}
	}
	if n := w.count(emulator.OpGetActiveKey); n != 3 || w.count(emulator.OpList)+w.count(emulator.OpGet) > 0 {
		t.Errorf("%d requests for the active key in %v", n, requests)
	}
}

// TestClient_ActiveKey_TellsNoSetFromNoKey: nobody has seen the service's words for either.
func TestClient_ActiveKey_TellsNoSetFromNoKey(t *testing.T) {
	t.Parallel()
	const gone, none = trustframework.KindKeySetGone, trustframework.KindNoActiveKey
	answer := func(status int, code string) *emulator.Fault {
		return &emulator.Fault{Status: status, Code: code, Message: "no"}
	}
	page := answer(404, "")
	page.Body, page.ContentType = "<html>Not Found</html>", "text/html"
	for name, row := range map[string]struct {
		fault   *emulator.Fault
		missing bool
		kind    trustframework.Kind
	}{
		"an empty set":           {nil, false, none},
		"no set":                 {nil, true, gone},
		"400 90073":              {answer(400, "AADB2C90073"), false, gone},
		"404 90073":              {answer(404, "AADB2C90073"), false, gone},
		"404 90019":              {answer(404, "AADB2C90019"), false, none},
		"404 of Graph's":         {answer(404, "Request_ResourceNotFound"), false, none},
		"404 of Graph's, no set": {answer(404, "Request_ResourceNotFound"), true, gone},
		"400 of another code":    {answer(400, "AADB2C90130"), false, none},
		"400 of another, no set": {answer(400, "AADB2C90130"), true, gone},
		"204":                    {&emulator.Fault{Status: 204, Times: -1}, false, none},
		"404 of a proxy's":       {page, false, trustframework.KindRefused},
		"404 of no address":      {answer(404, "UnknownError"), false, trustframework.KindRefused},
		"403":                    {answer(403, "AADB2C"), false, trustframework.KindDenied},
		"no kid":                 {&emulator.Fault{Status: 200, ContentType: "application/json", Body: `{"kty":"oct"}`}, false, trustframework.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			if !row.missing {
				w.AddKeySet("Test")
			}
			if row.fault != nil {
				row.fault.Op = emulator.OpGetActiveKey
				w.Inject(*row.fault)
			}
			begun := w.clock.Now()
			if _, err := w.client.ActiveKey(t.Context(), "Test"); trustframework.KindOf(err) != row.kind {
				t.Errorf("got %v, want kind %q", err, row.kind)
			}
			if took := w.clock.Now().Sub(begun); took > 0 && name != "204" {
				t.Errorf("waited %s", took)
			}
		})
	}
}

// TestClient_ActiveKey_WaitsForWhatWeMade: for a key that is to be used at once, and for no other.
func TestClient_ActiveKey_WaitsForWhatWeMade(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for name, row := range map[string]struct {
		before []time.Duration // the nbf of the keys of somebody else, from now
		made   []time.Duration // of ours
		active int             // which of all; -1 for none
		waits  bool
	}{
		"the first key":                    {nil, []time.Duration{-hour}, 0, true},
		"a key to come":                    {nil, []time.Duration{hour}, -1, false},
		"no key":                           {nil, nil, -1, false},
		"a key in place of another":        {[]time.Duration{-2 * hour}, []time.Duration{-hour}, 1, true},
		"a key beside a newer one":         {[]time.Duration{-hour}, []time.Duration{-2 * hour}, 0, false},
		"a key to come, beside another":    {[]time.Duration{-hour}, []time.Duration{hour}, 0, false},
		"two keys, the first of them used": {[]time.Duration{-3 * hour}, []time.Duration{-hour, -2 * hour}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("Test")
			var kids []string
			nbf := func(d time.Duration) *int64 { return ptr(w.clock.Now().Add(d).Unix()) }
			for _, d := range row.before {
				kids = append(kids, w.AddKey("Test", emulator.KeySpec{Kty: "oct", Nbf: nbf(d)}))
			}
			w.SetLag(40 * time.Second)
			for _, d := range row.made {
				key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct", Nbf: nbf(d)})
				if err != nil {
					t.Fatal(err)
				}
				kids = append(kids, key.Kid)
			}
			begun := w.clock.Now()
			key, err := w.client.ActiveKey(t.Context(), "Test")
			if row.active < 0 && trustframework.KindOf(err) != trustframework.KindNoActiveKey || row.active >= 0 && (err != nil || key.Kid != kids[row.active]) {
				t.Errorf("got %v, %v, want %d of %v", key, err, row.active, kids)
			}
			if waited := w.clock.Now().Sub(begun) > 0; waited != row.waits {
				t.Errorf("waited: %t", waited)
			}
		})
	}
}

func TestClient_ActiveKey_WaitsForASetThatWeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.SetLag(40 * time.Second)
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.ActiveKey(t.Context(), "Test"); trustframework.KindOf(err) != trustframework.KindNoActiveKey {
		t.Errorf("got %v", err)
	}
}

// TestClient_ActiveKey_WhatNeverShowsIsNotWaitedForForever: the service's last answer stands.
func TestClient_ActiveKey_WhatNeverShowsIsNotWaitedForForever(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("Test")
	old := w.AddKey("Test", emulator.KeySpec{Kty: "oct"})
	w.SetLag(time.Hour)
	if _, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"}); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []time.Duration{time.Hour, 10 * time.Second} {
		ctx, cancel := w.clock.WithTimeout(t.Context(), limit)
		defer cancel()
		begun := w.clock.Now()
		key, err := w.client.ActiveKey(ctx, "Test")
		if err != nil || key.Kid != old {
			t.Errorf("got %v, %v", key, err)
		}
		if waited := w.clock.Now().Sub(begun); waited > min(limit, settleTime) {
			t.Errorf("waited %s", waited)
		}
	}
}
