// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func TestClient_CreateKeySet_ExactlyOnce(t *testing.T) {
	t.Parallel()
	const op = emulator.OpCreate
	for name, row := range map[string]struct {
		faults    []emulator.Fault
		existing  bool // a set of the name is there before
		kind      trustframework.Kind
		posts     int
		recovered bool
	}{
		"clear":                  {posts: 1},
		"not sent: 429":          {faults: []emulator.Fault{emulator.Throttled(op, "0.5")}, posts: 2},
		"found: 504":             {faults: []emulator.Fault{emulator.GatewayTimeout(op)}, posts: 1, recovered: true},
		"found: cut":             {faults: []emulator.Fault{emulator.CutAfterCommit(op).WithLag(40 * time.Second)}, posts: 1, recovered: true},
		"sent again: 503":        {faults: []emulator.Fault{emulator.Unavailable(op)}, posts: 2},
		"late: 95028 is our own": {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(60*time.Second + time.Nanosecond), emulator.Throttled(op, "1")}, posts: 3, recovered: true},
		"unknown":                {faults: []emulator.Fault{emulator.Unavailable(op).Repeat(-1)}, kind: trustframework.KindUnknownOutcome, posts: 4},
		"exists":                 {existing: true, kind: trustframework.KindExists, posts: 1},
		"exists, answer lost":    {existing: true, faults: []emulator.Fault{emulator.Unavailable(op)}, kind: trustframework.KindExists, posts: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			if row.existing {
				w.AddKeySet("B2C_1A_test")
			}
			for _, f := range row.faults {
				w.Inject(f)
			}
			set, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
			if kind := trustframework.KindOf(err); kind != row.kind || (err == nil) != (row.kind == "") {
				t.Fatalf("error %v, want kind %q", err, row.kind)
			}
			if err == nil && (set.ID != "B2C_1A_Test" || set.Recovered != row.recovered) {
				t.Errorf("got %v", set)
			}
			if got := w.count(op); got != row.posts {
				t.Errorf("%d POSTs, want %d", got, row.posts)
			}
		})
	}
}

func TestClient_DeleteKeySet_ThenCreateIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.SetLag(15 * time.Second)
	for range 2 {
		if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil {
			t.Fatal(err)
		}
		// The set can't be seen yet: that it seems to be gone is not believed.
		if err := w.client.DeleteKeySet(t.Context(), "Test", false); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range w.KeySets() {
		if s.ID == "B2C_1A_Test" {
			t.Error("the key set is still there")
		}
	}
}

// TestClient_DeleteKeySet_ThenCreateIt_OutlivesALateDeletion: a DELETE whose answer was lost was sent again, and the first
// one is worked on when the set has been made anew.
func TestClient_DeleteKeySet_ThenCreateIt_OutlivesALateDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.Inject(emulator.CommitsLate(emulator.OpDelete, settleTime-time.Second))
	if err := w.client.DeleteKeySet(t.Context(), "Test", false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(settleTime)
	if w.keys("B2C_1A_Test") < 0 {
		t.Error("the new key set was deleted")
	}
	// Without a doubt nobody waits.
	before := w.clock.Now()
	if err := w.client.DeleteKeySet(t.Context(), "Test", false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil || w.clock.Now().Sub(before) > 0 {
		t.Errorf("waited %s (%v)", w.clock.Now().Sub(before), err)
	}
}

// TestClient_DeleteKeySet_ThenCreateIt_AndLoseTheAnswer: what goes on showing for a while is the set that was deleted.
func TestClient_DeleteKeySet_ThenCreateIt_AndLoseTheAnswer(t *testing.T) {
	t.Parallel()
	const op = emulator.OpCreate
	for name, row := range map[string]struct {
		fault     emulator.Fault
		posts     int
		recovered bool
	}{
		"made":     {emulator.GatewayTimeout(op), 1, true},
		"not made": {emulator.Unavailable(op), 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			w.SetLag(settleTime / 2)
			if err := w.client.DeleteKeySet(t.Context(), "Test", false); err != nil {
				t.Fatal(err)
			}
			w.Inject(row.fault)
			set, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
			if err != nil || set.Recovered != row.recovered || w.count(op) != row.posts || w.keys("B2C_1A_Test") < 0 {
				t.Errorf("got %v, %v; %d POSTs, %d keys", set, err, w.count(op), w.keys("B2C_1A_Test"))
			}
		})
	}
}

func TestClient_DeleteKeySet_OfNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	before := w.clock.Now()
	if err := w.client.DeleteKeySet(t.Context(), "Test", false); err != nil {
		t.Fatal(err)
	}
	if waited := w.clock.Now().Sub(before); waited > 0 {
		t.Errorf("waited %s for a set that was deleted long ago", waited)
	}
}

// fill puts keys into sets named Set00, Set01 and so on, and returns the kids by id.
func fill(w *world, sets, keys int) map[string][]string {
	kids := map[string][]string{}
	for i := range sets {
		id := fmt.Sprintf("B2C_1A_Set%02d", i)
		w.AddKeySet(id)
		for range keys {
			kids[id] = append(kids[id], w.AddKey(id, emulator.KeySpec{Kty: "oct"}))
		}
	}
	return kids
}

