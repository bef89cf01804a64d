// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowReader is a transport that goes on reading the request's body after it has answered, as net/http may.
type slowReader struct{ reading sync.WaitGroup }

func (s *slowReader) Do(req *http.Request) (*http.Response, error) {
	s.reading.Go(func() { _, _ = io.Copy(io.Discard, req.Body) })
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}}, nil
}

// TestWholeAnswers_KeepItsOwnBody: azcore rewinds the body that it has given away for the next attempt. The race
// detector tells if that is the one which is still being read.
func TestWholeAnswers_KeepItsOwnBody(t *testing.T) {
	t.Parallel()
	body := strings.NewReader("grant_type=client_credentials")
	inner := &slowReader{}
	transport := wholeAnswers{inner: inner, origin: "https://login.example", attemptTimeout: time.Minute}
	for range 3 {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://login.example/", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.Do(req)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatal(resp, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	inner.reading.Wait()
}

// TestCheckLocal_KeepsArcsKeyOnTheMachine: it is read from a file that only some may read, and IDENTITY_ENDPOINT says where
// it goes.
func TestCheckLocal_KeepsArcsKeyOnTheMachine(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"http://localhost:40342/metadata/identity/oauth2/token": true, "http://127.0.0.1:40342/": true, "http://10.0.0.1/": false, "https://evil.example/": false,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkLocal(req); err != nil {
			t.Errorf("%s: got %v for a request without a secret", address, err)
		}
		req.Header.Set("Authorization", "Basic canary")
		if err := checkLocal(req); (err == nil) != want {
			t.Errorf("%s: got %v, want it sent: %t", address, err, want)
		}
	}
}
