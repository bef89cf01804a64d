// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"maps"
	"sync"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
)

// snapshotLife is how long what was read may be used: long enough for the reads of one refresh, short
// enough for a process that outlives its commands.
const snapshotLife = time.Minute

// failureLife is how long the failure of a listing, or of keys_v2, stands for those who come after it.
const failureLife = 10 * time.Second

// snapshot holds what is known of the tenant's key sets. Each set has a generation, raised at the
// start and at the end of every write to it; what was read at an older generation is ignored, so that
// a listing that began before a write can't hide its result.
type snapshot struct {
	clock clock.Clock

	mu          sync.Mutex
	generations map[string]uint64 // by folded id; absent means 0
	entries     map[string]entry  // by folded id
	keysV2      map[string]keysV2 // by folded id
	reads       uint64            // of single sets, so far
	listedAt    time.Time         // zero if there is no listing
	listing     listing           // the last one
	refusal     error             // why the service refused to list
	refusedAt   time.Time         // when it did; until that is old, each set is read by itself
	failure     error             // why the last listing failed
	failedAt    time.Time
}

// listing is what a listing says beyond its sets.
type listing struct {
	// ids are all ids in it, as the service spells them.
	ids []string
	// withKeys is true if any set in it shows keys, so that one that shows none has none.
	withKeys bool
	// writes is how many starts and ends of writes came before it.
	writes uint64
	// unread are the ids of its elements that can't be ids.
	unread []string
	// likeNamed are the folded ids that several sets in it share. That the service keeps ids of different case apart is not
	// expected (inferred), but nothing says that it can't.
	likeNamed map[string]bool
}

// listedSet is a set as a listing shows it.
type listedSet struct {
	set KeySet
	// hidden is why the listing doesn't show which keys the set has; nil if it does.
	hidden error
}

// likeNamed returns the folded ids that several sets share.
func likeNamed(sets []listedSet) map[string]bool {
	var shared map[string]bool
	spellings := make(map[string]string, len(sets))
	for _, listed := range sets {
		id := foldID(listed.set.ID)
		if spelling, ok := spellings[id]; ok && spelling != listed.set.ID {
			if shared == nil {
				shared = map[string]bool{}
			}
			shared[id] = true
		}
		spellings[id] = listed.set.ID
	}
	return shared
}

// entry is what is known of one key set.
type entry struct {
	set KeySet
	// gone is the service's word that the set doesn't exist; nil if it does.
	gone *Error
	// hidden is why the answer didn't say which keys the set has; nil if it did.
	hidden error
	// settled is true if reads over the settle time went on showing the same set or key to be absent.
	settled bool
	// direct is true if the set was read by itself or is known from our own write, and false if it
	// comes from a listing, whose silence about a set or a key proves nothing.
	direct bool
	// read numbers the reads of single sets in their order; 0 for what none has shown.
	read uint64
	// begun is when the read of the single set was begun.
	begun      time.Time
	generation uint64
	at         time.Time
}

// keysV2 is what keys_v2 has shown of a set's keys.
type keysV2 struct {
	keys []Key
	// refusal is why the service doesn't show them; nil if it does.
	refusal    *Error
	generation uint64
	at         time.Time
}

func (k keysV2) err() error {
	if k.refusal == nil {
		return nil
	}
	return k.refusal
}

// hasKeys tells whether the entry can be relied on for which keys the set has. Some listings come
// without keys, so that an empty set in a listing is worth another look.
func (e entry) hasKeys() bool {
	return e.gone == nil && e.hidden == nil && (e.direct || len(e.set.Keys) > 0)
}

func newSnapshot(c clock.Clock) *snapshot {
	return &snapshot{clock: c, generations: map[string]uint64{}, entries: map[string]entry{}, keysV2: map[string]keysV2{}}
}

// get returns what is known of a set, if it is fresh.
func (s *snapshot) get(id string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[foldID(id)]
	if !ok || !s.valid(foldID(id), e) {
		return entry{}, false
	}
	return e, true
}

// latest returns what is known of a set by now: what get does or else, if ok, what whole knew of it and no
// write has changed since, however long ago that was.
func (s *snapshot) latest(id string, known entry, ok bool) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.entries[foldID(id)]
	switch {
	case found && s.valid(foldID(id), e):
		return e, true
	case ok && known.generation == s.generations[foldID(id)]:
		return known, true
	default:
		return entry{}, false
	}
}

// valid tells whether an entry, which is of a folded id, may still be used. The caller holds the lock.
func (s *snapshot) valid(id string, e entry) bool {
	return e.generation == s.generations[id] && s.fresh(e.at)
}

// needsListing tells whether a listing would add anything for who doesn't accept one that is older than
// the given number of writes.
func (s *snapshot) needsListing(writes uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.fresh(s.refusedAt) && (!s.fresh(s.listedAt) || s.listing.writes < writes)
}

// writes is how many starts and ends of writes there have been. A write makes every listing that began
// before it unfit for who reads the whole tenant: a deletion, for one, leaves a copy under another name.
func (s *snapshot) writes() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sum(s.generations)
}

func sum(generations map[string]uint64) uint64 {
	var n uint64
	for _, g := range generations {
		n += g
	}
	return n
}

