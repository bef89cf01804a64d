// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_GenerateKey_ExactlyOnce is the promise of the product as a table: what can happen to the
// one POST, and what then becomes of it.
func TestClient_GenerateKey_ExactlyOnce(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	for name, row := range map[string]struct {
		faults []emulator.Fault
		lag    time.Duration
		refuse int // connections refused
		// The outcome.
		kind      trustframework.Kind // "" for a key
		keys      int                 // on the server
		posts     int                 // that reached it
		recovered bool
		resent    bool
		twins     int
	}{
		"clear":                                {keys: 1, posts: 1},
		"clear, invisible for a while":         {lag: 40 * time.Second, keys: 1, posts: 1},
		"not sent: 429":                        {faults: []emulator.Fault{emulator.Throttled(op, "2.128")}, keys: 1, posts: 2},
		"not sent: connection refused":         {refuse: 1, keys: 1, posts: 1},
		"found: 504":                           {faults: []emulator.Fault{emulator.GatewayTimeout(op)}, keys: 1, posts: 1, recovered: true},
		"found: connection cut":                {faults: []emulator.Fault{emulator.CutAfterCommit(op)}, keys: 1, posts: 1, recovered: true},
		"found: empty answer":                  {faults: []emulator.Fault{emulator.EmptyAnswer(op)}, keys: 1, posts: 1, recovered: true},
		"found: visible within settle time":    {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(50 * time.Second)}, keys: 1, posts: 1, recovered: true},
		"sent again: 503":                      {faults: []emulator.Fault{emulator.Unavailable(op)}, keys: 1, posts: 2, resent: true},
		"sent again: 500":                      {faults: []emulator.Fault{emulator.ServiceProblem(op)}, keys: 1, posts: 2, resent: true},
		"sent again: cut before work":          {faults: []emulator.Fault{emulator.CutBeforeWork(op)}, keys: 1, posts: 2, resent: true},
		"sent again and again: 503":            {faults: []emulator.Fault{emulator.Unavailable(op).Repeat(3)}, keys: 1, posts: 4, resent: true},
		"sent again, then found":               {faults: []emulator.Fault{emulator.Unavailable(op), emulator.GatewayTimeout(op)}, keys: 1, posts: 2, recovered: true, resent: true},
		"unknown: nothing ever seen":           {faults: []emulator.Fault{emulator.Unavailable(op).Repeat(-1)}, kind: trustframework.KindUnknownOutcome, keys: 0, posts: 4},
		"unknown: commits beyond settle time":  {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(time.Hour).Repeat(-1)}, kind: trustframework.KindUnknownOutcome, keys: 4, posts: 4},
		"several: both appear after the first": {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(70 * time.Second), emulator.GatewayTimeout(op).WithLag(9 * time.Second)}, kind: trustframework.KindSeveral, keys: 2, posts: 2},
		"late twin: appears after the second": {
			faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(65 * time.Second), emulator.Throttled(op, "10")},
			keys:   2, posts: 3, resent: true, twins: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			if _, err := w.client.KeySet(t.Context(), "Test", false); err != nil {
				t.Fatal(err)
			}
			w.ResetJournal()
			w.SetLag(row.lag)
			for _, f := range row.faults {
				w.Inject(f)
			}
			if row.refuse > 0 {
				w.server.SetKeepAlives(false)
				w.client = w.newClient(t)
				if _, err := w.client.KeySet(t.Context(), "Test", false); err != nil {
					t.Fatal(err)
				}
				w.ResetJournal()
				w.server.RefuseConnections(row.refuse)
			}
			in := trustframework.GenerateKeyInput{
				KeySetID: "Test", Use: "sig", Kty: "oct",
				Nbf: ptr(w.clock.Now().Unix()), Exp: ptr(w.clock.Now().Add(time.Hour).Unix()),
			}
			key, err := w.client.MakeKey(t.Context(), timeout, in)
			if kind := trustframework.KindOf(err); kind != row.kind || (err == nil) != (row.kind == "") {
				t.Fatalf("error %v, want kind %q", err, row.kind)
			}
			if got := w.keys("B2C_1A_Test"); got != row.keys {
				t.Errorf("%d keys on the server, want %d", got, row.keys)
			}
			if got := w.count(op); got != row.posts {
				t.Errorf("%d POSTs, want %d", got, row.posts)
			}
			if key.Recovered != row.recovered || key.Resent != row.resent || len(key.Twins) != row.twins {
				t.Errorf("recovered %t, resent %t, twins %q", key.Recovered, key.Resent, key.Twins)
			}
			var e *trustframework.Error
			if errors.As(err, &e) && row.kind == trustframework.KindSeveral && len(e.Candidates) != 2 {
				t.Errorf("candidates %q", e.Candidates)
			}
		})
	}
}

