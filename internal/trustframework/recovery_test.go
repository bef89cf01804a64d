// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// signingKey is an undated key for the set "Test": nothing but its kid tells it from others alike.
func signingKey() trustframework.GenerateKeyInput {
	return trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"}
}

// TestClient_GenerateKey_NeverTakesAKeyMadeBefore: a key of this process that the baseline didn't show
// yet appears while another one is looked for.
func TestClient_GenerateKey_NeverTakesAKeyMadeBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.SetLag(100 * time.Second)
	first, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if err != nil {
		t.Fatal(err)
	}
	w.SetLag(0)
	w.clock.Advance(61 * time.Second) // what is known of the set is too old by now
	w.Inject(emulator.Unavailable(emulator.OpGenerateKey))
	second, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if err != nil {
		t.Fatal(err)
	}
	if first.Kid == second.Kid || w.keys("B2C_1A_Test") != 2 {
		t.Errorf("took %q for the second key; %d keys", second.Kid, w.keys("B2C_1A_Test"))
	}
}

func TestClient_GenerateKey_NeverTakesAKeyThatDiffers(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]emulator.KeySpec{
		"exp":         {Use: "sig", Kty: "oct", Nbf: ptr(int64(100)), Exp: ptr(int64(4102444801))},
		"nbf":         {Use: "sig", Kty: "oct", Nbf: ptr(int64(101)), Exp: ptr(int64(4102444800))},
		"no nbf":      {Use: "sig", Kty: "oct", Exp: ptr(int64(4102444800))},
		"use":         {Use: "enc", Kty: "oct", Nbf: ptr(int64(100)), Exp: ptr(int64(4102444800))},
		"kty":         {Use: "sig", Kty: "RSA", Nbf: ptr(int64(100)), Exp: ptr(int64(4102444800))},
		"no dates":    {Use: "sig", Kty: "oct"},
		"only an nbf": {Use: "sig", Kty: "oct", Nbf: ptr(int64(100))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			var foreign string
			w.onRequest(emulator.OpGenerateKey, func() {
				if foreign == "" {
					foreign = w.AddKey("B2C_1A_Test", other)
				}
			})
			w.Inject(emulator.Unavailable(emulator.OpGenerateKey).Repeat(-1))
			in := signingKey()
			in.Nbf, in.Exp = ptr(int64(100)), ptr(int64(4102444800))
			key, err := w.client.MakeKey(t.Context(), timeout, in)
			if trustframework.KindOf(err) != trustframework.KindUnknownOutcome {
				t.Errorf("took %q, a key of somebody else's: %v", key.Kid, err)
			}
		})
	}
}

// TestClient_GenerateKey_LooksThatFailProveNothing: what can't be looked at isn't sent again.
func TestClient_GenerateKey_LooksThatFailProveNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"denied":       {Op: emulator.OpGet, Status: 403, Code: "AADB2C", Message: "no", Times: -1},
		"without keys": {Op: emulator.OpGet, Status: 200, Body: `{"id":"B2C_1A_Test"}`, ContentType: "application/json", Times: -1},
		"another set":  {Op: emulator.OpGet, Status: 200, Body: `{"id":"B2C_1A_Other","keys":[]}`, ContentType: "application/json", Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			if _, err := w.client.KeySet(t.Context(), "Test", false); err != nil {
				t.Fatal(err)
			}
			w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
			w.Inject(fault)
			_, err := w.client.MakeKey(t.Context(), timeout, signingKey())
			var e *trustframework.Error
			if !errors.As(err, &e) || e.Kind != trustframework.KindUnknownOutcome || e.Unseen == nil || e.Resent {
				t.Errorf("got %v", err)
			}
			if n := w.count(emulator.OpGenerateKey); n != 1 {
				t.Errorf("%d POSTs", n)
			}
		})
	}
}

