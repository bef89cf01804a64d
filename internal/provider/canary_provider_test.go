// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// transportVariable gives the provider that the test binary is a transport that does what none may: "leaks" or
// "panics".
const transportVariable = "TRUSTFRAMEWORK_TEST_TRANSPORT"

// servedOptions are for the provider in a process of its own.
func servedOptions() []provider.Option {
	kind := os.Getenv(transportVariable)
	if kind == "" {
		return nil
	}
	return []provider.Option{provider.WithTransport(func(next http.RoundTripper) http.RoundTripper {
		return badTransport{next: next, kind: kind}
	})}
}

type badTransport struct {
	next http.RoundTripper
	kind string
}

// RoundTrip implements http.RoundTripper.
func (b badTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.Contains(req.URL.Path, "upload") {
		return b.next.RoundTrip(req)
	}
	if b.kind == "panics" {
		panic("a bug in the provider")
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	// Standard error is the provider's log.
	fmt.Fprintf(os.Stderr, "[DEBUG] %s %x\n", req.Header.Get("Authorization"), body)
	out := req.Clone(req.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	return b.next.RoundTrip(out)
}
