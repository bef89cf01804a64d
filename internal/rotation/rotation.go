// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package rotation decides when a key set needs its next key, and with which dates. It asks nobody anything: what
// the set holds and what time it is are given to it.
package rotation

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const (
	day = 24 * 60 * 60
	// skew is how far, in seconds, clocks may differ between those who run Terraform: a key that is valid so soon counts as valid.
	skew = 5 * 60
)

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
	// Hurried is true if that key is published for less than the delay, since nothing would sign until it was over.
	Hurried bool
	// Late is true if Hurried and somebody may know another key of the set: one that signs, or that the rotation had before.
	Late bool
}

// Needed tells whether anything is to be made.
func (d Decision) Needed() bool { return d.Due || d.SafetyNet }

// Decide tells what a key set needs. Own are the rotation's keys, set all keys of the set, which may be late to show some of
// own. Force asks for a key before its time.
func (s Settings) Decide(now time.Time, own, set []trustframework.Key, force bool) Decision {
	all := union(own, set)
	undated := slices.ContainsFunc(all, func(k trustframework.Key) bool { return !dated(k) && usable(k, now) })
	d := Decision{SafetyNet: s.SafetyNet && !undated}
	due, ok := s.DueAt(now, own, set)
	if d.Due = force || !ok || !now.Before(due); !d.Due {
		return d
	}
	d.Nbf = now.Unix()
	if s.DelayDays > 0 {
		d.Nbf = now.Add(time.Second-1).Unix() + s.DelayDays*day // not a moment less than the delay
	}
	last, ok := lastInRow(own, all, now)
	if !undated && !bridged(d.Nbf, own, all, last, now) {
		d.Hurried, d.Nbf = true, now.Unix()
		_, signing := trustframework.KeySet{Keys: all}.ActiveKey(now)
		d.Late = signing || slices.ContainsFunc(own, dated)
	}
	if ok && !force && last.Nbf != nil {
		// A longer overlap can ask for the successor of a key that isn't valid itself yet. Before that one it would be no
		// successor, and the next decision would ask for another.
		d.Nbf = max(d.Nbf, *last.Nbf+1)
	}
	d.Exp = d.Nbf + (s.RotationDays+s.OverlapDays)*day
	return d
}

// DueAt is when the next key is to be made; false means that nothing tells when, so that it is now. Own and set are those of
// Decide.
func (s Settings) DueAt(now time.Time, own, set []trustframework.Key) (time.Time, bool) {
	last, ok := lastInRow(own, union(own, set), now)
	if !ok {
		return time.Time{}, false
	}
	var at []int64
	if last.Nbf != nil {
		at = append(at, *last.Nbf+s.RotationDays*day)
	}
	if last.Exp != nil {
		at = append(at, *last.Exp-s.OverlapDays*day)
	}
	return time.Unix(slices.Min(at)-s.DelayDays*day, 0).UTC(), true
}

// lastInRow is the newest of the rotation's keys with dates, as long as something signs until it is valid: one that comes after a
// gap, because a key before it was disabled, counts only when the gap is closed.
func lastInRow(own, all []trustframework.Key, now time.Time) (last trustframework.Key, ok bool) {
	own = slices.DeleteFunc(Usable(own, now), func(k trustframework.Key) bool { return !dated(k) })
	Sort(own)
	until := coveredUntil(all, now)
	for _, k := range own {
		if !begun(k, now) && *k.Nbf > until {
			break
		}
		last, ok = k, true
	}
	return last, ok
}

// coveredUntil returns the time until which a key, of whomever, signs at every moment from now on; now if none does.
func coveredUntil(all []trustframework.Key, now time.Time) int64 {
	all = Usable(all, now)
	slices.SortFunc(all, compareStart)
	until := now.Unix()
	for _, k := range all {
		switch {
		case !begun(k, time.Unix(until, 0)):
			return until // and so are all that come after it
		case k.Exp == nil:
			return math.MaxInt64
		}
		until = max(until, *k.Exp)
	}
	return until
}

func compareStart(a, b trustframework.Key) int { return cmp.Compare(start(a), start(b)) }

// start is a key's nbf; one without comes before all others.
func start(k trustframework.Key) int64 {
	if k.Nbf == nil {
		return math.MinInt64
	}
	return *k.Nbf
}

// bridged tells whether a key with dates signs until a given time: of the rotation's, if it has a last one, or else of anybody's.
func bridged(until int64, own, all []trustframework.Key, last trustframework.Key, now time.Time) bool {
	if last.Kid != "" {
		all = own
	}
	return slices.ContainsFunc(all, func(k trustframework.Key) bool {
		return dated(k) && usable(k, now) && (begun(k, now) || k.Kid == last.Kid) && (k.Exp == nil || *k.Exp >= until)
	})
}

// union has the keys of a rotation, and those that its set shows besides.
func union(own, set []trustframework.Key) []trustframework.Key {
	all, mine := slices.Clone(own), trustframework.KeySet{Keys: own}.ByKid()
	for _, k := range set {
		if _, ok := mine[k.Kid]; !ok {
			all = append(all, k)
		}
	}
	return all
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

// begun tells whether a key's nbf has passed.
func begun(k trustframework.Key, at time.Time) bool { return k.Nbf == nil || *k.Nbf <= at.Unix()+skew }

// usable tells whether a key can be used now or later.
func usable(k trustframework.Key, now time.Time) bool {
	return k.Status != trustframework.StatusDisabled && (k.Exp == nil || *k.Exp > now.Unix())
}
