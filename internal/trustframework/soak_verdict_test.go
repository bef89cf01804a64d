// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// verdict counts what came of a seed.
type verdict struct {
	// made are the sets and keys that were made, with success.
	made int
	// twice are the keys that come of calls which have a key already.
	twice int
	// lost are the sets and keys that were made and aren't there, look gone though they are there, or were given
	// to two calls, and the statuses that were set and aren't.
	lost int
	// unreported are the sets and keys that nobody owns and no error, no warning and no refresh has told of.
	unreported int
	// errors are the calls that failed.
	errors int
	// overlaps are the writes that were under way at the same time on one set.
	overlaps int
	// notes say what was counted.
	notes []string
	// journal is what was asked of the service, a line for each request.
	journal string
}

func (v *verdict) add(other verdict) {
	v.made += other.made
	v.twice += other.twice
	v.lost += other.lost
	v.unreported += other.unreported
	v.errors += other.errors
	v.overlaps += other.overlaps
}

func (v *verdict) note(counter *int, format string, args ...any) {
	*counter++
	v.notes = append(v.notes, fmt.Sprintf(format, args...))
}

// judge compares what the calls said with what the service holds.
func (r *run) judge() {
	v := &r.verdict
	truth := map[string]emulator.KeySet{}
	for _, set := range r.KeySets() {
		truth[strings.ToLower(set.ID)] = set
	}
	for _, what := range r.errors {
		v.note(&v.errors, "error: %s", what)
	}
	for _, what := range r.lost {
		v.note(&v.lost, "taken for gone: %s", what)
	}
	for _, set := range r.sets {
		r.judgeSet(set, truth)
	}
	for id, set := range truth {
		planned := slices.ContainsFunc(r.sets, func(s *ownedSet) bool { return trustframework.SameID(s.planned.name, id) })
		if !planned && !strings.HasSuffix(id, ".bak") {
			v.note(&v.unreported, "unreported: set %q", set.ID)
		}
	}
	r.judgeOverlaps()
}

func (r *run) judgeSet(set *ownedSet, truth map[string]emulator.KeySet) {
	v := &r.verdict
	now, exists := truth[strings.ToLower(trustframework.CanonicalID(set.planned.name))]
	switch {
	case set.err != nil:
		if exists && !mayExist(set.err) && trustframework.KindOf(set.err) != trustframework.KindExists {
			v.note(&v.unreported, "unreported: set %q: %v", set.planned.name, set.err)
		}
		return
	case set.deleted:
		if set.again != exists {
			v.note(&v.lost, "lost: the deletion of set %q, or what was made after it", set.planned.name)
		}
		v.made++
		return
	case !exists:
		v.note(&v.lost, "lost: set %q", set.planned.name)
		return
	}
	v.made++
	r.judgeKeys(set, now)
}

// judgeKeys compares what was said of the keys of a set with those that it holds.
func (r *run) judgeKeys(set *ownedSet, now emulator.KeySet) {
	v := &r.verdict
	owners := map[string]int{}
	var keys []*ownedKey
	for _, key := range r.keys {
		if key.set != set {
			continue
		}
		keys = append(keys, key)
		if key.err == nil {
			r.judgeKey(key, now)
			owners[key.made.Kid]++
		}
	}
	for kid, n := range owners {
		if n > 1 {
			v.note(&v.lost, "lost: key %s was given to %d calls", kid, n)
		}
	}
	for _, key := range now.Keys {
		if owners[key.Kid] == 0 {
			r.judgeUnowned(key, set, keys)
		}
	}
}

func (r *run) judgeKey(key *ownedKey, set emulator.KeySet) {
	v := &r.verdict
	i := slices.IndexFunc(set.Keys, func(k emulator.Key) bool { return k.Kid == key.made.Kid })
	if i < 0 {
		v.note(&v.lost, "lost: key %s of %s", key.made.Kid, set.ID)
		return
	}
	v.made++
	if !fits(key, set.Keys[i], r.switches) {
		v.note(&v.lost, "lost: key %s of %s is another's", key.made.Kid, set.ID)
	}
	if key.status != "" && key.statusErr == nil && set.Keys[i].Status != key.status {
		v.note(&v.lost, "lost: key %s of %s isn't %s", key.made.Kid, set.ID, key.status)
	}
}

// judgeUnowned looks at a key that no call was given: who has made it, and who has told of it.
func (r *run) judgeUnowned(key emulator.Key, set *ownedSet, keys []*ownedKey) {
	v := &r.verdict
	told, failed := r.kids[key.Kid], false
	for _, k := range keys {
		told = told || slices.Contains(k.made.Twins, key.Kid)
		// The error says that a key may have been made: this one, if it is alike. One call can have made no more than it
		// has sent requests.
		if !failed && k.err != nil && mayExist(k.err) && fits(k, key, r.switches) && k.excuses < maxPosts {
			failed = true
			k.excuses++
		}
	}
	if !failed {
		v.note(&v.twice, "twice: key %s of %s", key.Kid, set.planned.name)
	}
	if !told && !failed {
		v.note(&v.unreported, "unreported: key %s of %s", key.Kid, set.planned.name)
	}
}

// maxPosts is how often a client may send the request for one key.
const maxPosts = 4

// mayExist tells the errors that say that something may have been made.
func mayExist(err error) bool {
	kind := trustframework.KindOf(err)
	return kind == trustframework.KindUnknownOutcome || kind == trustframework.KindSeveral
}

// fits tells whether a key is what a call asked for.
func fits(asked *ownedKey, key emulator.Key, switches emulator.Switches) bool {
	same := func(a, b *int64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	nbf := same(asked.Nbf, key.Nbf) || switches.FillNbf && asked.Nbf == nil
	return nbf && same(asked.Exp, key.Exp) && asked.Use == key.Use && strings.EqualFold(asked.Kty, key.Kty)
}

func (r *run) judgeOverlaps() {
	v := &r.verdict
	var writes []emulator.Entry
	for _, e := range r.Journal() {
		v.journal += fmt.Sprintf("  %s %-11s %-12s %-12.12s %d %s\n", e.Time.Format("15:04:05.000"), e.Op, e.KeySet, e.Kid, e.Status, e.Fault)
		if e.Write() && e.KeySet != "" { // without a name: the client left before its request was read
			writes = append(writes, e)
		}
	}
	for i, e := range writes {
		for _, other := range writes[:i] {
			if e.Overlaps(other) && trustframework.SameID(e.KeySet, other.KeySet) {
				v.note(&v.overlaps, "overlap: %s and %s on %s", other.Op, e.Op, e.KeySet)
			}
		}
	}
}