// TestClient_GenerateKey_CodesThatLeaveDoubt: nobody has seen that AADB2C95053 and AADB2C90063 do no work, and
// no code makes a failure of the service a refusal. The key that was made is found; if none was, one more is asked for.
func TestClient_GenerateKey_CodesThatLeaveDoubt(t *testing.T) {
	t.Parallel()
	for _, fault := range []emulator.Fault{
		{Status: 400, Code: "AADB2C95053", Message: "Multiple concurrent writes"},
		{Status: 409, Code: "AADB2C95053", Message: "Multiple concurrent writes"},
		{Status: 400, Code: "AADB2C90063", Message: "There is a problem with the service."},
		{Status: 404, Code: "AADB2C90063", Message: "There is a problem with the service."},
		{Status: 500, Code: "AADB2C95033", Message: "Bad use parameter"},
		{Status: 500, Code: "AADB2C95028", Message: "It already exists."},
		{Status: 504, Code: "AADB2C90073", Message: "cannot be found"},
		{Status: 408, Code: "AADB2C90073", Message: "cannot be found"},
	} {
		for _, commit := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d %s, work done: %t", fault.Status, fault.Code, commit), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{})
				w.AddKeySet("B2C_1A_Test")
				hit := fault
				hit.Op, hit.Commit = emulator.OpGenerateKey, commit
				w.Inject(hit)
				key, err := w.client.MakeKey(t.Context(), timeout, signingKey())
				if err != nil || key.Recovered != commit || key.Resent == commit || w.keys("B2C_1A_Test") != 1 {
					t.Errorf("got %v, %v; %d keys", key, err, w.keys("B2C_1A_Test"))
				}
				posts := map[bool]int{true: 1, false: 2}[commit]
				if n := w.count(emulator.OpGenerateKey); n != posts || w.count(emulator.OpGet) == 0 {
					t.Errorf("%d POSTs and %d reads, want %d POSTs", n, w.count(emulator.OpGet), posts)
				}
			})
		}
	}
}

// TestClient_GenerateKey_CancellationEndsTheWaitForTheSecondPost also when the time for sending the
// first one was over long before.
func TestClient_GenerateKey_CancellationEndsTheWaitForTheSecondPost(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{20 * time.Minute, 20 * time.Second} {
		w := newWorld(t, emulator.Switches{})
		w.AddKeySet("B2C_1A_Test")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.Inject(emulator.Unavailable(emulator.OpGenerateKey))
		w.Inject(emulator.Throttled(emulator.OpGenerateKey, "20").Repeat(-1))
		n := 0
		w.onRequest(emulator.OpGenerateKey, func() {
			if n++; n == 2 {
				cancel()
			}
		})
		_, err := w.client.MakeKey(ctx, timeout, signingKey())
		if trustframework.KindOf(err) != trustframework.KindUnknownOutcome || w.count(emulator.OpGenerateKey) != 2 {
			t.Errorf("timeout %s: %v, %d POSTs", timeout, err, w.count(emulator.OpGenerateKey))
		}
	}
}

func TestClient_GenerateKey_LeavesRoomForRecoveryInItsTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	begun := w.clock.Now()
	w.Inject(emulator.Throttled(emulator.OpGenerateKey, "30").Repeat(-1))
	_, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if trustframework.KindOf(err) != trustframework.KindThrottled {
		t.Errorf("got %v", err)
	}
	if took := w.clock.Now().Sub(begun); took > timeout-3*settleTime {
		t.Errorf("sent for %s of %s", took, timeout)
	}
}

func TestClient_CreateKeySet_OneWithKeysIsNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.Inject(emulator.Unavailable(emulator.OpCreate))
	w.onRequest(emulator.OpCreate, func() {
		if w.keys("B2C_1A_Test") < 0 {
			w.AddKeySet("B2C_1A_Test")
			w.AddKey("B2C_1A_Test", emulator.KeySpec{Kty: "oct"})
		}
	})
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); trustframework.KindOf(err) != trustframework.KindExists {
		t.Errorf("got %v", err)
	}
}

// TestClient_CreateKeySet_OursHoweverLateItShows: 95028 after our own lost answer proves that the set
// is there, so that it is waited for.
func TestClient_CreateKeySet_OursHoweverLateItShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.Inject(emulator.GatewayTimeout(emulator.OpCreate).WithLag(100 * time.Second))
	set, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
	if err != nil || !set.Recovered {
		t.Errorf("got %v, %v", set, err)
	}
}

