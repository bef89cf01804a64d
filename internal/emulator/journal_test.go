// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestTenant_Journal_HasWhatWasAsked(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	h := http.Header{"Client-Request-Id": {"id-1"}, "User-Agent": {"test/1"}, "Content-Encoding": {"gzip"}}
	c.callWith(http.MethodPost, "/beta/trustFramework/keySets", packed(t, `{"id":"A"}`), h).want(t, http.StatusCreated, "")
	c.callWith(http.MethodGet, "/beta/trustframework/keySets(%27b2c_1a_a%27)?sig=hunter2&$select=id&token", "", nil).want(t, http.StatusBadRequest, "")
	c.call(http.MethodPost, "/trustFramework/keySets", "{").want(t, http.StatusBadRequest, "")
	c.call(http.MethodDelete, "/trustFramework/keySets/B2C_1A_a", "").want(t, http.StatusNoContent, "")
	c.newToken()
	c.call(http.MethodGet, "/nonsense", "").want(t, http.StatusBadRequest, "")

	want := []emulator.Entry{
		{Method: "POST", Path: "/beta/trustFramework/keySets", Op: emulator.OpCreate, KeySet: "B2C_1A_A", Status: 201, Committed: true, ClientRequestID: "id-1", UserAgent: "test/1", ContentEncoding: "gzip"},
		{Method: "GET", Path: "/beta/trustframework/keySets(%27b2c_1a_a%27)", Query: "sig=REDACTED&$select=id&REDACTED", Op: emulator.OpGet, KeySet: "B2C_1A_A", Status: 400},
		{Method: "POST", Path: "/beta/trustFramework/keySets", Op: emulator.OpCreate, Status: 400},
		{Method: "DELETE", Path: "/beta/trustFramework/keySets/B2C_1A_a", Op: emulator.OpDelete, KeySet: "B2C_1A_A", Status: 204, Committed: true},
		{Method: "POST", Path: "/" + c.tenant.ID() + "/oauth2/v2.0/token", Op: emulator.OpToken, Status: 200},
		{Method: "GET", Path: "/beta/nonsense", Status: 400},
	}
	got := c.tenant.Journal()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	last := 0
	for i, e := range got {
		if e.Seq <= last || e.Done <= e.Seq || !e.Time.Equal(startTime()) || e.Tenant != c.tenant.ID() || len(e.RequestID) != 36 {
			t.Errorf("entry %d: %v", i, e)
		}
		last = e.Done
		writes := e.Method != http.MethodGet && e.Op != emulator.OpToken
		if e.Write() != writes {
			t.Errorf("entry %d: Write is %t", i, e.Write())
		}
		e.Seq, e.Done, e.Time, e.Tenant, e.RequestID = 0, 0, time.Time{}, "", ""
		if i != 0 {
			e.UserAgent = ""
		}
		if e != want[i] {
			t.Errorf("entry %d: %v, want %v", i, e, want[i])
		}
	}
	raw, err := json.Marshal(c.server.Journal())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{c.token, c.tenant.ClientSecret(), "hunter2", "Bearer"} {
		if strings.Contains(string(raw), s) {
			t.Errorf("the journal has a secret: %s", raw)
		}
	}
	c.tenant.ResetJournal()
	if got := c.tenant.Journal(); len(got) != 0 {
		t.Errorf("after the reset: %v", got)
	}
}

func TestServer_Journal_HasRequestsOfNobody(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.do(http.MethodGet, "/beta/trustFramework/keySets", "", nil).want(t, http.StatusUnauthorized, "")
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	got := c.server.Journal()
	if len(got) != 2 || got[0].Status != http.StatusUnauthorized || got[0].Tenant != "" || got[1].Tenant != c.tenant.ID() || len(c.tenant.Journal()) != 1 {
		t.Errorf("journal %v", got)
	}
}

func TestEntry_Overlaps(t *testing.T) {
	t.Parallel()
	a, b, c := emulator.Entry{Seq: 1, Done: 3}, emulator.Entry{Seq: 2, Done: 4}, emulator.Entry{Seq: 5, Done: 6}
	if !a.Overlaps(b) || !b.Overlaps(a) || a.Overlaps(c) || c.Overlaps(b) {
		t.Error("overlap is wrong")
	}
}

func TestServer_Observe_SeesEachEntry(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ops []emulator.Op
	c := newCaller(t, emulator.Config{Observe: func(e emulator.Entry) {
		mu.Lock()
		defer mu.Unlock()
		ops = append(ops, e.Op)
	}})
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(ops, []emulator.Op{emulator.OpToken, emulator.OpList}) {
		t.Errorf("observed %q", ops)
	}
}

func TestServer_Concurrent_LosesNothing(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{PageSize: 3}})
	c.make("Shared")
	first := c.generate("B2C_1A_Shared", octSig)
	const clients, keys = 6, 5
	h := http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}}
	var group sync.WaitGroup
	failed := make(chan string, clients*keys*6)
	check := func(r result, want int) {
		if r.err != nil || r.status != want {
			failed <- fmt.Sprintf("%d %s %v", r.status, r.body, r.err)
		}
	}
	for i := range clients {
		group.Go(func() {
			own := fmt.Sprintf("/beta/trustFramework/keySets/B2C_1A_Own%d", i)
			const keysV2 = "/beta/trustFramework/keySets/B2C_1A_Shared/keys_v2"
			for n := range keys {
				check(c.try(http.MethodPatch, keysV2+"/"+first, []string{enabled, disabled}[n%2], h), http.StatusNoContent)
				check(c.try(http.MethodGet, keysV2, "", h), http.StatusOK)
				c.tenant.SetKeyStatus("Shared", first, true)
				check(c.try(http.MethodPost, "/beta/trustFramework/keySets", fmt.Sprintf(`{"id":"Own%d"}`, i), h), http.StatusCreated)
				check(c.try(http.MethodPost, "/beta/trustFramework/keySets/B2C_1A_Shared/generateKey", octSig, h), http.StatusOK)
				check(c.try(http.MethodGet, "/beta/trustFramework/keySets", "", h), http.StatusOK)
				check(c.try(http.MethodDelete, own, "", h), http.StatusNoContent)
				c.tenant.AddKey("Shared", emulator.KeySpec{Kty: "oct"})
				c.tenant.Journal()
			}
		})
	}
	group.Wait()
	close(failed)
	for f := range failed {
		t.Error(f)
	}
	sets := c.tenant.KeySets()
	if len(sets) != 1+clients || len(sets[0].Keys) != 1+2*clients*keys {
		t.Errorf("%d sets, %d keys", len(sets), len(sets[0].Keys))
	}
	if got := len(c.tenant.Journal()); got != 2+clients*keys*6 {
		t.Errorf("%d entries", got)
	}
}
