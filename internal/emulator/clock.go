// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"sync/atomic"
	"time"
)

// Clock tells the time the emulator lives in.
type Clock interface{ Now() time.Time }

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

// offsetClock runs ahead of its base by what it was advanced.
type offsetClock struct {
	base   Clock
	offset atomic.Int64 // nanoseconds
}

func newOffsetClock(base Clock) *offsetClock {
	if base == nil {
		base = wallClock{}
	}
	return &offsetClock{base: base}
}

func (c *offsetClock) Now() time.Time {
	return c.base.Now().Add(time.Duration(c.offset.Load()))
}

func (c *offsetClock) advance(d time.Duration) { c.offset.Add(int64(d)) }
