// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// run is a scenario under way: one process applies it, others refresh it later.
type run struct {
	scenario
	*world
	t *testing.T

	mu      sync.Mutex
	sets    []*ownedSet
	keys    []*ownedKey
	kids    map[string]bool // that refreshes have named as late twins
	lost    []string
	errors  []string
	verdict verdict
}

// ownedSet is a planned key set and what became of it.
type ownedSet struct {
	planned plannedSet
	made    trustframework.MadeKeySet
	err     error
	at      time.Time
	// deleted is true if it was deleted in the end, and again if it was made once more.
	deleted, again bool
}

// ownedKey is a planned key and what became of it.
type ownedKey struct {
	plannedKey
	set  *ownedSet
	made trustframework.MadeKey
	err  error
	at   time.Time
	// known are the kids that a refresh doesn't take for late twins.
	known []string
	// statusErr is why the status wasn't set.
	statusErr error
	// excuses is how many keys that nobody owns the call's error stands for.
	excuses int
}

// live runs a scenario and judges it. The error means that it couldn't be run at all.
func (s scenario) live(t *testing.T) (verdict, error) {
	t.Helper()
	w, err := startWorld(s.switches)
	if err != nil {
		return verdict{}, err
	}
	r := &run{scenario: s, world: w, t: t, kids: map[string]bool{}}
	if err = r.play(); err == nil {
		r.judge()
	}
	if closeErr := w.close(); err == nil {
		err = closeErr
	}
	return r.verdict, err
}

func (r *run) play() error {
	client, err := r.connect(r.patience)
	if err != nil {
		return err
	}
	r.expireTokens()
	r.server.RefuseConnections(r.refused)
	r.apply(client)

	if r.early && !r.beyond {
		if err := r.refresh("early"); err != nil {
			return err
		}
	}
	r.clock.Advance(r.slowest) // all that is late
	later := r.storm
	later.Seed++
	r.SetStorm(later)
	if err := r.refresh("late"); err != nil {
		return err
	}
	if r.destroy >= 0 {
		return r.delete(r.sets[r.destroy])
	}
	return nil
}

// expireTokens ends all tokens after some requests.
func (r *run) expireTokens() {
	if r.expireAfter == 0 {
		return
	}
	var mu sync.Mutex
	left := r.expireAfter
	for _, op := range []emulator.Op{emulator.OpList, emulator.OpCreate, emulator.OpGet, emulator.OpGenerateKey, emulator.OpUploadSecret} {
		r.onRequest(op, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				r.ExpireTokens()
			}
		})
	}
}

// apply makes everything, as Terraform does: a key after its set, so many at a time.
func (r *run) apply(client *trustframework.Client) {
	var wg sync.WaitGroup
	places := make(chan struct{}, r.parallel)
	inPlace := func(do func()) {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			do()
		})
	}
	if !r.calmSets {
		r.SetStorm(r.storm)
	}
	for _, planned := range r.scenario.sets {
		set := &ownedSet{planned: planned}
		r.sets = append(r.sets, set)
		if r.calmSets {
			r.makeSet(client, set)
			continue
		}
		inPlace(func() { r.makeSet(client, set) })
	}
	wg.Wait()
	r.SetStorm(r.storm)
	for _, set := range r.sets {
		for _, planned := range set.planned.keys {
			if set.err != nil {
				continue
			}
			key := &ownedKey{plannedKey: planned, set: set}
			r.keys = append(r.keys, key)
			inPlace(func() { r.makeKey(client, key) })
		}
	}
	wg.Wait()
}

func (r *run) makeSet(client *trustframework.Client, set *ownedSet) {
	set.made, set.err = client.CreateKeySet(r.t.Context(), timeout, set.planned.name)
	set.at = r.clock.Now()
	r.failed("create", set.err)
}

