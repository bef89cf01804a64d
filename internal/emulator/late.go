// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
	"time"
)

// lateWork is work of a request that was answered before it was done.
type lateWork struct {
	due time.Time
	do  func()
}

// doLater does the work of a request once the clock has moved by d. Whether
// that is so is looked at whenever somebody could see the difference.
func (t *Tenant) doLater(x *exchange, work func(*exchange) answer, d time.Duration) {
	due := t.server.clock.Now().Add(d)
	later := *x // the request goes on to its answer: what the work says of it then goes nowhere
	later.at, later.atEnd = due, nil
	job := lateWork{due: due, do: func() {
		work(&later)
		for _, f := range later.atEnd {
			f()
		}
	}}
	t.mu.Lock()
	defer t.mu.Unlock()
	at, _ := slices.BinarySearchFunc(t.late, due, func(w lateWork, due time.Time) int {
		if w.due.After(due) {
			return 1
		}
		return -1 // behind those of the same time
	})
	t.late = slices.Insert(t.late, at, job)
}

// commitLate does the late work whose time has come.
func (t *Tenant) commitLate() {
	t.committing.Lock()
	defer t.committing.Unlock()
	now := t.server.clock.Now()
	for {
		t.mu.Lock()
		if len(t.late) == 0 || t.late[0].due.After(now) {
			t.mu.Unlock()
			return
		}
		job := t.late[0]
		t.late = t.late[1:]
		t.mu.Unlock()
		job.do()
	}
}
