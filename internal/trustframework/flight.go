// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"sync"
)

// flights lets callers that want the same thing at the same time share one call for it.
type flights[K comparable] struct {
	mu    sync.Mutex
	calls map[K]*flight
}

type flight struct {
	done chan struct{}
	err  error
}

// do runs call, or waits for the one that is under way. The call goes on when a caller leaves because
// its ctx has ended: the others still want its result, which call must keep somewhere itself.
func (f *flights[K]) do(ctx context.Context, key K, call func() error) error {
	f.mu.Lock()
	current, ok := f.calls[key]
	if !ok {
		current = &flight{done: make(chan struct{})}
		if f.calls == nil {
			f.calls = map[K]*flight{}
		}
		f.calls[key] = current
		go func() {
			current.err = call()
			f.mu.Lock()
			delete(f.calls, key)
			f.mu.Unlock()
			close(current.done)
		}()
	}
	f.mu.Unlock()
	select {
	case <-current.done:
		return current.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
