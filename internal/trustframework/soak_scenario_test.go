// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const (
	// beyondShare is the share of seeds whose commits may show later than the settle time says.
	beyondShare = 0.05
	// mostBeyond is how much later that is at most, in settle times.
	mostBeyond = 10
	// mostFaults is the largest share of requests that a storm hits.
	mostFaults = 0.4
	// patience is how long an attempt waits for its answer where some never come, in the system's time: longer than
	// a busy machine takes for the others.
	patience = 5 * time.Second
)

// scenario is what a seed decides: a small apply, and the weather it meets.
type scenario struct {
	seed uint64
	// beyond is true if commits may show later than the settle time says.
	beyond bool
	// parallel is how many calls there are at a time; with 1 a run is the same each time but for the jitter of the
	// waits between requests.
	parallel int
	sets     []plannedSet
	switches emulator.Switches
	storm    emulator.Storm
	// slowest is how long after its request a commit shows at the latest.
	slowest time.Duration
	// calmSets is true if the sets are made before the storm.
	calmSets bool
	// expireAfter is after how many requests all tokens end; 0 for never.
	expireAfter int
	// patience is how long an attempt waits for its answer, in the system's time; 0 for the default.
	patience time.Duration
	// refused is how many connections the service refuses at first.
	refused int
	// early is true if another process refreshes before all that was made has to show.
	early bool
	// destroy is the index of the set that is deleted in the end, or -1.
	destroy int
	// again is true if it is made again at once.
	again bool
}

// plannedSet is a key set to be made, and its keys.
type plannedSet struct {
	name string
	keys []plannedKey
}

// plannedKey is a key to be made.
type plannedKey struct {
	trustframework.GenerateKeyInput
	// uploaded is true if it is a secret's, and not generated. Certificates are left out: their RSA keys take a while.
	uploaded bool
	// status is set once the key is made; "" for none.
	status string
}

// input is what the key is made from.
func (k plannedKey) input() trustframework.KeyInput {
	if k.uploaded {
		return trustframework.UploadSecretInput{KeySetID: k.KeySetID, Use: k.Use, Secret: "s", Nbf: k.Nbf, Exp: k.Exp}
	}
	return k.GenerateKeyInput
}

func drawScenario(seed uint64) scenario {
	rng := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // to be repeated from its seed
	s := scenario{
		seed:     seed,
		beyond:   rng.Float64() < beyondShare,
		parallel: []int{1, 2, 10}[rng.IntN(3)],
		switches: drawSwitches(rng),
		early:    rng.IntN(2) == 0,
		refused:  max(0, rng.IntN(8)-5),
		destroy:  -1,
	}
	if rng.IntN(4) == 0 {
		s.expireAfter = 1 + rng.IntN(40)
	}
	if rng.IntN(40) == 0 {
		s.patience = patience
	}
	sets, keys := 1+rng.IntN(3), 4+rng.IntN(9)
	for i := range sets {
		s.sets = append(s.sets, plannedSet{name: fmt.Sprintf("Set%d", i)})
		count := keys / sets
		if i == 0 {
			count += keys % sets
		}
		s.sets[i].keys = drawKeys(rng, s.sets[i].name, count, s.patience > 0)
	}
	if rng.IntN(4) == 0 {
		s.destroy, s.again = rng.IntN(sets), rng.IntN(2) == 0 && !s.beyond
	}

	s.slowest = drawn(rng, settleTime)
	if s.beyond {
		s.slowest = settleTime + drawn(rng, (mostBeyond-1)*settleTime)
		s.calmSets = rng.IntN(2) == 0
	}
	lag := drawn(rng, s.slowest)
	if rng.IntN(4) == 0 {
		lag = 0
	}
	s.storm = emulator.Storm{
		Seed:   seed,
		Rate:   mostFaults * rng.Float64(),
		Faults: faults(s.slowest-lag, s.patience > 0),
		Lag:    lag,
	}
	return s
}

// drawn is between nothing and the most.
func drawn(rng *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(most)))
}

// drawSwitches turns what the service may do otherwise and the client must cope with.
func drawSwitches(rng *rand.Rand) emulator.Switches {
	seldom := func() bool { return rng.IntN(4) == 0 }
	s := emulator.Switches{
		OverlapRefused:   seldom(),
		FillNbf:          seldom(),
		ListWithoutKeys:  seldom(),
		ListRefused:      rng.IntN(10) == 0,
		NumbersAsStrings: seldom(),
		StatusInListing:  seldom(),
		KeysV2Unlistable: rng.IntN(10) == 0,
		NoBackupOfEmpty:  seldom(),
		PageSize:         rng.IntN(3),
	}
	if seldom() {
		s.MissingStatus = http.StatusNotFound
	}
	if seldom() {
		s.OctSpelling = "OCT"
	}
	return s
}

