// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"time"
)

// Storm makes requests go wrong at random, from a seed. What hits the n-th
// request of an operation on a key set depends on nothing else, so that a client
// which asks for several key sets at once meets the same storm each time.
type Storm struct {
	// Seed decides everything.
	Seed uint64
	// Rate is the share of requests that are hit, from 0 to 1.
	Rate float64
	// Faults are what may hit, each as likely as the others of the operation; an
	// empty Op is any. Lag and Late of each are the most that is drawn, KeySet,
	// Skip and Times count for nothing.
	Faults []Fault
	// Lag is the most that a commit stays invisible; a lag is drawn for each.
	Lag time.Duration
}

// storm is a Storm under way.
type storm struct {
	Storm
	seen map[string]uint64 // requests so far, by operation and key set
}

// SetStorm replaces the storm by another. Faults that were injected come first.
func (t *Tenant) SetStorm(s Storm) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.storm = &storm{Storm: s, seen: map[string]uint64{}}
}

// fault draws what hits a request, if anything does. The caller holds the
// tenant's lock.
func (s *storm) fault(op Op, keySet string) (Fault, bool) {
	if s == nil {
		return Fault{}, false
	}
	request := string(op) + " " + canonicalName(prefixed(keySet))
	s.seen[request]++
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(request + " " + strconv.FormatUint(s.seen[request], 10))) // never fails (hash.Hash)
	rng := rand.New(rand.NewPCG(s.Seed, sum.Sum64()))                                 //nolint:gosec // to be repeated from its seed

	var f Fault
	if rng.Float64() < s.Rate {
		var fit []Fault
		for _, candidate := range s.Faults {
			if candidate.Op == "" || candidate.Op == op {
				fit = append(fit, candidate)
			}
		}
		if len(fit) > 0 {
			f = fit[rng.IntN(len(fit))]
		}
	}
	f.Lag, f.Late = drawn(rng, f.Lag), drawn(rng, f.Late)
	if f.Lag == 0 {
		f.Lag = drawn(rng, s.Lag)
	}
	return f, f.Lag > 0 || f.replacesAnswer()
}

// drawn is between a nanosecond and the most, or nothing if that is nothing.
func drawn(rng *rand.Rand, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return 1 + time.Duration(rng.Int64N(int64(most)))
}
