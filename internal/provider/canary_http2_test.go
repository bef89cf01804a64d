// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"bytes"
	"os"
	"testing"
)

// TestAccCanary_HTTP2Debug: with GODEBUG=http2debug=2 Go writes the plugin protocol's frames. What the client's own process
// writes then is out of the provider's hands, as SECURITY.md says; the provider's process writes no secret.
func TestAccCanary_HTTP2Debug(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	r.fillCrash("only")
	r.environment = append(r.environment, "GODEBUG=http2debug=2")
	r.do(true, nil, "apply", "-auto-approve", "-input=false")
	s := r.end("only secret", "only password", "only file in base64")
	log, err := os.ReadFile(r.log())
	if err != nil {
		t.Fatal(err)
	}
	frames, clients := 0, map[leak]bool{}
	for line := range bytes.Lines(log) {
		found := map[leak]bool{}
		if err := s.in("the log", bytes.NewReader(line), found); err != nil {
			t.Fatal(err)
		}
		if !isProviders(line) {
			for l := range found {
				clients[l] = true
			}
			continue
		}
		if bytes.Contains(line, []byte("http2: Framer")) {
			frames++
		}
		for l := range found {
			t.Errorf("%s is in a line of the provider's, spelled %s", l.secret, l.spelling)
		}
	}
	if frames == 0 {
		t.Error("the provider's process writes no frames, so that none could hold a secret")
	}
	// The control: where messages are written, the search finds what they hold.
	t.Logf("in the client's own lines: %v", clients)
}
