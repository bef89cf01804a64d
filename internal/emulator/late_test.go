// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestTenant_Inject_CommitsLate(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	c.tenant.Inject(emulator.CommitsLate(emulator.OpGenerateKey, time.Minute))
	c.tenant.Inject(emulator.CommitsLate(emulator.OpGenerateKey, 30*time.Second).WithLag(45 * time.Second))
	c.tenant.Inject(emulator.CommitsLate(emulator.OpDelete, time.Hour))
	const set = "/trustFramework/keySets/B2C_1A_A"
	for range 2 {
		c.call(http.MethodPost, set+"/generateKey", octSig).want(t, http.StatusGatewayTimeout, "UnknownError")
	}
	c.call(http.MethodDelete, set, "").want(t, http.StatusGatewayTimeout, "UnknownError")
	shown := func() int { return len(c.call(http.MethodGet, set, "").kids(t)) }
	for _, step := range []struct {
		after            time.Duration
		committed, shown int
	}{
		{29 * time.Second, 0, 0}, {time.Second, 1, 0}, {30 * time.Second, 2, 1}, {15 * time.Second, 2, 2},
	} {
		c.server.Advance(step.after)
		if got := shown(); got != step.shown {
			t.Errorf("at %s: %d keys show, want %d", c.server.Now(), got, step.shown)
		}
		if got := len(c.tenant.KeySets()[0].Keys); got != step.committed {
			t.Errorf("at %s: %d keys, want %d", c.server.Now(), got, step.committed)
		}
	}
	c.server.Advance(time.Hour)
	if got := c.tenant.KeySets(); len(got) != 1 || got[0].ID != "B2C_1A_A.bak" {
		t.Errorf("after the deletion: %v", got)
	}
}

// TestTenant_Inject_CommitsLate_OfWhatIsGone: late work is judged when it is done.
func TestTenant_Inject_CommitsLate_OfWhatIsGone(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	c.tenant.Inject(emulator.CommitsLate(emulator.OpGenerateKey, time.Minute))
	c.tenant.Inject(emulator.CommitsLate(emulator.OpCreate, time.Minute))
	c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", octSig).want(t, http.StatusGatewayTimeout, "")
	c.call(http.MethodPost, "/trustFramework/keySets", `{"id":"B"}`).want(t, http.StatusGatewayTimeout, "")
	c.tenant.RemoveKeySet("A")
	c.make("B")
	c.server.Advance(time.Minute)
	if got := c.tenant.KeySets(); len(got) != 1 || got[0].ID != "B2C_1A_B" {
		t.Errorf("%v", got)
	}
}

func TestTenant_Inject_HalfAnswer(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	c.tenant.Inject(emulator.HalfAnswer(emulator.OpGenerateKey))
	r := c.try(http.MethodPost, "/beta/trustFramework/keySets/B2C_1A_A/generateKey", octSig,
		http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}})
	if r.err == nil || r.status != http.StatusOK {
		t.Errorf("status %d, error %v", r.status, r.err)
	}
	if n := len(c.tenant.KeySets()[0].Keys); n != 1 {
		t.Errorf("%d keys", n)
	}
}

func TestTenant_Inject_NoAnswer(t *testing.T) {
	t.Parallel()
	done := make(chan struct{}, 1)
	c := newCaller(t, emulator.Config{Observe: func(e emulator.Entry) {
		if e.Fault != "" {
			done <- struct{}{}
		}
	}})
	c.make("A")
	c.tenant.Inject(emulator.NoAnswer(emulator.OpGenerateKey))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-done; cancel() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server.URL()+"/beta/trustFramework/keySets/B2C_1A_A/generateKey", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("an answer: %d", resp.StatusCode)
	}
	if journal := c.tenant.Journal(); journal[len(journal)-1].Status != 0 {
		t.Errorf("journal %v", journal)
	}
}

func TestTenant_ExpireTokens(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.ExpireTokens()
	r := c.call(http.MethodGet, "/trustFramework/keySets", "")
	r.want(t, http.StatusUnauthorized, "InvalidAuthenticationToken")
	if _, message, _ := r.failure(t); message != "Lifetime validation failed, the token is expired." {
		t.Errorf("message %q", message)
	}
	c.newToken()
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
}

func TestTenant_SetStorm(t *testing.T) {
	t.Parallel()
	// meet returns the faults that 60 requests to each of two sets meet, whatever the order of the sets.
	meet := func(seed uint64, rate float64, order []string) map[string]string {
		c := newCaller(t, emulator.Config{})
		c.make("A")
		c.make("B")
		c.tenant.ResetJournal()
		c.tenant.SetStorm(emulator.Storm{Seed: seed, Rate: rate, Lag: time.Second, Faults: []emulator.Fault{
			emulator.Unavailable(emulator.OpGet), emulator.Throttled("", "1"), emulator.GatewayTimeout(emulator.OpDelete),
		}})
		for range 60 {
			for _, set := range order {
				c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_"+set, "")
			}
		}
		met := map[string]string{}
		for _, e := range c.tenant.Journal() {
			met[e.KeySet] += e.Fault + " "
		}
		return met
	}
	first, again, other := meet(1, 0.5, []string{"A", "B"}), meet(1, 0.5, []string{"B", "A"}), meet(2, 0.5, []string{"A", "B"})
	for set, met := range first {
		if met != again[set] {
			t.Errorf("%s: %q, then %q", set, met, again[set])
		}
		if met == other[set] || met == first[map[string]string{"B2C_1A_A": "B2C_1A_B", "B2C_1A_B": "B2C_1A_A"}[set]] {
			t.Errorf("%s: another seed or set meets the same: %q", set, met)
		}
	}
	count := func(met map[string]string, name string) (n int) {
		for _, faults := range met {
			for _, f := range strings.Fields(faults) {
				if f == name {
					n++
				}
			}
		}
		return n
	}
	if n, m := count(first, "Unavailable"), count(first, "Throttled"); n < 15 || m < 15 || n+m > 85 || count(first, "GatewayTimeout") > 0 {
		t.Errorf("%d and %d of 120: %v", n, m, first)
	}
	if calm := meet(1, 0, []string{"A", "B"}); count(calm, "Unavailable")+count(calm, "Throttled") > 0 {
		t.Errorf("rate 0: %v", calm)
	}
}
