// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// sequence is what one request for a key meets, and what becomes of it.
type sequence struct {
	faults      []emulator.Fault
	posts, made int    // made: when all is over
	says        string // by the apply; "" if it has nothing to say
	later       string // by the refresh after it
}

// TestFaults_Sequence: one request for a key meets several faults in a row. However many keys come of it, at once
// or later, all but the one in state are reported: in a warning, or in an error that says nobody knows. The service
// takes a certificate twice here.
func TestFaults_Sequence(t *testing.T) {
	t.Parallel()
	for op, source := range keySources(t) {
		for name, row := range sequences(op) {
			t.Run(string(op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				row.play(t, op, source, emulator.Switches{DuplicateKeys: true})
			})
		}
	}
}

func sequences(op emulator.Op) map[string]sequence {
	lost, refused := emulator.GatewayTimeout(op), emulator.Fault{Op: op, Status: 401, Code: "InvalidAuthenticationToken"}
	late := func(d time.Duration) emulator.Fault { return emulator.CommitsLate(op, d) }
	reads := func(f emulator.Fault) emulator.Fault { f.Op = emulator.OpGet; return f.Repeat(-1) }
	const unknown, found, denied, twice = "The answer to the request was lost", "Key found after a lost answer", "denied access", "Key may have been made twice"
	return map[string]sequence{
		"a token refused, then lost":              {[]emulator.Fault{refused, lost}, 2, 1, found, ""},
		"two tokens refused":                      {[]emulator.Fault{refused, refused}, 2, 0, denied, ""},
		"throttled, then cut":                     {[]emulator.Fault{emulator.Throttled(op, "30"), emulator.CutAfterCommit(op)}, 2, 1, found, ""},
		"colliding writes, then late":             {[]emulator.Fault{{Op: op, Status: 400, Code: "AADB2C95053"}, late(30 * time.Second)}, 2, 1, found, ""},
		"a failure, a token refused, then half":   {[]emulator.Fault{emulator.Unavailable(op), refused, emulator.HalfAnswer(op)}, 3, 1, found, ""},
		"later than the settle time":              {[]emulator.Fault{late(90 * time.Second)}, 2, 2, "", twice},
		"later than the settle time, then failed": {[]emulator.Fault{late(90 * time.Second), emulator.Unavailable(op)}, 2, 1, found, ""},
		"later than the settle time, then lost":   {[]emulator.Fault{late(70 * time.Second), lost}, 2, 2, found, twice},
		"later than the settle time, then late":   {[]emulator.Fault{late(70 * time.Second), late(20 * time.Second)}, 2, 2, found, twice},
		"later than both, then failed":            {[]emulator.Fault{late(130 * time.Second), emulator.Unavailable(op)}, 3, 2, "", twice},
		"later than all, and all failed":          {[]emulator.Fault{late(250 * time.Second), emulator.Unavailable(op).Repeat(3)}, 4, 1, unknown, ""},
		"later than the settle time, refused":     {[]emulator.Fault{late(70 * time.Second), emulator.Refusal(op, "AADB2C95032")}, 2, 1, unknown, ""},
		"later than the settle time, denied":      {[]emulator.Fault{late(70 * time.Second), refused, refused}, 3, 1, unknown, ""},
		"shown later than the settle time":        {[]emulator.Fault{lost.WithLag(90 * time.Second)}, 2, 2, "", twice},
		"lost, and reads fail":                    {[]emulator.Fault{lost, reads(emulator.Unavailable(""))}, 1, 1, unknown, ""},
		"lost, and reads say the set is gone":     {[]emulator.Fault{lost, reads(emulator.Refusal("", "AADB2C90073"))}, 1, 1, unknown, ""},
		"lost, and reads wait for an hour":        {[]emulator.Fault{lost, reads(emulator.Throttled("", "3600"))}, 1, 1, unknown, ""},
		"a redirect after the work":               {[]emulator.Fault{{Op: op, Commit: true, Status: 302, Body: "<html>"}}, 1, 1, found, ""},
	}
}

// TestFaults_Sequence_HeldCertificate: a service that refuses a certificate which the key set holds makes no second key
// of it, however late the first one shows.
func TestFaults_Sequence_HeldCertificate(t *testing.T) {
	t.Parallel()
	sources := keySources(t)
	for _, op := range []emulator.Op{emulator.OpUploadCertificate, emulator.OpUploadPKCS12} {
		late := func(d time.Duration) emulator.Fault { return emulator.CommitsLate(op, d) }
		lost, found := emulator.GatewayTimeout(op), "Key found after a lost answer"
		for name, row := range map[string]sequence{
			"later than the settle time":             {[]emulator.Fault{late(90 * time.Second)}, 2, 1, "", ""},
			"later than the settle time, then lost":  {[]emulator.Fault{late(70 * time.Second), lost}, 2, 1, found, ""},
			"later than both, then failed":           {[]emulator.Fault{late(130 * time.Second), emulator.Unavailable(op)}, 3, 1, "", ""},
			"shown later than the settle time":       {[]emulator.Fault{lost.WithLag(90 * time.Second)}, 2, 1, found, ""},
			"shown later than twice the settle time": {[]emulator.Fault{lost.WithLag(10 * time.Minute)}, 2, 1, "holds this key already. An earlier attempt of the same request may have been carried out", ""},
		} {
			t.Run(string(op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				row.play(t, op, sources[op], emulator.Switches{})
			})
		}
	}
}

// play has a provider make a key, and another one look at it when all is over.
func (s sequence) play(t *testing.T, op emulator.Op, source keySource, switches emulator.Switches) {
	t.Helper()
	w := newWorld(t, switches)
	source.prepare(t, w)
	for _, f := range s.faults {
		w.Inject(f)
	}
	after, said := newServer(t, w).apply(source.resource, managed{}, source.config)
	if (s.says == "") != (len(said) == 0) || !strings.Contains(said.String(), s.says) || (after.state == nil) != said.failed() {
		t.Errorf("want %q: %v", s.says, said)
	}
	if n := len(w.Requests(op)); n != s.posts {
		t.Errorf("%d requests", n)
	}
	w.ClearFaults()
	w.clock.Advance(5 * time.Minute)
	if n := len(w.keys("B2C_1A_Signing")) - 1; n != s.made {
		t.Errorf("%d keys", n)
	}
	if after.state == nil {
		return
	}
	if _, said := newServer(t, w).refresh(after); (s.later == "") != (len(said) == 0) || !strings.Contains(said.String(), s.later) {
		t.Errorf("later: want %q: %v", s.later, said)
	}
}

// TestFaults_Sequence_Deletion: a deletion that was carried out, whatever comes after it, is never said to have
// changed nothing.
func TestFaults_Sequence_Deletion(t *testing.T) {
	t.Parallel()
	const op = emulator.OpDelete
	for name, last := range map[string]emulator.Fault{
		"denied":  {Op: op, Status: 403, Code: "AADB2C"},
		"refused": emulator.Refusal(op, "AADB2C95044"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			s := newServer(t, w)
			set, said := s.apply(setType, managed{}, map[string]string{"name": "Other"})
			if len(said) > 0 {
				t.Fatal(said)
			}
			// The set is young, so that its absence isn't believed at once.
			for _, f := range []emulator.Fault{emulator.GatewayTimeout(op), emulator.Refusal(op, "AADB2C90073"), last} {
				w.Inject(f)
			}
			_, said = s.apply(setType, set, nil)
			if !said.failed() || strings.Contains(said.String(), "Nothing was changed") || !strings.Contains(said.String(), "An earlier attempt of the same request may have been carried out") {
				t.Error(said)
			}
		})
	}
}