// TestClient_Key_AListingUnderWayHidesNoWrite: it began before the key was made and ends after.
func TestClient_Key_AListingUnderWayHidesNoWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	fill(w, 1, 1)
	if _, err := w.client.HasKeySet(t.Context(), "Set00", false); err != nil {
		t.Fatal(err)
	}
	// The new set is known from its own answer when the listing has grown old.
	w.clock.Advance(59 * time.Second)
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Second)
	var key trustframework.MadeKey
	w.onRequest(emulator.OpList, func() {
		var err error
		if key, err = w.client.MakeKey(t.Context(), timeout, signingKey()); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.client.HasKeySet(t.Context(), "Set00", false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.client.Key(t.Context(), "Test", key.Kid, false); err != nil {
		t.Errorf("the key that was made meanwhile: %v", err)
	}
	if lists, gets := w.count(emulator.OpList), w.count(emulator.OpGet); lists != 2 || gets != 0 {
		t.Errorf("%d listings, %d reads: what the write has shown was forgotten", lists, gets)
	}
}

// TestClient_Key_AbsenceIsNeverDerived: what our own write tells of a set says nothing of what others
// have put into it.
func TestClient_Key_AbsenceIsNeverDerived(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	fill(w, 1, 1)
	if _, err := w.client.KeySet(t.Context(), "Set00", false); err != nil {
		t.Fatal(err)
	}
	foreign := w.AddKey("B2C_1A_Set00", emulator.KeySpec{Kty: "oct"})
	if _, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Set00", Use: "sig", Kty: "oct"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.client.Key(t.Context(), "Set00", foreign, false); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestClient_Key_WhatIsKnownGrowsOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	kids := fill(w, 1, 2)["B2C_1A_Set00"]
	if _, _, err := w.client.Key(t.Context(), "Set00", kids[0], false); err != nil {
		t.Fatal(err)
	}
	w.RemoveKey("B2C_1A_Set00", kids[0])
	w.clock.Advance(61 * time.Second)
	if _, _, err := w.client.Key(t.Context(), "Set00", kids[0], false); trustframework.KindOf(err) != trustframework.KindKeyGone {
		t.Errorf("got %v", err)
	}
}

func TestClient_Key_YoungAbsenceIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Other")
	begun := w.clock.Now()
	for range 5 {
		if _, _, err := w.client.Key(t.Context(), "Test", "kid", true); trustframework.KindOf(err) != trustframework.KindKeySetGone {
			t.Errorf("got %v", err)
		}
	}
	if took := w.clock.Now().Sub(begun); took > settleTime {
		t.Errorf("waited %s", took)
	}
}

// TestClient_Key_AnswersThatSayNothing: an answer without the keys, or about another set, drops none.
func TestClient_Key_AnswersThatSayNothing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body string
		kind trustframework.Kind
	}{
		"no keys member": {`{"id":"B2C_1A_Set00"}`, trustframework.KindKeysHidden},
		"keys null":      {`{"id":"B2C_1A_Set00","keys":null}`, trustframework.KindKeysHidden},
		"keys of kids":   {`{"id":"B2C_1A_Set00","keys":[{"kid":"KID"}]}`, trustframework.KindKeysHidden},
		"another set":    {`{"id":"B2C_1A_Other","keys":[]}`, trustframework.KindUnavailable},
		"no id":          {`{"keys":[]}`, trustframework.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{ListWithoutKeys: true})
			kid := fill(w, 1, 1)["B2C_1A_Set00"][0]
			w.Inject(emulator.Fault{Op: emulator.OpGet, Status: 200, Body: strings.ReplaceAll(row.body, "KID", kid), ContentType: "application/json", Times: -1})
			if _, _, err := w.client.Key(t.Context(), "Set00", kid, false); trustframework.KindOf(err) != row.kind {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestClient_Key_Listings: what a listing that isn't whole is worth.
func TestClient_Key_Listings(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	for name, row := range map[string]struct {
		faults []emulator.Fault
		kind   trustframework.Kind
		gets   int
	}{
		"shows kids only":        {[]emulator.Fault{{Status: 200, ContentType: json, Body: `{"value":[{"id":"B2C_1A_Set00","keys":[{"kid":"KID"}]}]}`}}, "", 1},
		"has an odd date":        {[]emulator.Fault{{Status: 200, ContentType: json, Body: `{"value":[{"id":"B2C_1A_Set01","keys":[{"kid":"x","exp":"soon"}]}]}`}}, "", 1},
		"has no value":           {[]emulator.Fault{{Status: 200, ContentType: json, Body: `{}`}}, "", 1},
		"lacks the set":          {[]emulator.Fault{{Status: 200, ContentType: json, Body: `{"value":[]}`}}, "", 1},
		"goes on at Microsoft's": {pages("https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x"), "", 0},
		"goes on elsewhere":      {pages("https://graph.microsoft.com/beta/users?$skiptoken=x"), "", 1},
		"goes in a circle":       {append(pages("https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x")[:1], pages("https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x")[0].Repeat(-1)), "", 1},
		"isn't found":            {[]emulator.Fault{{Status: 404, Code: "ResourceNotFound", Message: "no"}}, trustframework.KindRefused, 0},
		"fails":                  {[]emulator.Fault{{Status: 500, Code: "AADB2C90063", Message: "no", Times: -1}}, trustframework.KindUnavailable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			kid := fill(w, 1, 1)["B2C_1A_Set00"][0]
			for _, f := range row.faults {
				f.Op, f.Body = emulator.OpList, strings.ReplaceAll(f.Body, "KID", kid)
				w.Inject(f)
			}
			key, _, err := w.client.Key(t.Context(), "Set00", kid, false)
			if kind := trustframework.KindOf(err); kind != row.kind || err == nil && key.Kty != "oct" {
				t.Errorf("got %v, %v", key, err)
			}
			if n := w.count(emulator.OpGet); n != row.gets {
				t.Errorf("%d reads", n)
			}
			// A failure stands for a moment, so that a hundred readers don't each wait for it.
			before := w.count(emulator.OpList)
			if row.kind != "" {
				if _, _, again := w.client.Key(t.Context(), "Set00", kid, false); trustframework.KindOf(again) != row.kind || w.count(emulator.OpList) != before {
					t.Errorf("again: %v, %d listings more", again, w.count(emulator.OpList)-before)
				}
			}
		})
	}
}

// pages are two pages of a listing, the second at a given address.
func pages(next string) []emulator.Fault {
	return []emulator.Fault{
		{Status: 200, ContentType: "application/json", Body: `{"value":[],"@odata.nextLink":"` + next + `"}`},
		{Status: 200, ContentType: "application/json", Body: `{"value":[{"id":"B2C_1A_Set00","keys":[{"kid":"KID","kty":"oct","use":"sig","nbf":"1","exp":""}]}]}`},
	}
}

// TestClient_Key_ACallerThatLeavesEndsNothingForOthers cancels the one who began the listing.
func TestClient_Key_ACallerThatLeavesEndsNothingForOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	kid := fill(w, 1, 1)["B2C_1A_Set00"][0]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting := make(chan error, 1)
	w.onRequest(emulator.OpList, func() {
		go func() {
			_, _, err := w.client.Key(t.Context(), "Set00", kid, false)
			waiting <- err
		}()
		cancel()
	})
	if _, _, err := w.client.Key(ctx, "Set00", kid, false); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left: %v", err)
	}
	if err := <-waiting; err != nil {
		t.Errorf("the one who stayed: %v", err)
	}
	if n := w.count(emulator.OpList); n != 1 {
		t.Errorf("%d listings", n)
	}
}

