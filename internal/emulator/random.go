// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	crand "crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
)

// seedStream is the second half of the generator's state; any constant does.
const seedStream = 0x7472757374667277

// seeded is the source of everything random but secrets and key material.
type seeded struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newSeeded(seed uint64) *seeded {
	return &seeded{rng: rand.New(rand.NewPCG(seed, seedStream))} //nolint:gosec // to be repeated from its seed; see secret for the rest
}

func (s *seeded) bytes(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]byte, 0, n+8)
	for len(out) < n {
		out = binary.LittleEndian.AppendUint64(out, s.rng.Uint64())
	}
	return out[:n]
}

// guid returns a random GUID (RFC 9562, version 4) in lower case.
func (s *seeded) guid() string {
	b := s.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// drawnFor is yes or no, by the seed and the name alone: what else was asked
// meanwhile doesn't move it.
func drawnFor(seed uint64, name string) bool {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name))                               // never fails (hash.Hash)
	return rand.New(rand.NewPCG(seed, sum.Sum64())).IntN(2) == 0 //nolint:gosec // to be repeated from its seed
}

// secret returns 32 bytes of the system's randomness as base64url text. It
// never comes from the seed: who knows the seed must not know the secret.
func secret() string {
	b := make([]byte, 32)
	// crypto/rand.Read never returns an error (its documentation, Go 1.24).
	_, _ = crand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
