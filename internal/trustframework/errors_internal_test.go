// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

// TestClassify: what a code means depends on its class, and on the status it comes with.
func TestClassify(t *testing.T) {
	t.Parallel()
	const graphs, unknown = "ResourceNotFound", "AADB2C12345"
	for _, row := range []struct {
		status int
		code   string
		want   Kind
	}{
		{400, "AADB2C90073", KindKeySetGone},
		{404, "AADB2C90073", KindKeySetGone},
		{409, "AADB2C90073", KindRefused},
		{410, "AADB2C90073", KindRefused},
		{404, graphs, KindKeySetGone},
		{404, unknown, KindKeySetGone},
		{404, errorcode.NoActiveKey, KindRefused}, // its meaning is known, and it isn't that
		{404, "AADB2C90130", KindRefused},
		{404, "UnknownError", KindRefused},
		{404, "", KindRefused},
		{400, graphs, KindRefused},
		{400, "AADB2C90130", KindRefused}, // its words say gone; only one code is believed
		{400, "AADB2C95052", KindRefused},

		{400, "AADB2C95028", KindExists},
		{404, "AADB2C95028", KindExists},
		{409, "AADB2C95028", KindExists},
		{404, "AADB2C95032", KindRefused},

		{400, "AADB2C95043", KindThrottled},
		{404, "AADB2C95043", KindThrottled},
		{503, "AADB2C90229", KindThrottled},
		{429, "AADB2C90073", KindThrottled},
		{429, "AADB2C95028", KindThrottled},
		{429, "", KindThrottled},

		// Nobody knows whether these were worked on.
		{400, "AADB2C95053", KindUnavailable},
		{404, "AADB2C95053", KindUnavailable},
		{400, "AADB2C90063", KindUnavailable},
		{404, "AADB2C90063", KindUnavailable},
		{408, "", KindUnavailable},
		{408, "AADB2C95028", KindUnavailable},
		{500, "", KindUnavailable},
		{302, "", KindUnavailable},
		{302, "AADB2C95043", KindUnavailable},

		{400, "", KindRefused},
		{400, "AADB2C", KindRefused},
		{400, unknown, KindRefused},
		{400, "aadb2c90073", KindRefused}, // the service doesn't spell it so
		{413, "", KindRefused},
	} {
		if got := classify(row.status, row.code); got != row.want {
			t.Errorf("%d %s: %q, want %q", row.status, row.code, got, row.want)
		}
	}
}

// TestClassify_EveryCode: the statuses that speak for themselves do so with every code, but that a throttled
// request is throttled with any.
func TestClassify_EveryCode(t *testing.T) {
	t.Parallel()
	byClass := map[errorcode.Class]Kind{
		errorcode.Gone: KindKeySetGone, errorcode.Exists: KindExists, errorcode.Refused: KindRefused, errorcode.Mistake: KindRefused,
		errorcode.Throttled: KindThrottled, errorcode.Transient: KindUnavailable,
	}
	for _, e := range errorcode.All() {
		want := map[int]Kind{
			302: KindUnavailable, 400: byClass[e.Class], 401: KindDenied, 403: KindDenied, 408: KindUnavailable, 429: KindThrottled,
			500: KindUnavailable, 502: KindUnavailable, 503: KindUnavailable, 504: KindUnavailable,
		}
		for status, kind := range want {
			if e.Class == errorcode.Throttled && status >= 400 {
				kind = KindThrottled
			}
			if got := classify(status, e.Code); got != kind {
				t.Errorf("%d %s: %q, want %q", status, e.Code, got, kind)
			}
		}
	}
}
