// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package rotation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestTurns_AreWhatActiveKeySays: at each moment the turn has the key that the set's rule names, and no two in a row have one.
func TestTurns_AreWhatActiveKeySays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test's choice
		var set trustframework.KeySet
		for i := range random.IntN(8) {
			from := random.IntN(12) - 4
			k := key(fmt.Sprint(i), from, from+random.IntN(6))
			switch random.IntN(6) {
			case 0:
				k.Nbf = nil
			case 1:
				k.Exp = nil
			case 2:
				k.Nbf, k.Exp = nil, nil
			case 3:
				k.Status = trustframework.StatusDisabled
			}
			set.Keys = append(set.Keys, k)
		}
		turns := rotation.Turns(set.Keys, start())
		if !turns[0].From.Equal(start()) {
			t.Errorf("seed %d: the first turn begins at %v, want %v", seed, turns[0].From, start())
		}
		for hour := range 20 * 24 {
			at := start().Add(time.Duration(hour) * time.Hour)
			got := turns[rotation.TurnAt(turns, at)].Key
			want, ok := set.ActiveKey(at)
			if ok != (got != nil) || ok && got.Kid != want.Kid {
				t.Fatalf("seed %d, after %d hours: got %v, want %v %t of %v", seed, hour, got, want, ok, set.Keys)
			}
		}
		for i, turn := range turns[1:] {
			if turn.Key == turns[i].Key || !turn.From.After(turns[i].From) {
				t.Errorf("seed %d: turn %d doesn't follow on the one before: %v", seed, i+1, turns)
			}
		}
	}
}
