// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// The soak's variables: the first seed, how many there are, the file that its table is written to, and, if not
// empty, that seeds within the settle time are left out.
const (
	soakSeedVariable   = "TRUSTFRAMEWORK_SOAK_SEED"
	soakSeedsVariable  = "TRUSTFRAMEWORK_SOAK_SEEDS"
	soakTableVariable  = "TRUSTFRAMEWORK_SOAK_TABLE"
	soakBeyondVariable = "TRUSTFRAMEWORK_SOAK_BEYOND"
)

const (
	// soakSeed and soakSeeds are what make test runs: always the same, so that a change is what breaks it.
	soakSeed, soakSeeds = 1, 40
	// soakWorlds is how many seeds run at a time: enough to keep two cores busy while some wait.
	soakWorlds = 8
	// soakErrors is the largest share of seeds within the settle time that may end with an error.
	soakErrors = 0.01
)

// tally is what came of all seeds of a kind.
type tally struct {
	verdict
	seeds, failed int // failed are the seeds with an error
}

// TestSoak runs many small applies, each with the faults, the lag and the late commits of its seed, and compares
// what was made, said and found again with what the service holds. See make soak.
func TestSoak(t *testing.T) {
	t.Parallel()
	first, count := soakNumber(t, soakSeedVariable, soakSeed), soakNumber(t, soakSeedsVariable, soakSeeds)
	begun := clock.Real{}.Now()
	var (
		mu             sync.Mutex
		within, beyond tally
		bad            strings.Builder
		wg             sync.WaitGroup
	)
	seeds := make(chan uint64)
	for range soakWorlds {
		wg.Go(func() {
			for seed := range seeds {
				s := drawScenario(seed)
				if !s.beyond && os.Getenv(soakBeyondVariable) != "" {
					continue
				}
				v, err := s.live(t)
				mu.Lock()
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				into := &within
				if s.beyond {
					into = &beyond
				}
				into.count(v)
				if count == 1 || v.wrong(s.beyond) || v.errors > 0 && !s.beyond {
					fmt.Fprintf(&bad, "seed %d: %s\n  %s\n", seed, s, strings.Join(v.notes, "\n  "))
				}
				if count == 1 {
					bad.WriteString(v.journal)
				}
				mu.Unlock()
			}
		})
	}
	for seed := first; seed < first+count; seed++ {
		seeds <- seed
	}
	close(seeds)
	wg.Wait()

	took := clock.Real{}.Now().Sub(begun).Round(time.Second)
	table := fmt.Sprintf("%-12s %6s %7s %6s %6s %10s %7s %8s %11s\n", "settle time", "seeds", "made", "twice", "lost", "unreported", "errors", "overlaps", "error seeds") +
		within.row("within") + beyond.row("beyond") +
		fmt.Sprintf("seeds %d to %d, %s\n", first, first+count-1, took)
	if bad.Len() > 0 {
		table += "\n" + bad.String()
	}
	t.Log("\n" + table)
	if name := os.Getenv(soakTableVariable); name != "" {
		if err := os.WriteFile(name, []byte(table), 0o600); err != nil {
			t.Error(err)
		}
	}
	if within.wrong(false) || beyond.wrong(true) {
		t.Error("a promise was broken: see the seeds above")
	}
	if within.failed > max(1, int(soakErrors*float64(within.seeds))) {
		t.Errorf("%d of %d seeds within the settle time ended with an error", within.failed, within.seeds)
	}
}

// wrong tells whether a promise was broken. Beyond the settle time a key may be made twice, if that is told.
func (v verdict) wrong(beyond bool) bool {
	return v.lost > 0 || v.unreported > 0 || v.overlaps > 0 || v.twice > 0 && !beyond
}

func (t *tally) count(v verdict) {
	t.add(v)
	t.seeds++
	if v.errors > 0 {
		t.failed++
	}
}

func (t *tally) row(name string) string {
	return fmt.Sprintf("%-12s %6d %7d %6d %6d %10d %7d %8d %11d\n", name, t.seeds, t.made, t.twice, t.lost, t.unreported, t.errors, t.overlaps, t.failed)
}

// String is a scenario in short.
func (s scenario) String() string {
	keys, rsa := 0, 0
	for _, set := range s.sets {
		keys += len(set.keys)
		if set.keys[0].Kty == trustframework.KtyRSA {
			rsa += len(set.keys)
		}
	}
	return fmt.Sprintf("%d keys (%d RSA) in %d sets, %d at a time, %.0f %% faults, shows within %s, %+v",
		keys, rsa, len(s.sets), s.parallel, 100*s.storm.Rate, s.slowest.Round(time.Second), s.switches)
}

// soakNumber is a number from the environment, or the fallback.
func soakNumber(t *testing.T, variable string, fallback uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