// drawKeys draws the keys of a set: with dates that tell them apart, with the same dates, or without. Most are
// symmetric, and all where the client is in a hurry, for an RSA key takes the emulator a while.
func drawKeys(rng *rand.Rand, set string, count int, hurry bool) []plannedKey {
	in := trustframework.GenerateKeyInput{KeySetID: set, Use: trustframework.Uses()[rng.IntN(2)], Kty: trustframework.KtyOct}
	if rng.IntN(50) == 0 && !hurry {
		in.Kty, count = trustframework.KtyRSA, min(count, 3)
	}
	dates := rng.IntN(4)
	disabled := -1
	if rng.IntN(3) == 0 {
		disabled = rng.IntN(count)
	}
	var keys []plannedKey
	for i := range count {
		key := plannedKey{GenerateKeyInput: in}
		alike := 0
		switch dates {
		case 0: // undated
		case 1:
			alike = 0
		case 2:
			alike = i
		case 3:
			alike = rng.IntN(2)
		}
		if dates > 0 {
			key.Nbf = ptr(time.Date(2030, 1, 1, 0, 0, alike, 0, time.UTC).Unix())
			key.Exp = ptr(time.Date(2032, 1, 1, 0, 0, alike, 0, time.UTC).Unix())
		}
		key.uploaded = in.Kty == trustframework.KtyOct && rng.IntN(2) == 0
		if i == disabled {
			key.status = trustframework.Statuses()[rng.IntN(2)]
		}
		keys = append(keys, key)
	}
	return keys
}

// faults are all that may hit a request, each in the form that passes: what a client that goes on asking gets
// over. Late is the most by which work is done later than it was answered.
func faults(late time.Duration, stalls bool) []emulator.Fault {
	const json, html = "application/json", "<html><body>Bad gateway</body></html>"
	var all []emulator.Fault
	for _, op := range []emulator.Op{
		emulator.OpList, emulator.OpCreate, emulator.OpGet, emulator.OpDelete, emulator.OpGenerateKey, emulator.OpUploadSecret,
		emulator.OpListKeys, emulator.OpGetKey, emulator.OpPatchKey,
	} {
		all = append(all,
			emulator.Throttled(op, "2.5"),
			emulator.Throttled(op, "17"),
			emulator.Fault{Name: "throttled", Op: op, Status: http.StatusBadRequest, Code: "AADB2C90229", Message: "Throttled."},
			emulator.Unavailable(op),
			emulator.Fault{Name: "busy", Op: op, Status: http.StatusServiceUnavailable, RetryAfter: "3", Code: "ServiceUnavailable", Message: "Busy."},
			emulator.Fault{Name: "gateway", Op: op, Status: http.StatusBadGateway, ContentType: "text/html", Body: html},
			emulator.ServiceProblem(op),
			emulator.CutBeforeWork(op),
			emulator.GatewayTimeout(op),
			emulator.CutAfterCommit(op),
			emulator.HalfAnswer(op),
			emulator.Fault{Name: "page", Op: op, Commit: true, Status: http.StatusOK, ContentType: "text/html", Body: html},
			emulator.Fault{Name: "malformed", Op: op, Commit: true, Status: http.StatusOK, ContentType: json, Body: `{"kid":"a`},
		)
		if op != emulator.OpDelete && op != emulator.OpPatchKey { // there it is a success
			all = append(all, emulator.EmptyAnswer(op))
		}
		if stalls {
			all = append(all, emulator.NoAnswer(op))
		}
		switch op {
		case emulator.OpCreate, emulator.OpGenerateKey, emulator.OpUploadSecret, emulator.OpPatchKey, emulator.OpDelete:
			all = append(all,
				emulator.Fault{Name: "concurrent", Op: op, Status: http.StatusBadRequest, Code: "AADB2C95053", Message: "Multiple concurrent writes."},
				emulator.Fault{Name: "concurrent after commit", Op: op, Commit: true, Status: http.StatusBadRequest, Code: "AADB2C95053", Message: "Multiple concurrent writes."},
			)
			if late > 0 {
				all = append(all, emulator.CommitsLate(op, late), emulator.CommitsLate(op, late),
					emulator.Fault{Name: "cut, commits late", Op: op, Late: late, Cut: true})
			}
		}
	}
	// azidentity gives up after four attempts, so that a sign-in has better weather than Graph: of ten, two are faults.
	for _, op := range []emulator.Op{emulator.OpToken, emulator.OpDiscovery} {
		all = append(all, slices.Repeat([]emulator.Fault{{Op: op}}, 8)...)
		all = append(all, emulator.CutBeforeWork(op), emulator.CutAfterCommit(op))
	}
	return all
}