// whole returns the last listing and what is known of single sets, by folded id, if it is fresh and not
// older than the given number of writes. A set that was written to since is known only if the write has
// told what it is now.
func (s *snapshot) whole(writes uint64) (l listing, known map[string]entry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fresh(s.listedAt) || s.listing.writes < writes {
		return listing{}, nil, false
	}
	known = map[string]entry{}
	for id, e := range s.entries {
		if s.valid(id, e) {
			known[id] = e
		}
	}
	return s.listing, known, true
}

// shared reports whether a fresh listing has several sets whose ids differ in case alone from this one.
func (s *snapshot) shared(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh(s.listedAt) && s.listing.likeNamed[foldID(id)]
}

// shows reports whether any set that is known has a key.
func (s *snapshot) shows(kid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if _, ok := e.set.Key(kid); ok {
			return true
		}
	}
	return false
}

// failListing remembers why the listing failed, so that not every one who waits for it tries again.
func (s *snapshot) failListing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure, s.failedAt = err, s.clock.Now()
}

// listingFailure is the error of a listing that failed a moment ago, or nil.
func (s *snapshot) listingFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil && s.clock.Now().Sub(s.failedAt) < failureLife {
		return s.failure
	}
	return nil
}

// refuseListing remembers that the service doesn't list, and why.
func (s *snapshot) refuseListing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal, s.refusedAt = err, s.clock.Now()
}

// listingRefusal is why the service refused to list a moment ago, or nil.
func (s *snapshot) listingRefusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh(s.refusedAt) {
		return s.refusal
	}
	return nil
}

// begin returns the generations at this moment, to be given back with what is read from here on.
func (s *snapshot) begin() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.generations)
}

// putListing stores a whole listing that was begun at the given generations.
func (s *snapshot) putListing(begun map[string]uint64, sets []listedSet, unread []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.clock.Now()
	for id, e := range s.entries {
		written := s.generations[id] > 0
		if !e.direct && !written || !s.fresh(e.at) {
			delete(s.entries, id)
		}
	}
	s.listing = listing{writes: sum(begun), unread: unread, likeNamed: likeNamed(sets)}
	for _, listed := range sets {
		set := listed.set
		s.listing.ids = append(s.listing.ids, set.ID)
		s.listing.withKeys = s.listing.withKeys || len(set.Keys) > 0
		id := foldID(set.ID)
		if begun[id] != s.generations[id] || s.listing.likeNamed[id] {
			continue
		}
		if known, ok := s.entries[id]; ok && known.generation == begun[id] && (known.direct || !set.holds(known.set.Keys)) {
			// What was read by itself a moment ago says more, and so does our own write if it doesn't show yet.
			continue
		}
		s.entries[id] = entry{set: set, hidden: listed.hidden, generation: begun[id], at: at}
	}
	s.listedAt = at
}

// put stores what a read of one set, begun at the given generations, has shown.
func (s *snapshot) put(begun map[string]uint64, id string, e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	e.direct, e.read, e.generation, e.at = true, s.reads, begun[foldID(id)], s.clock.Now()
	if e.generation == s.generations[foldID(id)] {
		s.entries[foldID(id)] = e
	}
}

// statuses returns the keys of a set as keys_v2 has shown them, if that is fresh.
func (s *snapshot) statuses(id string) (keysV2, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keysV2[foldID(id)]
	if k.refusal != nil && k.refusal.Kind == KindUnavailable && s.clock.Now().Sub(k.at) >= failureLife {
		return keysV2{}, false
	}
	return k, ok && k.generation == s.generations[foldID(id)] && s.fresh(k.at)
}

// putStatuses stores what a read of keys_v2, begun at the given generations, has shown.
func (s *snapshot) putStatuses(begun map[string]uint64, id string, keys []Key, refusal *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keysV2[foldID(id)] = keysV2{keys: keys, refusal: refusal, generation: begun[foldID(id)], at: s.clock.Now()}
}

// forgetStatuses makes the next one who wants to know a status read it.
func (s *snapshot) forgetStatuses(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keysV2, foldID(id))
}

// settle marks what was seen last as seen over the settle time, unless somebody has written meanwhile.
func (s *snapshot) settle(id string, seen entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[foldID(id)]; ok && e.generation == seen.generation {
		e.settled = true
		s.entries[foldID(id)] = e
	}
}

// write raises the set's generation, so that what began to be read before is not used. What was known
// is still good until the write is over: it is the set as it was before. The function it returns is
// called then, with what is now known of the set or nil.
func (s *snapshot) write(id string) (end func(known *entry)) {
	id = foldID(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.entries[id]
	ok = ok && before.generation == s.generations[id]
	s.generations[id]++
	if ok {
		before.generation = s.generations[id]
		s.entries[id] = before
	}
	return func(known *entry) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.generations[id]++
		delete(s.entries, id)
		if known != nil {
			e := *known
			e.generation = s.generations[id]
			s.entries[id] = e
		}
	}
}

func (s *snapshot) fresh(at time.Time) bool {
	return !at.IsZero() && s.clock.Now().Sub(at) < snapshotLife
}