// TestClient_GenerateKey_ASlowLookIsNotTheLast: a read that began before the settle time was over and took longer
// has not shown that nothing was made.
func TestClient_GenerateKey_ASlowLookIsNotTheLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey).WithLag(settleTime - time.Second))
	reads := 0
	w.onRequest(emulator.OpGet, func() {
		if reads++; reads == 3 {
			w.clock.Advance(settleTime)
		}
	})
	key, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if err != nil || !key.Recovered || w.keys("B2C_1A_Test") != 1 {
		t.Errorf("got %v, %v; %d keys", key, err, w.keys("B2C_1A_Test"))
	}
}

// TestClient_GenerateKey_ASlowRefusalIsAsOldAsItsRequest: what counts is whether the set had to show when the
// request was sent.
func TestClient_GenerateKey_ASlowRefusalIsAsOldAsItsRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.SetLag(settleTime - time.Second)
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil {
		t.Fatal(err)
	}
	posts := 0
	w.onRequest(emulator.OpGenerateKey, func() {
		if posts++; posts == 1 {
			w.clock.Advance(settleTime)
		}
	})
	if _, err := w.client.MakeKey(t.Context(), timeout, signingKey()); err != nil || posts != 2 {
		t.Errorf("got %v; %d POSTs", err, posts)
	}
}

// TestClient_GenerateKey_SendsAThirdTimeOnlyIfItsTimeoutHasRoom: the first two come whatever the timeout is.
func TestClient_GenerateKey_SendsAThirdTimeOnlyIfItsTimeoutHasRoom(t *testing.T) {
	t.Parallel()
	for timeout, posts := range map[time.Duration]int{timeout: 4, 5 * time.Minute: 3, 3 * time.Minute: 2} {
		t.Run(timeout.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			w.Inject(emulator.Unavailable(emulator.OpGenerateKey).Repeat(-1))
			_, err := w.client.MakeKey(t.Context(), timeout, signingKey())
			if n := w.count(emulator.OpGenerateKey); trustframework.KindOf(err) != trustframework.KindUnknownOutcome || n != posts {
				t.Errorf("got %v; %d POSTs", err, n)
			}
		})
	}
}

// TestClient_MakeKey_ExistsAfterALostAnswer: what the set holds already may be the work of the request whose answer was
// lost, so that the refusal doesn't say that nothing was done.
func TestClient_MakeKey_ExistsAfterALostAnswer(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	for name, lost := range map[string]bool{"lost": true, "clear": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			if lost {
				w.Inject(emulator.GatewayTimeout(op).WithLag(time.Hour))
			}
			w.Inject(emulator.Refusal(op, "AADB2C90180"))
			_, err := w.client.MakeKey(t.Context(), timeout, signingKey())
			var e *trustframework.Error
			if !errors.As(err, &e) || e.Kind != trustframework.KindExists || e.Worked != lost {
				t.Errorf("got %v, worked: %t", err, e != nil && e.Worked)
			}
		})
	}
}
