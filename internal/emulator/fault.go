// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// Fault is something going wrong with the requests it matches. A fault that
// has none of Late, Cut, Half, Stall, Replay, Rewrite, Status and Body leaves the
// answer alone, so that Lag can stand by itself.
type Fault struct {
	// Name shows up as [Entry.Fault]; empty means one made from the rest.
	Name string
	// Op and KeySet say which requests are hit; empty means any. KeySet is
	// compared without case, and with or without the service's prefix.
	Op     Op
	KeySet string
	// Skip lets the first matches pass, Times then says how many are hit: 0
	// means one, less than 0 all. A request that an older fault hits isn't
	// counted.
	Skip, Times int
	// Commit does the work before the answer; without it no work is done.
	Commit bool
	// Late, if positive, does the work that much later on the emulator's clock,
	// whatever was answered. The journal doesn't show that it was done.
	Late time.Duration
	// Cut resets the TCP connection instead of answering.
	Cut bool
	// Half does the work, sends half of its answer's body and closes the
	// connection.
	Half bool
	// Stall doesn't answer at all: the client has to leave.
	Stall bool
	// Status, Code and Message make the error answer. Code starting with
	// AADB2C makes it look born in the B2C back end.
	Status        int
	Code, Message string
	// Body, if not empty, is sent instead of the error (an HTML page, JSON cut
	// short). A 2xx Status without Body has an empty body.
	Body        string
	ContentType string
	// RetryAfter and Challenge are the headers Retry-After and WWW-Authenticate,
	// as they are to be sent.
	RetryAfter, Challenge string
	// Header has further headers of the answer, which replace those of their names.
	Header http.Header
	// Replay sends what the last request of the operation that met no fault was
	// answered, whatever key set it was about. If there was none, it is as if there
	// were no fault.
	Replay bool
	// Rewrite does the work and changes the body of its answer. Status, if it isn't
	// 0, replaces that of the answer.
	Rewrite func(body []byte) []byte
	// Lag, if positive, is the visibility lag of this commit alone.
	Lag time.Duration
}

// Throttled is Graph's own 429, with its Retry-After in decimal seconds such
// as "2.128" (documented: concepts/throttling). No work is done.
func Throttled(op Op, retryAfter string) Fault {
	return Fault{
		Name: "Throttled", Op: op, Status: http.StatusTooManyRequests,
		Code: codeTooManyRequests, Message: "Please retry again later.", RetryAfter: retryAfter,
	}
}

// Unavailable is a 503 before any work.
func Unavailable(op Op) Fault {
	return Fault{
		Name: "Unavailable", Op: op, Status: http.StatusServiceUnavailable,
		Code: "ServiceUnavailable", Message: "The service is temporarily unavailable. Please try again.",
	}
}

// GatewayTimeout is a 504 after the work was done: the answer was lost on its
// way through the front door.
func GatewayTimeout(op Op) Fault {
	return Fault{Name: "GatewayTimeout", Op: op, Commit: true, Status: http.StatusGatewayTimeout, Code: codeUnknown}
}

// CutAfterCommit resets the connection after the work was done.
func CutAfterCommit(op Op) Fault {
	return Fault{Name: "CutAfterCommit", Op: op, Commit: true, Cut: true}
}

// CommitsLate is a 504 to a request whose work is done only after the given time.
func CommitsLate(op Op, after time.Duration) Fault {
	return Fault{Name: "CommitsLate", Op: op, Late: after, Status: http.StatusGatewayTimeout, Code: codeUnknown}
}

// CutBeforeWork reads the request and resets the connection without any work.
func CutBeforeWork(op Op) Fault {
	return Fault{Name: "CutBeforeWork", Op: op, Cut: true}
}

// ServiceProblem is the 500 AADB2C90063 that the back end is known for
// (observed), before any work.
func ServiceProblem(op Op) Fault {
	return Fault{
		Name: "ServiceProblem", Op: op, Status: http.StatusInternalServerError,
		Code: codeServiceProblem, Message: "There is a problem with the service.",
	}
}

// EmptyAnswer is a 200 without a body after the work was done.
func EmptyAnswer(op Op) Fault {
	return Fault{Name: "EmptyAnswer", Op: op, Commit: true, Status: http.StatusOK}
}

// HalfAnswer sends half of the answer's body after the work was done.
func HalfAnswer(op Op) Fault { return Fault{Name: "HalfAnswer", Op: op, Half: true} }

// NoAnswer leaves the client waiting after the work was done.
func NoAnswer(op Op) Fault { return Fault{Name: "NoAnswer", Op: op, Commit: true, Stall: true} }

// Replayed is the answer of an earlier request of the operation, by a cache or a
// proxy that takes the two for one. If commit is true, the work is done too.
func Replayed(op Op, commit bool) Fault {
	return Fault{Name: "Replayed", Op: op, Commit: commit, Replay: true}
}

// Rewritten does the work and changes the body of its answer.
func Rewritten(op Op, rewrite func(body []byte) []byte) Fault {
	return Fault{Name: "Rewritten", Op: op, Commit: true, Rewrite: rewrite}
}

// On narrows the fault to one key set.
func (f Fault) On(keySet string) Fault { f.KeySet = keySet; return f }

// After lets the first n matching requests pass.
func (f Fault) After(n int) Fault { f.Skip = n; return f }

// Repeat hits n requests; less than 0 hits all.
func (f Fault) Repeat(n int) Fault { f.Times = n; return f }

// WithLag gives the commit a visibility lag of its own.
func (f Fault) WithLag(d time.Duration) Fault { f.Lag = d; return f }

func (f Fault) replacesAnswer() bool {
	return f.Late > 0 || f.Cut || f.Half || f.Stall || f.Replay || f.Rewrite != nil || f.Status != 0 || f.Body != ""
}

func (f Fault) name() string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Cut:
		return "Cut"
	case f.Half:
		return "Half"
	case f.Stall:
		return "Stall"
	case f.Replay:
		return "Replay"
	case f.Rewrite != nil:
		return "Rewrite"
	case f.replacesAnswer():
		return fmt.Sprintf("Status %d", cmp.Or(f.Status, http.StatusOK))
	default:
		return fmt.Sprintf("Lag %s", f.Lag)
	}
}

func (f Fault) matches(op Op, keySet string) bool {
	if f.Op != "" && f.Op != op {
		return false
	}
	if f.KeySet == "" {
		return true
	}
	name := canonicalName(keySet)
	return canonicalName(f.KeySet) == name || canonicalName(prefixed(f.KeySet)) == name
}

// takeFault finds the first fault that hits, and counts.
func (t *Tenant) takeFault(op Op, keySet string) (Fault, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, f := range t.faults {
		if !f.matches(op, keySet) {
			continue
		}
		if f.Skip > 0 {
			t.faults[i].Skip--
			continue
		}
		switch {
		case f.Times < 0:
		case f.Times <= 1:
			t.faults = append(t.faults[:i:i], t.faults[i+1:]...)
		default:
			t.faults[i].Times--
		}
		return f, true
	}
	return t.storm.fault(op, keySet)
}

// remember keeps an answer for faults that replay it.
func (t *Tenant) remember(op Op, a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[op] = a
}

// earlier returns the last answer of an operation that met no fault.
func (t *Tenant) earlier(op Op) (answer, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.answers[op]
	return a, ok
}
