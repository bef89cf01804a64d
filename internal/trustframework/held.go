// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"slices"
	"sync"
	"time"
)

// held remembers what this process has made, read or deleted: a key that some resource owns is never
// taken for the one whose answer was lost, and a set made or deleted a moment ago may not look it yet.
type held struct {
	mu   sync.Mutex
	keys map[string]map[string]bool // by folded set id, by kid
	// everMet are the kids that any resource of this process has owned, in whatever set, be it deleted since or not.
	everMet  map[string]bool
	keysMade map[string][]doneKey // by folded set id
	// givenUp are the keys that a resource of this process has owned and left in their set, with the operation that makes
	// such keys.
	givenUp map[string]map[string]string // by folded set id, by kid
	made    map[string]madeSet           // by folded set id
	deleted map[string]deletedSet        // by folded set id
	// statuses are the keys whose status this process has set, which the service may be late to show.
	statuses map[string]map[string]doneKey // by folded set id, by kid
	// order has the keys that a set had when a status was set, oldest first.
	order map[string][]Key // by folded set id
}

// madeSet is a key set that this process has made.
type madeSet struct {
	id string
	at time.Time
}

// deletedSet is when this process has deleted a key set. Doubt is true if a request whose answer was lost may
// still be worked on, and then deletes whatever has the name by then.
type deletedSet struct {
	at    time.Time
	doubt bool
}

// doneKey is a key that this process has made, or set the status of.
type doneKey struct {
	key Key
	at  time.Time
	// doubt is true if nobody knows whether the status was set.
	doubt bool
	// disabledAt is when the key was last disabled, or perhaps was; zero if it surely was enabled since.
	disabledAt time.Time
}

// hold registers keys as owned.
func (h *held) hold(keySetID string, kids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keys == nil {
		h.keys, h.everMet = map[string]map[string]bool{}, map[string]bool{}
	}
	id := foldID(keySetID)
	if h.keys[id] == nil {
		h.keys[id] = map[string]bool{}
	}
	for _, kid := range kids {
		h.keys[id][kid] = true
		h.everMet[kid] = true
		delete(h.givenUp[id], kid)
	}
}

// giveUp registers a key, of the kind that an operation makes, as one that nothing owns any more.
func (h *held) giveUp(op, keySetID, kid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.givenUp == nil {
		h.givenUp = map[string]map[string]string{}
	}
	id := foldID(keySetID)
	if h.givenUp[id] == nil {
		h.givenUp[id] = map[string]string{}
	}
	h.givenUp[id][kid] = op
}

// isGivenUp tells whether a key may be taken over instead of making one by an operation. A certificate's key has no
// private half, so that it can't stand for that of a PKCS#12 file.
func (h *held) isGivenUp(op, keySetID, kid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.givenUp[foldID(keySetID)][kid] == op
}

// takeOver takes a key that was given up, if nothing else has.
func (h *held) takeOver(op, keySetID, kid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := foldID(keySetID)
	if h.givenUp[id][kid] != op {
		return false
	}
	delete(h.givenUp[id], kid)
	return true
}

// met reports whether a resource of this process owns or has owned a key, in whatever set.
func (h *held) met(kid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.everMet[kid]
}

func (h *held) holds(keySetID, kid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.keys[foldID(keySetID)][kid]
}

// shown tells whether all keys that are held of a set are among those given, with the statuses that this
// process has set since the given time.
func (h *held) shown(keySetID string, keys []Key, since time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := foldID(keySetID)
	all := KeySet{Keys: keys}.ByKid()
	for kid := range h.keys[id] {
		if _, ok := all[kid]; !ok {
			return false
		}
	}
	for kid, s := range h.statuses[id] {
		if !s.doubt && s.at.After(since) && all[kid].Status != s.key.Status {
			return false
		}
	}
	return true
}

// statusSet registers a key with the status it was, or perhaps was, given, and the keys among which it was. The
// function it returns takes that back.
func (h *held) statusSet(keySetID string, key Key, among []Key, at time.Time, doubt bool) (undo func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.statuses == nil {
		h.statuses, h.order = map[string]map[string]doneKey{}, map[string][]Key{}
	}
	h.order[foldID(keySetID)] = among
	id := foldID(keySetID)
	if h.statuses[id] == nil {
		h.statuses[id] = map[string]doneKey{}
	}
	before, existed := h.statuses[id][key.Kid]
	now := doneKey{key: key, at: at, doubt: doubt}
	switch {
	case key.Status == StatusDisabled:
		now.disabledAt = at
	case doubt:
		now.disabledAt = before.disabledAt
	}
	h.statuses[id][key.Kid] = now
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if existed {
			h.statuses[id][key.Kid] = before
		} else {
			delete(h.statuses[id], key.Kid)
		}
	}
}

