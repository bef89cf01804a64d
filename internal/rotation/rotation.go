// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package rotation decides when a key set needs its next key, and with which dates. It asks nobody anything: what
// the set holds and what time it is are given to it.
package rotation

import (
	"cmp"
	"slices"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const day = 24 * 60 * 60

// Settings say how a key set rolls over. Days are of 24 hours.
type Settings struct {
	// RotationDays is how long a key signs before its successor takes over.
	RotationDays int64
	// DelayDays is how long a key is published before it signs.
	DelayDays int64
	// OverlapDays is how long a key stays valid after its successor has taken over. It is longer than DelayDays.
	OverlapDays int64
	// SafetyNet asks for a key without dates, which signs if all others have expired.
	SafetyNet bool
}

// Decision is what a key set needs at one moment.
type Decision struct {
	// SafetyNet is true if a key without dates is to be made.
	SafetyNet bool
	// Due is true if a key with the dates below is to be made, as NumericDates.
	Due      bool
	Nbf, Exp int64
	// AtOnce is true if that key signs at once, since nothing would until it was known to everybody.
	AtOnce bool
	// Late is true if AtOnce and the set had a key of this rotation before: it came too late.
	Late bool
}

// Needed tells whether anything is to be made.
func (d Decision) Needed() bool { return d.Due || d.SafetyNet }

// Decide tells what a key set needs. Own are the rotation's keys, set all keys of the set, which may be late to show some of
// own. Force asks for a key before its time.
func (s Settings) Decide(now time.Time, own, set []trustframework.Key, force bool) Decision {
	all := slices.Clone(own)
	for _, k := range set {
		if !slices.ContainsFunc(own, func(mine trustframework.Key) bool { return mine.Kid == k.Kid }) {
			all = append(all, k)
		}
	}
	undated := slices.ContainsFunc(all, func(k trustframework.Key) bool { return !dated(k) && usable(k, now) })
	d := Decision{SafetyNet: s.SafetyNet && !undated}
	due, ok := s.DueAt(own, now)
	if d.Due = force || !ok || !now.Before(due); !d.Due {
		return d
	}
	d.Nbf = now.Unix()
	if s.DelayDays > 0 {
		d.Nbf = now.Add(time.Second-1).Unix() + s.DelayDays*day // not a moment less than the delay
	}
	if newest, ok := Newest(own, now); ok && !force && newest.Nbf != nil {
		// A longer overlap can ask for the successor of a key that isn't valid itself yet. Before that one it would be no
		// successor, and the next decision would ask for another.
		d.Nbf = max(d.Nbf, *newest.Nbf+1)
	}
	if !undated && !s.bridged(d.Nbf, own, all, now) {
		d.AtOnce, d.Late = true, slices.ContainsFunc(own, dated)
		d.Nbf = now.Unix()
	}
	d.Exp = d.Nbf + (s.RotationDays+s.OverlapDays)*day
	return d
}

// bridged tells whether a key with dates signs until a given time. If the rotation has any, its own count and nobody else's.
func (s Settings) bridged(until int64, own, all []trustframework.Key, now time.Time) bool {
	newest, ok := Newest(own, now)
	if ok {
		all = own
	}
	return slices.ContainsFunc(all, func(k trustframework.Key) bool {
		begun := k.Nbf == nil || *k.Nbf <= now.Unix() || ok && k.Kid == newest.Kid
		return dated(k) && usable(k, now) && begun && (k.Exp == nil || *k.Exp >= until)
	})
}

// DueAt is when the next key is to be made; false means that none of the rotation's keys has dates and can be used, so that
// it is now.
func (s Settings) DueAt(own []trustframework.Key, now time.Time) (time.Time, bool) {
	newest, ok := Newest(own, now)
	if !ok {
		return time.Time{}, false
	}
	var at []int64
	if newest.Nbf != nil {
		at = append(at, *newest.Nbf+s.RotationDays*day)
	}
	if newest.Exp != nil {
		at = append(at, *newest.Exp-s.OverlapDays*day)
	}
	return time.Unix(slices.Min(at)-s.DelayDays*day, 0).UTC(), true
}

// Newest is the key with dates that comes last of those that can be used now or later.
func Newest(keys []trustframework.Key, now time.Time) (newest trustframework.Key, ok bool) {
	for _, k := range keys {
		if dated(k) && usable(k, now) && (!ok || compare(k, newest) >= 0) {
			newest, ok = k, true
		}
	}
	return newest, ok
}

// Usable are the keys that can be used now or later.
func Usable(keys []trustframework.Key, now time.Time) []trustframework.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k trustframework.Key) bool { return !usable(k, now) })
}

// Sort puts keys without dates first, and the newest last.
func Sort(keys []trustframework.Key) { slices.SortStableFunc(keys, compare) }

func compare(a, b trustframework.Key) int {
	if da, db := dated(a), dated(b); da != db {
		if da {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(value(a.Nbf), value(b.Nbf)), cmp.Compare(value(a.Exp), value(b.Exp)))
}

func value(date *int64) int64 {
	if date == nil {
		return 0
	}
	return *date
}

func dated(k trustframework.Key) bool { return k.Nbf != nil || k.Exp != nil }

// usable tells whether a key can be used now or later.
func usable(k trustframework.Key, now time.Time) bool {
	return k.Status != trustframework.StatusDisabled && (k.Exp == nil || *k.Exp > now.Unix())
}
