// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// rotationSettings are those of a rotation, in days.
type rotationSettings struct {
	rotation, delay, overlap int
	net                      bool
}

func (s rotationSettings) String() string {
	return fmt.Sprintf("rotation %d, delay %d, overlap %d, net %t", s.rotation, s.delay, s.overlap, s.net)
}

func (s rotationSettings) config() map[string]string {
	return map[string]string{
		"key_set_id": "B2C_1A_Signing", "use": "sig", "kty": "oct",
		"rotation_days": strconv.Itoa(s.rotation), "activation_delay_days": strconv.Itoa(s.delay), "overlap_days": strconv.Itoa(s.overlap),
		"safety_net": strconv.FormatBool(s.net),
	}
}

func days(n int) time.Duration { return time.Duration(n) * day }

// pipeline is when Terraform runs: the time from one run to the next.
type pipeline func(*rand.Rand) time.Duration

func daily(*rand.Rand) time.Duration  { return day }
func weekly(*rand.Rand) time.Duration { return 7 * day }

// lateBy is daily, but now and then nothing runs for up to a number of days.
func lateBy(most int) pipeline {
	return func(r *rand.Rand) time.Duration {
		if r.IntN(20) == 0 {
			return max(day, time.Duration(r.Int64N(int64(days(most)))))
		}
		return day + time.Duration(r.Int64N(int64(time.Hour)))
	}
}

// seedsVariable is how many seeds TestKeyRotation_TenYears runs of each pipeline: make ten-years says 10.
const seedsVariable = "TRUSTFRAMEWORK_TEST_SEEDS"

// TestKeyRotation_TenYears drives pipelines through ten years of the emulator's clock, and looks at every moment of them.
func TestKeyRotation_TenYears(t *testing.T) {
	t.Parallel()
	// A run takes the longer the more keys there have been: most rotations are half a year long.
	usual := rotationSettings{rotation: 180, delay: 1, overlap: 30, net: true}
	withoutNet := rotationSettings{rotation: 180, delay: 1, overlap: 30}
	seeds := uint64(1)
	if text := os.Getenv(seedsVariable); text != "" {
		var err error
		if seeds, err = strconv.ParseUint(text, 10, 16); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		settings []rotationSettings // the first, and those that it may change to
		runs     pipeline
		faults   bool
	}{
		"daily":                                  {settings: []rotationSettings{{rotation: 90, delay: 1, overlap: 30, net: true}}, runs: daily},
		"daily, with faults":                     {settings: []rotationSettings{withoutNet}, runs: daily, faults: true},
		"weekly":                                 {settings: []rotationSettings{usual}, runs: weekly},
		"weekly, without a net":                  {settings: []rotationSettings{{rotation: 200, delay: 2, overlap: 14}}, runs: weekly},
		"weekly, with faults":                    {settings: []rotationSettings{{rotation: 200, delay: 2, overlap: 60}}, runs: weekly, faults: true},
		"late by less than the overlap":          {settings: []rotationSettings{withoutNet}, runs: lateBy(29)},
		"late by much, with a net":               {settings: []rotationSettings{usual}, runs: lateBy(300)},
		"late by much, without a net":            {settings: []rotationSettings{withoutNet}, runs: lateBy(300)},
		"late by much, with faults":              {settings: []rotationSettings{usual}, runs: lateBy(200), faults: true},
		"the longest delay":                      {settings: []rotationSettings{{rotation: 200, delay: 40, overlap: 41, net: true}}, runs: weekly},
		"a year, and no delay":                   {settings: []rotationSettings{{rotation: 365, delay: 0, overlap: 400}}, runs: weekly},
		"changed settings":                       {settings: []rotationSettings{withoutNet, {rotation: 365, delay: 7, overlap: 90}, {rotation: 100, delay: 2, overlap: 9}, {rotation: 200, delay: 20, overlap: 21}}, runs: lateBy(6)},
		"changed settings, the next key waiting": {settings: []rotationSettings{{rotation: 200, delay: 120, overlap: 121}, {rotation: 200, delay: 2, overlap: 500}}, runs: daily},
		"changed settings, a net come and go":    {settings: []rotationSettings{usual, withoutNet, {rotation: 120, delay: 10, overlap: 11, net: true}, {rotation: 150, delay: 1, overlap: 8}}, runs: lateBy(6), faults: true},
	} {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s/seed %d", name, seed), func(t *testing.T) {
				t.Parallel()
				s := newSimulation(t, seed, row.settings)
				for s.w.clock.Now().Before(start().AddDate(10, 0, 0)) {
					next := row.runs(s.random)
					s.run(row.faults, next)
					s.w.clock.Advance(next)
				}
				s.check()
			})
		}
	}
}

// simulation is a rotation that pipelines drive.
type simulation struct {
	t      *testing.T
	w      *world
	server *server
	random *rand.Rand

	all      []rotationSettings
	settings rotationSettings
	resource managed

	runs []simulatedRun
	keys []simulatedKey // those with dates, in the order in which they were made
	net  time.Time      // the run that made the safety net; zero if there is none
}

