// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"strings"
	"time"
)

// The functions of this file are the hand of somebody else: what they do shows
// at once and is in no journal. Names are taken with or without the prefix.

// KeySets returns what was committed, in order of insertion, whatever lag
// hides from readers.
func (t *Tenant) KeySets() []KeySet {
	t.commitLate()
	t.mu.Lock()
	defer t.mu.Unlock()
	sets := []KeySet{}
	for _, r := range t.store.records {
		if !r.deleted {
			sets = append(sets, r.truth())
		}
	}
	return sets
}

// AddKeySet adds an empty key set, unless there is one of that name.
func (t *Tenant) AddKeySet(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.store.committed(prefixed(id)) == nil {
		t.store.erase(prefixed(id)) // a deleted one that still shows
		t.store.insert(prefixed(id), nil, time.Time{})
	}
}

// AddKey makes a key in a key set that exists, and returns its kid: "" if the
// set doesn't exist, or the spec is one of a symmetric key with a certificate.
func (t *Tenant) AddKey(keySetID string, k KeySpec) (kid string) {
	kty, use := ktyRSA, k.Use
	if strings.EqualFold(k.Kty, ktyOct) {
		kty = ktyOct
	}
	if use == "" {
		use = useSig
	}
	var key Key
	var err error
	switch {
	case k.Certificate == nil:
		key, err = newKey(t.server.ids, kty, use, k.Nbf, k.Exp)
	case kty == ktyOct:
		return ""
	default:
		key, err = newCertificateKey(*k.Certificate, use, k.Nbf, k.Exp)
	}
	if err != nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.store.committed(prefixed(keySetID))
	if r == nil {
		return ""
	}
	r.keys = append(r.keys, keyRecord{key: key, visibleAt: time.Time{}})
	return key.Kid
}

// RemoveKey takes a key out of its key set, which the service itself never
// does.
func (t *Tenant) RemoveKey(keySetID, kid string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.store.records {
		if canonicalName(r.id) != canonicalName(prefixed(keySetID)) {
			continue
		}
		// A new slice: a backup may have been copied from this one.
		var kept []keyRecord
		for _, k := range r.keys {
			if k.key.Kid != kid {
				kept = append(kept, k)
			}
		}
		r.keys = kept
	}
}

// RemoveKeySet takes a key set away without a backup.
func (t *Tenant) RemoveKeySet(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store.erase(prefixed(id))
}

// SetKeyStatus enables or disables a key, as the portal does. It reports
// whether there is such a key.
func (t *Tenant) SetKeyStatus(keySetID, kid string, enabled bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.store.committed(prefixed(keySetID))
	if r == nil {
		return false
	}
	for i := range r.keys {
		if r.keys[i].key.Kid != kid {
			continue
		}
		status := statusDisabled
		if enabled {
			status = statusEnabled
		}
		r.keys[i].setStatus(status, time.Time{})
		return true
	}
	return false
}
