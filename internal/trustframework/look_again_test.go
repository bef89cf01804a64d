// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// hookedClock does something in place of each sleep.
type hookedClock struct {
	clock.Clock
	sleep func(ctx context.Context, d time.Duration) error
}

func (c hookedClock) Sleep(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) }

// TestClient_Key_AnothersReadIsNotTheLastLook: those who look for keys of a set share their reads. One that was begun
// for another key, a little before this one has to show, doesn't prove that this one is gone.
func TestClient_Key_AnothersReadIsNotTheLastLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Test")
	w.SetLag(settleTime - time.Second)
	var kids []string
	for range 2 {
		key, err := w.client.MakeKey(t.Context(), timeout, signingKey())
		if err != nil {
			t.Fatal(err)
		}
		kids = append(kids, key.Kid)
	}

	var mu sync.Mutex
	var other sync.WaitGroup
	end, others := w.clock.Now().Add(settleTime), 0
	otherHasRead, otherMayGoOn := make(chan struct{}), make(chan struct{})
	readOther := func() {
		if _, _, err := w.client.Key(t.Context(), "Test", kids[1], true); err != nil {
			t.Errorf("the other key: %v", err)
		}
	}
	hooked := hookedClock{Clock: w.clock}
	hooked.sleep = func(ctx context.Context, d time.Duration) error {
		mu.Lock()
		last := others == 0 && !w.clock.Now().Add(d).Before(end)
		if last || others > 0 {
			others++
		}
		n := others
		mu.Unlock()
		switch {
		case last: // the other one begins two seconds later, and reads a second after that
			w.clock.Advance(2 * time.Second)
			other.Go(readOther)
			<-otherHasRead
			return w.clock.Sleep(ctx, end.Sub(w.clock.Now()))
		case n == 3:
			close(otherHasRead)
			<-otherMayGoOn
		}
		return w.clock.Sleep(ctx, d)
	}
	w.clientClock = hooked
	w.client = w.newClient(t)
	_, _, err := w.client.Key(t.Context(), "Test", kids[0], true)
	close(otherMayGoOn)
	other.Wait()
	if err != nil {
		t.Error(err)
	}
}
