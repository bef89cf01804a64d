// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"net/http"
	"testing"
)

// TestUserAgent_IsSentAsItIs sends each to a service, as net/http refuses what can't be in a header.
func TestUserAgent_IsSentAsItIs(t *testing.T) {
	t.Parallel()
	const own = "terraform-provider-trustframework/1.2.3 Terraform/1.11.4"
	for name, row := range map[string]struct{ appended, want string }{
		"nothing":            {"", own},
		"only spaces":        {" \t ", own},
		"a product":          {"HashiCups/2.0 (a; b)", own + " HashiCups/2.0 (a; b)"},
		"trimmed":            {"  x/1\n", own + " x/1"},
		"a second header":    {"x/1\r\nAuthorization: Bearer y", own + " x/1 Authorization: Bearer y"},
		"control characters": {"a\x00b\x7fc\x1bd\u0085e", own + " a b c d e"},
		"umlauts":            {"müller/1", own + " müller/1"},
		"not UTF-8":          {"a\xffb", own + " a\xffb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, status(429, odata("TooManyRequests"), "Retry-After", "1"), status(401, odata("InvalidAuthenticationToken")), status(200, "{}"))
			transport := s.transport()
			transport.userAgent = UserAgent("1.2.3", "1.11.4", row.appended)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/beta/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if err := roundTrip(transport, req); err != nil {
				t.Fatal(err)
			}
			if len(s.requests) != 3 {
				t.Errorf("%d requests", len(s.requests))
			}
			for i, r := range s.requests {
				if got := r.UserAgent(); got != row.want || r.Header.Get("Authorization") == "Bearer y" {
					t.Errorf("request %d by %q, want %q", i+1, got, row.want)
				}
			}
		})
	}
}