// simulatedRun is one run of a pipeline.
type simulatedRun struct {
	began, ended time.Time
	failed       bool
	settings     rotationSettings
}

// simulatedKey is a key with dates.
type simulatedKey struct {
	kid      string
	nbf, exp time.Time
	// asked is when it was decided on, and due when that should have been; zero if it had no predecessor.
	asked, due time.Time
	// behind is true if the one before wasn't valid itself when this was made, and hands over a second after it is.
	behind   bool
	settings rotationSettings
}

func newSimulation(t *testing.T, seed uint64, settings []rotationSettings) *simulation {
	t.Helper()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	return &simulation{
		t: t, w: w, server: newServer(t, w), random: rand.New(rand.NewPCG(seed, 7)), //nolint:gosec // it must be repeatable
		all: settings, settings: settings[0], resource: managed{name: "trustframework_key_rotation"},
	}
}

// run is one run of a pipeline: a process of its own that refreshes, plans and applies what is planned. Of the many runs that come
// to nothing only a few are really made, and always the last one before a key is due: TestDecide_TenYears makes them all.
func (s *simulation) run(faults bool, next time.Duration) {
	s.t.Helper()
	changed := len(s.all) > 1 && s.random.IntN(200) == 0
	if changed {
		s.settings = s.all[s.random.IntN(len(s.all))]
	}
	if newest, n := s.newest(s.w.clock.Now()), len(s.runs); newest != nil && !changed && !s.runs[n-1].failed && s.runs[n-1].settings == s.settings &&
		s.w.clock.Now().Add(next).Before(newest.nextDue(s.settings)) && s.random.IntN(100) > 0 {
		return
	}
	if faults {
		s.disturb()
	}
	s.server.configure()
	r := simulatedRun{began: s.w.clock.Now(), settings: s.settings}
	r.failed = s.command()
	r.ended = s.w.clock.Now()
	s.w.ClearFaults()
	s.runs = append(s.runs, r)
	if made := s.observe(r); made > 0 && !r.failed {
		s.server.configure()
		if held := len(s.w.keys("B2C_1A_Signing")); s.command() || len(s.w.keys("B2C_1A_Signing")) != held {
			s.t.Errorf("run of %s: a second one right after it isn't empty", r.began)
		}
	}
}

// disturb makes something go wrong with some of the runs.
func (s *simulation) disturb() {
	const op = emulator.OpGenerateKey
	faults := []emulator.Fault{
		emulator.Throttled(op, "2.5"), emulator.Unavailable(op), emulator.CutAfterCommit(op), emulator.GatewayTimeout(op).WithLag(20 * time.Second),
		emulator.Throttled(emulator.OpList, "1"), emulator.Unavailable(emulator.OpList), emulator.Unavailable(emulator.OpListKeys),
		emulator.Unavailable(op).Repeat(-1),                                   // nobody knows, and nothing was made
		{Op: op, Status: 403, Code: "Authorization_RequestDenied", Times: -1}, // refused
		{Op: emulator.OpList, Status: 500, Times: -1},                         // the refresh fails
		{Op: emulator.OpListKeys, Status: 403, Code: "Authorization_RequestDenied", Times: -1},
	}
	if s.random.IntN(3) == 0 {
		s.w.Inject(faults[s.random.IntN(len(faults))])
	}
	if s.random.IntN(10) == 0 { // made, and seen only by a later run
		s.w.Inject(emulator.GatewayTimeout(op).WithLag(3 * time.Hour))
		s.w.Inject(emulator.Unavailable(op).Repeat(-1))
	}
}

// command is terraform apply. It tells whether it failed.
func (s *simulation) command() (failed bool) {
	if s.resource.state != nil {
		read, said := s.server.refresh(s.resource)
		if said.failed() {
			return true
		}
		s.resource = read
	}
	after, said, err := s.server.changeIfPlanned(s.resource, s.settings.config())
	if err != nil {
		s.t.Fatal(err)
	}
	s.resource = after
	return said.failed()
}

// due is when the successor of a key is to be made.
func (k simulatedKey) nextDue(s rotationSettings) time.Time {
	next, latest := k.nbf.Add(days(s.rotation)), k.exp.Add(-days(s.overlap))
	if latest.Before(next) {
		next = latest
	}
	return next.Add(-days(s.delay))
}

