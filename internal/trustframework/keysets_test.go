// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func all(string) bool { return true }

// shape writes sets as "A:2 B:0", with the number of their keys and without the prefix.
func shape(sets []trustframework.KeySet) string {
	var parts []string
	for _, s := range sets {
		parts = append(parts, fmt.Sprintf("%s:%d", strings.TrimPrefix(s.ID, "B2C_1A_"), len(s.Keys)))
	}
	return strings.Join(parts, " ")
}

func TestClient_KeySets_IsOneListing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		keys     int
		empty    bool // one set more, without keys
		lists    int
		gets     int
		want     string
	}{
		"plain":                        {emulator.Switches{}, 2, false, 1, 0, "Set00:2 Set01:2 Set02:2"},
		"short pages":                  {emulator.Switches{PageSize: 2}, 2, false, 2, 0, "Set00:2 Set01:2 Set02:2"},
		"without keys":                 {emulator.Switches{ListWithoutKeys: true}, 2, false, 1, 3, "Set00:2 Set01:2 Set02:2"},
		"numbers are strings":          {emulator.Switches{NumbersAsStrings: true, OctSpelling: "OCT"}, 1, false, 1, 0, "Set00:1 Set01:1 Set02:1"},
		"an empty set beside others":   {emulator.Switches{}, 1, true, 1, 0, "Empty:0 Set00:1 Set01:1 Set02:1"},
		"empty sets only":              {emulator.Switches{}, 0, true, 1, 4, "Empty:0 Set00:0 Set01:0 Set02:0"},
		"an empty set, another page's": {emulator.Switches{PageSize: 1}, 1, true, 4, 0, "Empty:0 Set00:1 Set01:1 Set02:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			fill(w, 3, row.keys)
			if row.empty {
				w.AddKeySet("Empty")
			}
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					sets, err := w.client.KeySets(t.Context(), all)
					if got := shape(sets); err != nil || got != row.want {
						t.Errorf("got %s: %v", got, err)
					}
				})
			}
			wg.Wait()
			if lists, gets := w.count(emulator.OpList), w.count(emulator.OpGet); lists != row.lists || gets != row.gets {
				t.Errorf("%d listings and %d reads, want %d and %d", lists, gets, row.lists, row.gets)
			}
		})
	}
}

func TestClient_KeySets_ReadsOnlyWhatIsWanted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{ListWithoutKeys: true})
	fill(w, 4, 1)
	sets, err := w.client.KeySets(t.Context(), func(id string) bool { return strings.HasSuffix(id, "2") })
	if got := shape(sets); err != nil || got != "Set02:1" {
		t.Errorf("got %s: %v", got, err)
	}
	if n := w.count(emulator.OpGet); n != 1 {
		t.Errorf("%d reads", n)
	}
}

func TestClient_KeySets_WithoutAListingIsAnError(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	for name, row := range map[string]struct {
		fault emulator.Fault
		kind  trustframework.Kind
	}{
		"refused":         {emulator.Fault{Status: 403, Code: "AADB2C", Message: "no"}, trustframework.KindDenied},
		"refused oddly":   {emulator.Fault{Status: 400, Code: "AADB2C90130", Message: "no"}, trustframework.KindRefused},
		"exists":          {emulator.Fault{Status: 400, Code: "AADB2C95028", Message: "no"}, trustframework.KindRefused},
		"not found":       {emulator.Fault{Status: 404, Code: "AADB2C90073", Message: "no"}, trustframework.KindRefused},
		"failed":          {emulator.Fault{Status: 500, Code: "AADB2C90063", Message: "no", Times: -1}, trustframework.KindUnavailable},
		"no value":        {emulator.Fault{Status: 200, ContentType: json, Body: `{}`}, trustframework.KindUnavailable},
		"a set has no id": {emulator.Fault{Status: 200, ContentType: json, Body: `{"value":[{"keys":[]}]}`}, trustframework.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			fill(w, 1, 1)
			row.fault.Op = emulator.OpList
			w.Inject(row.fault)
			// What others have made of the refusal doesn't hide it.
			_, _ = w.client.HasKeySet(t.Context(), "Set00", false)
			lists := w.count(emulator.OpList)
			for range 2 {
				if _, err := w.client.KeySets(t.Context(), all); trustframework.KindOf(err) != row.kind {
					t.Errorf("got %v", err)
				}
			}
			if n := w.count(emulator.OpList); n != lists {
				t.Errorf("%d listings more", n-lists)
			}
		})
	}
}

