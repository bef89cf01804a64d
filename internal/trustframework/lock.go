// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"sync"
)

// locks holds one lock for each key set, because writes to one set at the same time are refused
// (AADB2C95053) and would hide whose key is whose. They guard against this process only.
type locks struct {
	mu     sync.Mutex
	byName map[string]*lock
}

type lock struct {
	// free has room for the one who holds the lock.
	free  chan struct{}
	users int
}

// lock waits for the lock of a key set, or for the end of ctx. The function it returns gives the lock
// back and must be called once.
func (l *locks) lock(ctx context.Context, keySetID string) (unlock func(), err error) {
	name := foldID(keySetID)
	l.mu.Lock()
	if l.byName == nil {
		l.byName = map[string]*lock{}
	}
	mine := l.byName[name]
	if mine == nil {
		mine = &lock{free: make(chan struct{}, 1)}
		l.byName[name] = mine
	}
	mine.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if mine.users--; mine.users == 0 {
			delete(l.byName, name)
		}
	}
	select {
	case mine.free <- struct{}{}:
		return func() { <-mine.free; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
