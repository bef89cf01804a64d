// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_GenerateKey_FilledNbf_AfterALongPause: the service fills in the time of the request that it worked on,
// which may have waited for long, or have been the last of several. Its key is recognized all the same.
func TestClient_GenerateKey_FilledNbf_AfterALongPause(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	w := newWorld(t, emulator.Switches{FillNbf: true})
	w.AddKeySet("B2C_1A_Test")
	w.Inject(emulator.Throttled(op, "840"))
	w.Inject(emulator.CutAfterCommit(op))
	key, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if err != nil || !key.Recovered || w.keys("B2C_1A_Test") != 1 {
		t.Errorf("recovered: %t, %v; %d keys", key.Recovered, err, w.keys("B2C_1A_Test"))
	}
}

// TestClient_Late_FilledNbf: of requests that were given up for lost, the first may have been worked on long before the key was
// made, and the last long after.
func TestClient_Late_FilledNbf(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	for name, faults := range map[string][]emulator.Fault{
		"worked on long before": {
			emulator.GatewayTimeout(op).WithLag(time.Hour),
			emulator.Throttled(op, "200"), emulator.Unavailable(op), emulator.Throttled(op, "200"), emulator.Unavailable(op), emulator.Throttled(op, "200"),
		},
		"worked on long after": {emulator.CommitsLate(op, time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{FillNbf: true})
			w.AddKeySet("B2C_1A_Test")
			for _, f := range faults {
				w.Inject(f)
			}
			key, err := w.client.MakeKey(t.Context(), timeout, signingKey())
			if err != nil || !key.Resent {
				t.Fatalf("resent: %t, %v", key.Resent, err)
			}
			w.clock.Advance(time.Hour)
			later := w.newClient(t)
			later.Hold("Test", key.Kid)
			_, set, err := later.Key(t.Context(), "Test", key.Kid, false)
			if err != nil || len(set.Keys) != 2 {
				t.Fatalf("%d keys, %v", len(set.Keys), err)
			}
			if late := later.Late(set, signingKey(), key.Asked, append(key.Known, key.Kid)); len(late) != 1 {
				t.Errorf("named %v of %v", late, set.Keys)
			}
		})
	}
}

// TestClient_GenerateKey_ASiblingTakesALateTwin: the key that a sibling is left without when it shows is named by
// the doubt of the one whose late twin was taken.
func TestClient_GenerateKey_ASiblingTakesALateTwin(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.Inject(emulator.GatewayTimeout(op).WithLag(90 * time.Second))
	a, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if err != nil || !a.Resent {
		t.Fatalf("resent: %t, %v", a.Resent, err)
	}
	w.Inject(emulator.GatewayTimeout(op).WithLag(time.Hour))
	b, err := w.client.MakeKey(t.Context(), timeout, signingKey())
	if err != nil || !b.Recovered || b.Resent {
		t.Fatalf("recovered: %t, resent: %t, %v", b.Recovered, b.Resent, err)
	}
	w.clock.Advance(time.Hour)
	later := w.newClient(t)
	later.Hold("Test", a.Kid, b.Kid)
	_, set, err := later.Key(t.Context(), "Test", a.Kid, false)
	if err != nil || len(set.Keys) != 3 {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	late := later.Late(set, trustframework.GenerateKeyInput{Use: "sig", Kty: "oct"}, a.Asked, append(a.Known, a.Kid))
	if len(late) != 1 {
		t.Errorf("named %v of %v", late, set.Keys)
	}
}