func TestClient_KeySets_WhatTheServiceHidesIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{ListWithoutKeys: true})
	fill(w, 1, 1)
	w.Inject(emulator.Fault{Op: emulator.OpGet, Status: 200, ContentType: "application/json", Body: `{"id":"B2C_1A_Set00"}`})
	if _, err := w.client.KeySets(t.Context(), all); trustframework.KindOf(err) != trustframework.KindKeysHidden {
		t.Errorf("got %v", err)
	}
}

// TestClient_KeySets_ASetThatVanishesMeanwhileIsLeftOut: the listing had it, and its own read doesn't.
func TestClient_KeySets_ASetThatVanishesMeanwhileIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{ListWithoutKeys: true})
	fill(w, 2, 1)
	w.onRequest(emulator.OpList, func() { w.RemoveKeySet("Set00") })
	sets, err := w.client.KeySets(t.Context(), all)
	if got := shape(sets); err != nil || got != "Set01:1" {
		t.Errorf("got %s: %v", got, err)
	}
}

// TestClient_KeySets_AreThoseAfterOurWrites: whatever the lag, and whether what was known before is still
// fresh or not.
func TestClient_KeySets_AreThoseAfterOurWrites(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		lag, age time.Duration
		switches emulator.Switches
	}{
		"at once":               {0, 0, emulator.Switches{}},
		"lag":                   {30 * time.Second, 0, emulator.Switches{}},
		"lag, and old":          {30 * time.Second, 59 * time.Second, emulator.Switches{}},
		"lag, without keys":     {30 * time.Second, 0, emulator.Switches{ListWithoutKeys: true}},
		"at once, without keys": {0, 0, emulator.Switches{ListWithoutKeys: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			fill(w, 3, 1)
			sets, err := w.client.KeySets(t.Context(), all)
			if got := shape(sets); err != nil || got != "Set00:1 Set01:1 Set02:1" {
				t.Fatalf("got %s: %v", got, err)
			}
			w.clock.Advance(row.age)
			w.SetLag(row.lag)
			if _, err := w.client.CreateKeySet(t.Context(), timeout, "New"); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"New", "Set01"} {
				if _, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: id, Use: "sig", Kty: "oct"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.client.DeleteKeySet(t.Context(), "Set00", false); err != nil {
				t.Fatal(err)
			}
			others := 1
			if !row.switches.ListWithoutKeys { // else it takes a minute for others' keys to be seen
				w.AddKey("Set02", emulator.KeySpec{Kty: "oct"})
				others = 2
			}
			w.ResetJournal()
			sets, err = w.client.KeySets(t.Context(), all)
			want := fmt.Sprintf("New:1 Set00.bak:1 Set01:2 Set02:%d", others)
			if row.lag > 0 { // the copy is nothing that anybody waits for
				want = strings.Replace(want, "Set00.bak:1 ", "", 1)
			}
			if got := shape(sets); err != nil || got != want {
				t.Errorf("got %s, want %s: %v", got, want, err)
			}
			if n := w.count(emulator.OpList); n != 1 {
				t.Errorf("%d listings", n)
			}
			w.ResetJournal()
			again, err := w.client.KeySets(t.Context(), all)
			if err != nil || shape(again) != shape(sets) || w.count(emulator.OpList) > 0 {
				t.Errorf("again: %s, %v, %d listings", shape(again), err, w.count(emulator.OpList))
			}
		})
	}
}

// TestClient_KeySets_AListingUnderWayDoesntDo: it began before the write, and whoever asks after the
// write gets another one.
func TestClient_KeySets_AListingUnderWayDoesntDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	fill(w, 1, 1)
	late := make(chan string, 1)
	var once sync.Once
	w.onRequest(emulator.OpList, func() {
		once.Do(func() {
			if err := w.client.DeleteKeySet(t.Context(), "Set00", false); err != nil {
				t.Error(err)
			}
			go func() {
				sets, err := w.client.KeySets(t.Context(), all)
				late <- fmt.Sprint(shape(sets), err)
			}()
		})
	})
	sets, err := w.client.KeySets(t.Context(), all)
	if got := shape(sets); err != nil || strings.Contains(got, "Set00:") {
		t.Errorf("what was deleted meanwhile: %s, %v", got, err)
	}
	if got := <-late; got != "Set00.bak:1<nil>" {
		t.Errorf("who asked after the write got %s", got)
	}
}

