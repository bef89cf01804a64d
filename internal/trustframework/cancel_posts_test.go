// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_GenerateKey_CancelledAtAnyPost ends the caller's context while one of the four POSTs is under way, or
// during a look after it: nothing more is sent, the doubt is told, and it takes a settle time and little more.
func TestClient_GenerateKey_CancelledAtAnyPost(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 4; at++ {
		for _, looks := range []int{0, 1, 3} {
			for _, commit := range []bool{false, true} {
				t.Run(fmt.Sprintf("POST %d, look %d, made: %t", at, looks, commit), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, emulator.Switches{})
					w.AddKeySet("B2C_1A_Test")
					for range at - 1 {
						w.Inject(emulator.Unavailable(emulator.OpGenerateKey))
					}
					last := emulator.Unavailable(emulator.OpGenerateKey)
					if commit {
						last = emulator.GatewayTimeout(emulator.OpGenerateKey).WithLag(settleTime / 2)
					}
					w.Inject(last.Repeat(-1))
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					posts, left := 0, looks
					ended := w.clock.Now()
					w.onRequest(emulator.OpGenerateKey, func() {
						if posts++; posts == at && looks == 0 {
							ended = w.clock.Now()
							cancel()
						}
					})
					w.onRequest(emulator.OpGet, func() {
						if posts != at || looks == 0 {
							return
						}
						if left--; left == 0 {
							ended = w.clock.Now()
							cancel()
						}
					})
					key, err := w.client.MakeKey(ctx, timeout, signingKey())
					if ctx.Err() == nil {
						t.Fatal("the context never ended")
					}
					if posts != at {
						t.Errorf("%d POSTs", posts)
					}
					if commit && (err != nil || !key.Recovered || key.Resent != (at > 1)) || !commit && trustframework.KindOf(err) != trustframework.KindUnknownOutcome {
						t.Errorf("made: %t, got %v, %v", commit, key, err)
					}
					if took := w.clock.Now().Sub(ended); took > settleTime {
						t.Errorf("it took %s", took)
					}
				})
			}
		}
	}
}