func TestClient_GenerateKey_NeverTakesAnothersKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{ListWithoutKeys: true})
	w.AddKeySet("B2C_1A_Test")
	old := w.AddKey("B2C_1A_Test", emulator.KeySpec{Use: "sig", Kty: "oct"})
	w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
	in := trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"}
	first, err := w.client.MakeKey(t.Context(), timeout, in)
	if err != nil {
		t.Fatal(err)
	}
	w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
	second, err := w.client.MakeKey(t.Context(), timeout, in)
	if err != nil {
		t.Fatal(err)
	}
	if first.Kid == old || second.Kid == old || first.Kid == second.Kid {
		t.Errorf("took %q and %q beside %q", first.Kid, second.Kid, old)
	}
	if n := w.keys("B2C_1A_Test"); n != 3 {
		t.Errorf("%d keys", n)
	}
}

func TestClient_GenerateKey_FindsAKeyWhoseNbfWasFilledIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{FillNbf: true})
	w.AddKeySet("B2C_1A_Test")
	w.Inject(emulator.CutAfterCommit(emulator.OpGenerateKey))
	key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
	if err != nil {
		t.Fatal(err)
	}
	if n := w.keys("B2C_1A_Test"); n != 1 || !key.Recovered || key.Nbf == nil {
		t.Errorf("%d keys, key %v", n, key)
	}
}

func TestClient_GenerateKey_WaitsForASetJustMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.SetLag(20 * time.Second)
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Test"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "enc", Kty: "oct"}); err != nil {
		t.Fatal(err)
	}
	if n := w.keys("B2C_1A_Test"); n != 1 {
		t.Errorf("%d keys", n)
	}
}

func TestClient_GenerateKey_AfterCancellationNothingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	if _, err := w.client.KeySet(t.Context(), "Test", false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.client.MakeKey(ctx, timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
	if kind := trustframework.KindOf(err); kind != trustframework.KindNotSent {
		t.Errorf("got %v", err)
	}
	if n := w.count(emulator.OpGenerateKey); n != 0 {
		t.Errorf("%d POSTs", n)
	}
}

func TestClient_GenerateKey_CancellationDuringRecoveryFindsButDoesNotSend(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault emulator.Fault
		kind  trustframework.Kind
	}{
		"made":     {emulator.GatewayTimeout(emulator.OpGenerateKey).WithLag(30 * time.Second), ""},
		"not made": {emulator.Unavailable(emulator.OpGenerateKey), trustframework.KindUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Test")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.Inject(row.fault)
			w.onRequest(emulator.OpGenerateKey, cancel)
			_, err := w.client.MakeKey(ctx, timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
			if kind := trustframework.KindOf(err); kind != row.kind {
				t.Errorf("got %v", err)
			}
			if n := w.count(emulator.OpGenerateKey); n != 1 {
				t.Errorf("%d POSTs", n)
			}
		})
	}
}

func TestClient_GenerateKey_Refusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.AddKey("B2C_1A_Test", emulator.KeySpec{Use: "sig", Kty: "oct"})
	for name, row := range map[string]struct {
		in   trustframework.GenerateKeyInput
		kind trustframework.Kind
		code string
	}{
		"no such set": {trustframework.GenerateKeyInput{KeySetID: "None", Use: "sig", Kty: "oct"}, trustframework.KindKeySetGone, "AADB2C90073"},
		"mixed kty":   {trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "RSA"}, trustframework.KindRefused, "AADB2C95032"},
		"mixed use":   {trustframework.GenerateKeyInput{KeySetID: "Test", Use: "enc", Kty: "oct"}, trustframework.KindRefused, "AADB2C95042"},
		"exp past":    {trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct", Exp: ptr(int64(1))}, trustframework.KindRefused, "AADB2C90214"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.client.MakeKey(t.Context(), timeout, row.in)
			var e *trustframework.Error
			if !errors.As(err, &e) || e.Kind != row.kind || e.Code != row.code || e.RequestID == "" || e.Message == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}