func (r *run) makeKey(client *trustframework.Client, key *ownedKey) {
	key.made, key.err = client.MakeKey(r.t.Context(), timeout, key.input())
	key.at = r.clock.Now()
	r.failed("make key", key.err)
	if key.err != nil {
		return
	}
	key.known = append(append(key.known, key.made.Known...), append(key.made.Twins, key.made.Kid)...)
	if key.status == "" {
		return
	}
	ctx, cancel := r.clock.WithTimeout(r.t.Context(), timeout)
	defer cancel()
	key.statusErr = client.SetStatus(ctx, key.made.KeySetID, key.made.Kid, key.status, true)
	if trustframework.KindOf(key.statusErr) != trustframework.KindLastUsable { // that is right
		r.failed("set status", key.statusErr)
	}
}

func (r *run) failed(what string, err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf("%s: %v", what, err))
}

func (r *run) gone(when, what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = append(r.lost, fmt.Sprintf("%s: %s: %v", when, what, err))
}

// refresh reads everything in a process of its own, as the provider's Read does.
func (r *run) refresh(when string) error {
	client, err := r.connect(r.patience)
	if err != nil {
		return err
	}
	young := func(at time.Time) bool { return r.clock.Now().Sub(at) < client.YoungAge() }
	order := rand.New(rand.NewPCG(r.seed, 5)) //nolint:gosec // to be repeated from its seed
	var wg sync.WaitGroup
	places := make(chan struct{}, r.parallel)
	for _, i := range order.Perm(len(r.sets) + len(r.keys)) {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if i < len(r.sets) {
				r.readSet(client, when, r.sets[i], young)
			} else {
				r.readKey(client, when, r.keys[i-len(r.sets)], young)
			}
		})
	}
	wg.Wait()
	return nil
}

func (r *run) readSet(client *trustframework.Client, when string, set *ownedSet, young func(time.Time) bool) {
	if set.err != nil {
		return
	}
	ctx, cancel := r.clock.WithTimeout(r.t.Context(), timeout)
	defer cancel()
	_, err := client.HasKeySet(ctx, set.made.ID, young(set.at))
	if trustframework.KindOf(err) == trustframework.KindKeySetGone {
		r.gone(when, set.made.ID, err)
		return
	}
	r.failed("read set", err)
}

func (r *run) readKey(client *trustframework.Client, when string, key *ownedKey, young func(time.Time) bool) {
	if key.err != nil {
		return
	}
	ctx, cancel := r.clock.WithTimeout(r.t.Context(), timeout)
	defer cancel()
	client.Hold(key.made.KeySetID, key.made.Kid)
	_, set, err := client.Key(ctx, key.made.KeySetID, key.made.Kid, young(key.at))
	if kind := trustframework.KindOf(err); kind == trustframework.KindKeySetGone || kind == trustframework.KindKeyGone {
		r.gone(when, key.made.Kid, err)
		return
	}
	r.failed("read key", err)
	if err != nil || !key.made.Resent && !key.made.Recovered {
		return
	}
	late := client.Late(set, key.input(), key.made.Asked, key.known)
	key.known = append(key.known, late...)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, kid := range late {
		r.kids[kid] = true
	}
}

// delete deletes a set, and perhaps makes it again, in a process of its own that then looks at all others.
func (r *run) delete(set *ownedSet) error {
	if set.err != nil {
		return nil
	}
	client, err := r.connect(r.patience)
	if err != nil {
		return err
	}
	ctx, cancel := r.clock.WithTimeout(r.t.Context(), timeout)
	defer cancel()
	held := r.KeySets()
	err = client.DeleteKeySet(ctx, set.made.ID, false)
	r.failed("delete", err)
	if set.deleted = err == nil; set.deleted {
		for _, before := range held {
			if before.ID == set.made.ID {
				r.judgeKeys(set, before)
			}
		}
	}
	if set.deleted && r.again {
		_, err := client.CreateKeySet(r.t.Context(), timeout, set.planned.name)
		r.failed("create again", err)
		set.again = err == nil
	}
	r.clock.Advance(max(r.slowest, 2*time.Minute))
	for _, other := range r.sets {
		if other.err == nil && other != set {
			r.readSet(client, "after the deletion", other, func(time.Time) bool { return false })
		}
	}
	return nil
}
