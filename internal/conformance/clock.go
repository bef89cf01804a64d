// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"time"
)

// now is the time of this machine. What is sent to the service goes by the
// service's own clock: see service.now.
func now() time.Time { return time.Now() }

// wait returns nil once d has passed, or the error of ctx.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}