// observe holds what a run has made against what it should have. It returns the number of keys with dates.
func (s *simulation) observe(r simulatedRun) (made int) {
	s.t.Helper()
	var newest *simulatedKey
	var due time.Time
	if newest = s.newest(r.began); newest != nil {
		due = newest.nextDue(r.settings)
	}
	nets, hadNet := 0, !s.net.IsZero()
	for _, k := range s.w.keys("B2C_1A_Signing") {
		if k.Nbf == nil {
			if nets++; !hadNet {
				s.net = r.began
			}
			continue
		}
		if slices.ContainsFunc(s.keys, func(known simulatedKey) bool { return known.kid == k.Kid }) {
			continue
		}
		made++
		key := simulatedKey{kid: k.Kid, nbf: time.Unix(*k.Nbf, 0), exp: time.Unix(*k.Exp, 0), due: due, settings: r.settings}
		key.asked = key.nbf.Add(-days(r.settings.delay))
		atOnce := key.asked.Before(r.began)
		if atOnce {
			key.asked = key.nbf
		}
		if newest != nil && key.nbf.Equal(newest.nbf.Add(time.Second)) && key.asked.After(r.ended) {
			key.behind, key.asked = true, r.began
		}
		second := r.began.Truncate(time.Second)
		bridged := hadNet || s.lastsUntil(key.asked.Add(days(r.settings.delay)), newest, r.ended)
		switch {
		case key.asked.Before(second) || key.asked.After(r.ended.Add(time.Second)):
			s.t.Errorf("run of %s: a key from %s, which is neither at once nor after the delay", r.began, key.nbf)
		case key.exp.Sub(key.nbf) != days(r.settings.rotation+r.settings.overlap):
			s.t.Errorf("run of %s: a key that lives %s", r.began, key.exp.Sub(key.nbf))
		case key.asked.Before(due.Truncate(time.Second)):
			s.t.Errorf("run of %s: a key that isn't due until %s", r.began, due)
		case atOnce && bridged:
			s.t.Errorf("run of %s: a key that signs at once, with a net since %s and a key until %v", r.began, s.net, newest)
		case !atOnce && !bridged && r.settings.delay > 0:
			s.t.Errorf("run of %s: a key that signs only at %s, and nothing meanwhile", r.began, key.nbf)
		}
		s.keys = append(s.keys, key)
	}
	if nets > 1 {
		s.t.Errorf("run of %s: %d safety nets", r.began, nets)
	}
	least, most := 0, 1
	if !r.failed && !r.began.Before(due) {
		least = 1
	}
	if r.ended.Before(due) {
		most = 0
	}
	if made < least || made > most {
		s.t.Errorf("run of %s, due %s, failed %t: %d keys made, want %d to %d", r.began, due, r.failed, made, least, most)
	}
	if !r.failed && r.settings.net && s.net.IsZero() {
		s.t.Errorf("run of %s: no safety net", r.began)
	}
	return made
}

// check looks at all that was made.
func (s *simulation) check() {
	s.t.Helper()
	for i := 1; i < len(s.keys); i++ {
		k, next := s.keys[i-1], s.keys[i]
		if next.due.IsZero() || next.behind || next.nbf.Equal(next.asked) && next.settings.delay > 0 {
			continue
		}
		late := next.asked.Sub(next.due)
		if left, want := k.exp.Sub(next.nbf), days(next.settings.overlap)-late; left < want {
			s.t.Errorf("key until %s: what it signed last can be verified for %s, want %s (%s late)", k.exp, left, want, late)
		}
	}
	s.checkGaps()
}

// checkGaps wants a key that is active at every second. Only without a safety net, and where no run came that could have
// helped, there may be none.
func (s *simulation) checkGaps() {
	s.t.Helper()
	first, last := s.keys[0].nbf, s.runs[len(s.runs)-1].ended
	for _, expired := range s.keys {
		from := expired.exp
		if from.After(last) || from.Before(first) || !s.net.IsZero() && !s.net.After(from) || s.activeAt(from) {
			continue
		}
		until := last
		for _, k := range s.keys {
			if k.nbf.After(from) && k.nbf.Before(until) {
				until = k.nbf
			}
		}
		for _, r := range s.runs {
			if !r.failed && r.began.Before(until) && !r.began.Before(from.Add(-days(r.settings.overlap+r.settings.delay))) {
				s.t.Errorf("nothing is active from %s until %s, though a run came at %s", from, until, r.began)
			}
		}
	}
}

// activeAt tells whether a key with dates is active at a given time.
func (s *simulation) activeAt(at time.Time) bool {
	return slices.ContainsFunc(s.keys, func(k simulatedKey) bool { return !k.nbf.After(at) && k.exp.After(at) })
}

// newest is the key that comes last of those that haven't expired at a given time, or nil.
func (s *simulation) newest(at time.Time) (newest *simulatedKey) {
	for i, k := range s.keys {
		if k.exp.After(at) && (newest == nil || k.nbf.After(newest.nbf) || k.nbf.Equal(newest.nbf) && !k.exp.Before(newest.exp)) {
			newest = &s.keys[i]
		}
	}
	return newest
}

// lastsUntil tells whether a key signs until a given time, of those that do now and the newest.
func (s *simulation) lastsUntil(until time.Time, newest *simulatedKey, now time.Time) bool {
	return newest != nil && slices.ContainsFunc(s.keys, func(k simulatedKey) bool {
		return (k == *newest || !k.nbf.After(now)) && !k.exp.Before(until)
	})
}