func TestClient_Key_ReadersShareOneListing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		lists    int
		gets     int
	}{
		"plain":               {emulator.Switches{}, 1, 0},
		"short pages":         {emulator.Switches{PageSize: 3}, 2, 0},
		"without keys":        {emulator.Switches{ListWithoutKeys: true}, 1, 5},
		"refused":             {emulator.Switches{ListRefused: true}, 1, 5},
		"numbers are strings": {emulator.Switches{NumbersAsStrings: true}, 1, 0},
		"OCT":                 {emulator.Switches{OctSpelling: "OCT"}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			kids := fill(w, 5, 4)
			var wg sync.WaitGroup
			for id := range kids {
				for _, kid := range kids[id] {
					wg.Go(func() {
						key, set, err := w.client.Key(t.Context(), id, kid, false)
						if err != nil || key.Kid != kid || key.Kty != trustframework.KtyOct || set.ID != id {
							t.Errorf("got %v in %q: %v", key, set.ID, err)
						}
					})
				}
			}
			wg.Wait()
			if lists, gets := w.count(emulator.OpList), w.count(emulator.OpGet); lists != row.lists || gets != row.gets {
				t.Errorf("%d listings and %d reads, want %d and %d", lists, gets, row.lists, row.gets)
			}
			if n := w.count(emulator.OpToken); n != 1 {
				t.Errorf("%d tokens", n)
			}
		})
	}
}

func TestClient_Key_AbsenceIsConfirmedOnceForAllKeysOfASet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	kids := fill(w, 2, 3)
	w.RemoveKeySet("B2C_1A_Set00")
	w.RemoveKey("B2C_1A_Set01", kids["B2C_1A_Set01"][0])
	for id, want := range map[string]trustframework.Kind{"B2C_1A_Set00": trustframework.KindKeySetGone, "B2C_1A_Set01": trustframework.KindKeyGone} {
		for i, kid := range kids[id] {
			if id == "B2C_1A_Set01" && i > 0 {
				want = ""
			}
			if _, _, err := w.client.Key(t.Context(), id, kid, false); trustframework.KindOf(err) != want {
				t.Errorf("key %d of %s: %v, want %q", i, id, err, want)
			}
		}
	}
	if lists, gets := w.count(emulator.OpList), w.count(emulator.OpGet); lists != 1 || gets != 2 {
		t.Errorf("%d listings and %d reads", lists, gets)
	}
}

func TestClient_Key_AYoungOneIsLookedForOverTheSettleTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.SetLag(30 * time.Second)
	key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
	if err != nil {
		t.Fatal(err)
	}
	other := w.newClient(t)
	if _, _, err := other.Key(t.Context(), "Test", key.Kid, false); trustframework.KindOf(err) != trustframework.KindKeyGone {
		t.Fatalf("an old key that can't be seen: %v", err)
	}
	if _, _, err := other.Key(t.Context(), "Test", key.Kid, true); err != nil {
		t.Errorf("a young key that can't be seen yet: %v", err)
	}
}

// TestClient_Key_WhatLooksGoneAndIsNot: only the service's own word for a missing set means gone.
func TestClient_Key_WhatLooksGoneAndIsNot(t *testing.T) {
	t.Parallel()
	answer := func(status int, code string) emulator.Fault {
		return emulator.Fault{Op: emulator.OpGet, Status: status, Code: code, Message: "no"}
	}
	page := answer(404, "")
	page.Body, page.ContentType = "<html>Not Found</html>", "text/html"
	for name, row := range map[string]struct {
		fault emulator.Fault
		kind  trustframework.Kind
	}{
		"400 90073":          {answer(400, "AADB2C90073"), trustframework.KindKeySetGone},
		"404 90073":          {answer(404, "AADB2C90073"), trustframework.KindKeySetGone},
		"404 of Graph's":     {answer(404, "ResourceNotFound"), trustframework.KindKeySetGone},
		"404 of a proxy's":   {page, trustframework.KindRefused},
		"404 UnknownError":   {answer(404, "UnknownError"), trustframework.KindRefused},
		"403":                {answer(403, "AADB2C"), trustframework.KindDenied},
		"other 400":          {answer(400, "AADB2C90130"), trustframework.KindRefused},
		"400 for an instant": {answer(400, "AADB2C90063"), ""},
		"500 for an instant": {answer(500, "AADB2C90063"), ""},
		"429 for an instant": {emulator.Throttled(emulator.OpGet, "1"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{ListRefused: true})
			kids := fill(w, 1, 1)
			w.Inject(row.fault)
			_, _, err := w.client.Key(t.Context(), "Set00", kids["B2C_1A_Set00"][0], false)
			if kind := trustframework.KindOf(err); kind != row.kind || (err == nil) != (row.kind == "") {
				t.Errorf("got %v, want kind %q", err, row.kind)
			}
		})
	}
}

func TestClient_GenerateKey_WritesToOneSetNeverOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{OverlapRefused: true})
	fill(w, 2, 0)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			in := trustframework.GenerateKeyInput{KeySetID: fmt.Sprintf([]string{"SET%02d", "b2c_1a_set%02d"}[i/5], i%2), Use: "sig", Kty: "oct"}
			if _, err := w.client.MakeKey(t.Context(), timeout, in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.count(emulator.OpGenerateKey); n != 10 {
		t.Errorf("%d POSTs", n)
	}
	if n := w.count(emulator.OpGet); n > 2 {
		t.Errorf("%d reads: the answers should have told what the sets hold", n)
	}
	for i := range 2 {
		if id := fmt.Sprintf("B2C_1A_Set%02d", i); w.keys(id) != 5 {
			t.Errorf("%d keys in %s", w.keys(id), id)
		}
	}
}
