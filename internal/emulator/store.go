// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
	"time"
)

// store holds what was committed, and for each commit from when on readers see
// it. It has no lock: its [Tenant] holds one around each use.
//
// A zero time means "at once", so that no step of the clock can hide what was
// committed without lag.
type store struct {
	records []*setRecord // in order of insertion, the deleted ones while they show
	ordinal int
}

// setRecord is one life of a key set. A set that was deleted and made again
// under the same name has two, and readers may see either.
type setRecord struct {
	ordinal   int // rises with each insertion; paging continues after it
	id        string
	keys      []keyRecord
	visibleAt time.Time
	deleted   bool
	goneAt    time.Time // when a deleted record stops showing
	troubled  bool      // whether an uploadSecret has met Switches.UploadSecretProblem
}

type keyRecord struct {
	key       Key // its status is the first one
	visibleAt time.Time
	statuses  []statusRecord // the later ones, in order of commit
}

type statusRecord struct {
	status    string
	visibleAt time.Time
}

func reached(at, now time.Time) bool { return at.IsZero() || !now.Before(at) }

func (r *setRecord) shows(now time.Time) bool {
	return reached(r.visibleAt, now) && (!r.deleted || !reached(r.goneAt, now))
}

// view is the key set as a reader sees it.
func (r *setRecord) view(now time.Time) KeySet {
	set := KeySet{ID: r.id, Keys: []Key{}}
	for _, k := range r.keys {
		if reached(k.visibleAt, now) {
			set.Keys = append(set.Keys, k.view(now))
		}
	}
	return set
}

// truth is the key set as it was committed.
func (r *setRecord) truth() KeySet {
	set := KeySet{ID: r.id, Keys: []Key{}}
	for _, k := range r.keys {
		set.Keys = append(set.Keys, k.truth())
	}
	return set
}

// key returns the key of that kid if readers see it, or nil. Kids compare with
// case, as they are base64url.
func (r *setRecord) key(kid string, now time.Time) *keyRecord {
	for i := range r.keys {
		if k := &r.keys[i]; k.key.Kid == kid && reached(k.visibleAt, now) {
			return k
		}
	}
	return nil
}

// hasKid reports whether the set has a key of that kid, seen or not.
func (r *setRecord) hasKid(kid string) bool {
	for _, k := range r.keys {
		if k.key.Kid == kid {
			return true
		}
	}
	return false
}

// view is the key as a reader sees it: of the statuses that show, it has the
// one that was committed last.
func (k keyRecord) view(now time.Time) Key {
	seen := k.key.clone()
	for _, s := range k.statuses {
		if reached(s.visibleAt, now) {
			seen.Status = s.status
		}
	}
	return seen
}

// truth is the key as it was committed.
func (k keyRecord) truth() Key {
	key := k.key.clone()
	if n := len(k.statuses); n > 0 {
		key.Status = k.statuses[n-1].status
	}
	return key
}

// setStatus commits a status. One that shows at once ends all before it.
func (k *keyRecord) setStatus(status string, visibleAt time.Time) {
	if visibleAt.IsZero() {
		k.key.Status, k.statuses = status, nil
		return
	}
	// A new slice: a backup may have been copied from this one.
	k.statuses = slices.Concat(k.statuses, []statusRecord{{status, visibleAt}})
}

// committed returns the living record of that name, seen or not, or nil.
func (s *store) committed(id string) *setRecord {
	name := canonicalName(id)
	for _, r := range s.records {
		if !r.deleted && canonicalName(r.id) == name {
			return r
		}
	}
	return nil
}

// visible returns the record that a reader of that name sees, or nil.
func (s *store) visible(id string, now time.Time) *setRecord {
	name := canonicalName(id)
	var found *setRecord
	for _, r := range s.records {
		if canonicalName(r.id) == name && r.shows(now) {
			found = r // a newer life of the name wins
		}
	}
	return found
}

// listed returns the records that a reader of the listing sees, one for each
// name, in order of insertion.
func (s *store) listed(now time.Time) []*setRecord {
	var out []*setRecord
	for _, r := range s.records {
		if r.shows(now) && s.visible(r.id, now) == r {
			out = append(out, r)
		}
	}
	return out
}

func (s *store) insert(id string, keys []keyRecord, visibleAt time.Time) *setRecord {
	s.ordinal++
	r := &setRecord{ordinal: s.ordinal, id: id, keys: keys, visibleAt: visibleAt}
	s.records = append(s.records, r)
	return r
}

// remove deletes a record; readers see it until goneAt.
func (s *store) remove(r *setRecord, goneAt time.Time) {
	r.deleted, r.goneAt = true, goneAt
}

// removeWithBackup deletes a record and leaves a copy with the backup suffix,
// which takes the place of an older one without a word.
func (s *store) removeWithBackup(r *setRecord, at time.Time, ofEmpty bool) {
	s.remove(r, at)
	if isBackup(r.id) || (len(r.keys) == 0 && !ofEmpty) {
		return
	}
	name := r.id + backupSuffix
	if old := s.committed(name); old != nil {
		s.remove(old, at)
	}
	s.insert(name, append([]keyRecord(nil), r.keys...), at)
}

// erase takes every life of a name away at once.
func (s *store) erase(id string) {
	name := canonicalName(id)
	kept := s.records[:0]
	for _, r := range s.records {
		if canonicalName(r.id) != name {
			kept = append(kept, r)
		}
	}
	s.records = kept
}

// prune forgets the deleted records that no reader can see anymore.
func (s *store) prune(now time.Time) {
	kept := s.records[:0]
	for _, r := range s.records {
		if !r.deleted || !reached(r.goneAt, now) {
			kept = append(kept, r)
		}
	}
	s.records = kept
}

// activeKey picks the key in use: of the keys that are enabled, begun and not
// over, the one with the newest nbf; no nbf ranks lowest; of equals the one
// added last (inferred from policy-keys-overview).
func activeKey(keys []Key, now time.Time) (Key, bool) {
	var best *Key
	for i := range keys {
		k := &keys[i]
		switch {
		case k.Status == statusDisabled,
			k.Nbf != nil && *k.Nbf > now.Unix(),
			k.Exp != nil && *k.Exp <= now.Unix():
			continue
		case best == nil,
			best.Nbf == nil,
			k.Nbf != nil && *k.Nbf >= *best.Nbf:
			best = k
		}
	}
	if best == nil {
		return Key{}, false
	}
	return *best, true
}