// TestClient_CurrentKeySet_ShowsWhatWeMade: under lag, and when what the write told is no longer fresh.
func TestClient_CurrentKeySet_ShowsWhatWeMade(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		made bool // the set too
		lag  time.Duration
		gets bool
	}{
		"a key":               {false, 0, false},
		"a key under lag":     {false, 50 * time.Second, true},
		"a set":               {true, 0, false},
		"a set and its lag":   {true, 50 * time.Second, true},
		"a lag over the time": {false, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			kids := slices.Clone(fill(w, 2, 1)["B2C_1A_Set00"])
			id := "Set00"
			if row.made {
				id, kids = "New", nil
				if _, err := w.client.CreateKeySet(t.Context(), timeout, id); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.client.HasKeySet(t.Context(), id, false); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(50 * time.Second)
			w.SetLag(row.lag)
			key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: id, Use: "sig", Kty: "oct"})
			if err != nil {
				t.Fatal(err)
			}
			if row.lag < time.Hour {
				kids = append(kids, key.Kid)
			}
			w.clock.Advance(15 * time.Second) // what the write told is based on what has grown old
			set, err := w.client.CurrentKeySet(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range set.Keys {
				got = append(got, k.Kid)
			}
			if !slices.Equal(got, kids) {
				t.Errorf("got %v, want %v", got, kids)
			}
			if n := w.count(emulator.OpGet); (n > 0) != row.gets {
				t.Errorf("%d reads", n)
			}
		})
	}
}

// TestClient_CurrentKeySet_OfNoneWaitsForNothing: nothing in this process says that there should be one.
func TestClient_CurrentKeySet_OfNoneWaitsForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	begun := w.clock.Now()
	if _, err := w.client.CurrentKeySet(t.Context(), "Test"); trustframework.KindOf(err) != trustframework.KindKeySetGone {
		t.Errorf("got %v", err)
	}
	if took := w.clock.Now().Sub(begun); took > 0 {
		t.Errorf("waited %s", took)
	}
}

// TestClient_CurrentKeySet_OfADeletedOneIsGone: under lag it is still there for a while.
func TestClient_CurrentKeySet_OfADeletedOneIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	fill(w, 2, 1)
	w.SetLag(20 * time.Second)
	if err := w.client.DeleteKeySet(t.Context(), "Set00", false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.CurrentKeySet(t.Context(), "Set00"); trustframework.KindOf(err) != trustframework.KindKeySetGone {
		t.Errorf("got %v", err)
	}
}

// TestClient_KeySets_KnowWhatWeWroteAndWhatOthersDid: a listing doesn't take back what our write has told,
// and shows what others have done meanwhile.
func TestClient_KeySets_KnowWhatWeWroteAndWhatOthersDid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		lag  time.Duration
		want string
	}{
		"our key shows":             {0, "Set00:3 Set01:1"},
		"our key doesn't show, yet": {30 * time.Second, "Set00:2 Set01:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			fill(w, 2, 1)
			w.SetLag(row.lag)
			if _, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Set00", Use: "sig", Kty: "oct"}); err != nil {
				t.Fatal(err)
			}
			w.AddKey("Set00", emulator.KeySpec{Kty: "oct"})
			begun := w.clock.Now()
			sets, err := w.client.KeySets(t.Context(), all)
			if got := shape(sets); err != nil || got != row.want {
				t.Errorf("got %s, want %s: %v", got, row.want, err)
			}
			if waited := w.clock.Now().Sub(begun); waited > 0 || w.count(emulator.OpGet) > 0 {
				t.Errorf("waited %s, %d reads", waited, w.count(emulator.OpGet))
			}
		})
	}
}

// TestClient_KeySets_WhatWasGoneMayBeBack: the listing is younger than the read that didn't find it.
func TestClient_KeySets_WhatWasGoneMayBeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	fill(w, 1, 1)
	if _, err := w.client.KeySet(t.Context(), "Back", false); trustframework.KindOf(err) != trustframework.KindKeySetGone {
		t.Fatalf("got %v", err)
	}
	w.AddKeySet("Back")
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "New"); err != nil {
		t.Fatal(err)
	}
	sets, err := w.client.KeySets(t.Context(), all)
	if got := shape(sets); err != nil || got != "Back:0 New:0 Set00:1" {
		t.Errorf("got %s: %v", got, err)
	}
}
