// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestTenant_Inject_Replayed: a replayed answer is the last one of its operation that met no fault, of whatever key
// set, and its work is done only if the fault says so.
func TestTenant_Inject_Replayed(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		commit bool
		keys   int
	}{"with the work": {true, 2}, "without": {false, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{})
			c.make("A")
			c.make("B")
			c.generate("B2C_1A_B", octSig)
			first := c.generate("B2C_1A_A", octSig)
			c.tenant.ResetJournal()
			c.tenant.Inject(emulator.Unavailable(emulator.OpGenerateKey)) // is no answer to be replayed
			c.call(http.MethodPost, setA+"/generateKey", octSig).want(t, http.StatusServiceUnavailable, "")
			c.tenant.Inject(emulator.Replayed(emulator.OpGenerateKey, row.commit))
			r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_B/generateKey", octSig)
			r.want(t, http.StatusOK, "")
			if kid := r.text(t, "kid"); kid != first {
				t.Errorf("the replayed answer names key %q, want the earlier %q", kid, first)
			}
			if n := len(c.tenant.KeySets()[1].Keys); n != row.keys {
				t.Errorf("%d keys in the set, want %d", n, row.keys)
			}
			journal := c.tenant.Journal()
			if last := journal[len(journal)-1]; last.Fault != "Replayed" || last.Committed != row.commit {
				t.Errorf("journal has fault %q, committed %t, want Replayed, %t", last.Fault, last.Committed, row.commit)
			}
			if kid := c.generate("B2C_1A_B", octSig); kid == first {
				t.Error("the fault hits twice, want once")
			}
		})
	}
}

// TestTenant_Inject_Replayed_NothingEarlier: the first request of an operation has nothing to be replayed.
func TestTenant_Inject_Replayed_NothingEarlier(t *testing.T) {
	t.Parallel()
	for _, commit := range []bool{true, false} {
		c := newCaller(t, emulator.Config{})
		c.tenant.Inject(emulator.Replayed(emulator.OpCreate, commit))
		c.call(http.MethodPost, "/trustFramework/keySets", `{"id":"A"}`).want(t, http.StatusCreated, "")
		if n := len(c.tenant.KeySets()); n != 1 {
			t.Errorf("commit %t: %d key sets, want 1", commit, n)
		}
	}
}

// TestTenant_Inject_Rewritten changes an answer after its work, its status and its headers too.
func TestTenant_Inject_Rewritten(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	fault := emulator.Rewritten(emulator.OpGenerateKey, func(body []byte) []byte {
		return bytes.Replace(body, []byte(`"kty":"oct"`), []byte(`"kty":"odd"`), 1)
	})
	fault.Status, fault.Header = http.StatusAccepted, http.Header{"Request-Id": {"another"}, "location": {"/elsewhere"}}
	c.tenant.Inject(fault)
	r := c.call(http.MethodPost, setA+"/generateKey", octSig)
	r.want(t, http.StatusAccepted, "")
	if kty := r.text(t, "kty"); kty != "odd" || !json.Valid(r.body) {
		t.Errorf("kty %q in %s, want odd", kty, r.body)
	}
	if id, location := r.header.Values("request-id"), r.header.Get("Location"); len(id) != 1 || id[0] != "another" || location != "/elsewhere" {
		t.Errorf("request-id %q, Location %q, want another, /elsewhere", id, location)
	}
	if keys := c.tenant.KeySets()[0].Keys; len(keys) != 1 || keys[0].Kty != "oct" || keys[0].Kid != r.text(t, "kid") {
		t.Errorf("the set holds %v, want the key of the answer as it was", keys)
	}
	if journal := c.tenant.Journal(); !journal[len(journal)-1].Committed {
		t.Error("the journal doesn't show the work")
	}
}

// TestControl_Faults_Replay: scripts replay answers and set headers too.
func TestControl_Faults_Replay(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Control: "127.0.0.1:0"})
	c.make("A")
	first := c.generate("B2C_1A_A", octSig)
	control(t, c, http.MethodPost, "/faults", `{"op":"generateKey","replay":true,"commit":true,"header":{"request-id":"mine"}}`, nil).want(t, http.StatusNoContent, "")
	r := c.call(http.MethodPost, setA+"/generateKey", octSig)
	r.want(t, http.StatusOK, "")
	if kid, id := r.text(t, "kid"), r.header.Get("request-id"); kid != first || id != "mine" {
		t.Errorf("kid %q, request-id %q, want %q, mine", kid, id, first)
	}
	if n := len(c.tenant.KeySets()[0].Keys); n != 2 {
		t.Errorf("%d keys, want 2", n)
	}
}