// inDoubt tells whether nobody knows what a key's status was set to since the given time.
func (h *held) inDoubt(keySetID, kid string, since time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.statuses[foldID(keySetID)][kid]
	return s.doubt && s.at.After(since)
}

// perhapsDisabled tells whether this process has disabled a key since the given time, or may have.
func (h *held) perhapsDisabled(keySetID, kid string, since time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.statuses[foldID(keySetID)][kid].disabledAt.After(since)
}

// withStatuses returns keys with the statuses that this process has set since the given time.
func (h *held) withStatuses(keySetID string, keys []Key, since time.Time) []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys = slices.Clone(keys)
	for i, k := range keys {
		if s, ok := h.statuses[foldID(keySetID)][k.Kid]; ok && s.at.After(since) && !s.doubt {
			keys[i].Status = s.key.Status
		}
	}
	return keys
}

// keyMade registers a key that was made, and so is owned.
func (h *held) keyMade(keySetID string, key Key, at time.Time) {
	h.hold(keySetID, key.Kid)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keysMade == nil {
		h.keysMade = map[string][]doneKey{}
	}
	id := foldID(keySetID)
	h.keysMade[id] = append(h.keysMade[id], doneKey{key: key, at: at})
}

// keyMadeAfter tells whether a key was made by this process after a given time.
func (h *held) keyMadeAfter(keySetID, kid string, after time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.keysMade[foldID(keySetID)], func(m doneKey) bool { return m.key.Kid == kid && m.at.After(after) })
}

// doneAfter returns the keys of a set that were made after a given time, and those whose status was set after
// another, with that status, oldest first.
func (h *held) doneAfter(keySetID string, made, set time.Time) []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := foldID(keySetID)
	var keys []Key
	for _, k := range h.order[id] {
		if s, ok := h.statuses[id][k.Kid]; ok && s.at.After(set) && !s.doubt {
			keys = append(keys, s.key)
		}
	}
	for _, m := range h.keysMade[id] {
		if _, ok := (KeySet{Keys: keys}).Key(m.key.Kid); ok || !m.at.After(made) {
			continue
		}
		if s, ok := h.statuses[id][m.key.Kid]; ok && !s.doubt {
			m.key.Status = s.key.Status
		}
		keys = append(keys, m.key)
	}
	return keys
}

// among returns the keys that a set had when a status was last set, oldest first.
func (h *held) among(keySetID string) []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.order[foldID(keySetID)]
}

// madeAfter returns the ids of the sets that were made after a given time.
func (h *held) madeAfter(after time.Time) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for _, m := range h.made {
		if m.at.After(after) {
			ids = append(ids, m.id)
		}
	}
	return ids
}

func (h *held) setMade(keySetID string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.made == nil {
		h.made = map[string]madeSet{}
	}
	h.made[foldID(keySetID)] = madeSet{id: keySetID, at: at}
	delete(h.deleted, foldID(keySetID))
}

func (h *held) setDeleted(keySetID string, at time.Time, doubt bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deleted == nil {
		h.deleted = map[string]deletedSet{}
	}
	h.deleted[foldID(keySetID)] = deletedSet{at: at, doubt: doubt}
	delete(h.made, foldID(keySetID))
	delete(h.keys, foldID(keySetID))
	delete(h.givenUp, foldID(keySetID))
	delete(h.statuses, foldID(keySetID))
	delete(h.order, foldID(keySetID))
	delete(h.keysMade, foldID(keySetID))
}

func (h *held) madeAt(keySetID string) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.made[foldID(keySetID)]
	return m.at, ok
}

func (h *held) deletedAt(keySetID string) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, ok := h.deleted[foldID(keySetID)]
	return d.at, ok
}

// mayBeDeleted tells whether a request to delete a set of that name may still be worked on, and when this process
// had its last answer to one.
func (h *held) mayBeDeleted(keySetID string) (since time.Time, doubt bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.deleted[foldID(keySetID)]
	return d.at, d.doubt
}
