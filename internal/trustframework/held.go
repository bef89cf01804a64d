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
	mu       sync.Mutex
	keys     map[string]map[string]bool // by folded set id, by kid
	keysMade map[string][]madeKey       // by folded set id
	made     map[string]madeSet         // by folded set id
	deleted  map[string]time.Time       // by folded set id
	// statuses are those that this process has set, which the service may be late to show.
	statuses map[string]map[string]setStatus // by folded set id, by kid
}

type setStatus struct {
	status string
	at     time.Time
}

// madeSet is a key set that this process has made.
type madeSet struct {
	id string
	at time.Time
}

// madeKey is a key that this process has made.
type madeKey struct {
	key Key
	at  time.Time
}

// hold registers keys as owned.
func (h *held) hold(keySetID string, kids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keys == nil {
		h.keys = map[string]map[string]bool{}
	}
	id := foldID(keySetID)
	if h.keys[id] == nil {
		h.keys[id] = map[string]bool{}
	}
	for _, kid := range kids {
		h.keys[id][kid] = true
	}
}

func (h *held) holds(keySetID, kid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.keys[foldID(keySetID)][kid]
}

// shown tells whether all keys that are held of a set are among those given.
func (h *held) shown(keySetID string, keys []Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for kid := range h.keys[foldID(keySetID)] {
		if _, ok := (KeySet{Keys: keys}).Key(kid); !ok {
			return false
		}
	}
	return true
}

func (h *held) setStatus(keySetID, kid, status string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.statuses == nil {
		h.statuses = map[string]map[string]setStatus{}
	}
	id := foldID(keySetID)
	if h.statuses[id] == nil {
		h.statuses[id] = map[string]setStatus{}
	}
	h.statuses[id][kid] = setStatus{status: status, at: at}
}

// withStatuses returns keys with the statuses that this process has set a moment ago.
func (h *held) withStatuses(keySetID string, keys []Key, now time.Time) []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys = slices.Clone(keys)
	for i, k := range keys {
		if s, ok := h.statuses[foldID(keySetID)][k.Kid]; ok && now.Sub(s.at) < YoungAge {
			keys[i].Status = s.status
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
		h.keysMade = map[string][]madeKey{}
	}
	id := foldID(keySetID)
	h.keysMade[id] = append(h.keysMade[id], madeKey{key: key, at: at})
}

// keysMadeAfter returns the keys of a set that were made after a given time, oldest first.
func (h *held) keysMadeAfter(keySetID string, after time.Time) []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	var keys []Key
	for _, m := range h.keysMade[foldID(keySetID)] {
		if m.at.After(after) {
			keys = append(keys, m.key)
		}
	}
	return keys
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

func (h *held) setDeleted(keySetID string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deleted == nil {
		h.deleted = map[string]time.Time{}
	}
	h.deleted[foldID(keySetID)] = at
	delete(h.made, foldID(keySetID))
	delete(h.keys, foldID(keySetID))
	delete(h.statuses, foldID(keySetID))
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
	at, ok := h.deleted[foldID(keySetID)]
	return at, ok
}
