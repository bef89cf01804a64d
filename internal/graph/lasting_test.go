// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// TestTransport_RoundTrip_WhatWaitingDoesntMend is told at once, and so that azcore doesn't try again either.
func TestTransport_RoundTrip_WhatWaitingDoesntMend(t *testing.T) {
	t.Parallel()
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // it is what is tested
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS()
	t.Cleanup(old.Close)
	for name, row := range map[string]struct{ address, text string }{
		"TLS 1.1 only":                     {old.URL, "protocol version"},
		"a port that can't be one":         {"https://127.0.0.1:99999", "invalid port"},
		"a certificate that isn't trusted": {newService(t).server.URL, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, err := NewHTTPTransport(nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(base.CloseIdleConnections)
			tries := 0
			counted := roundTripper(func(req *http.Request) (*http.Response, error) {
				tries++
				return base.RoundTrip(req)
			})
			s := newService(t)
			transport := s.transport()
			transport.base = MarkLasting(counted)
			transport.endpoint, err = parseOrigin(row.address)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, row.address+"/beta/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			err = roundTrip(transport, req)
			var marked interface{ NonRetriable() }
			if tries != 1 || !errors.As(err, &marked) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("got %v after %d tries, want an error about the %s after one", err, tries, row.text)
			}
		})
	}
}

// TestMarkLasting_ABrokenHandshake passes: a connection that is cut in it, or takes too long, may succeed the next time.
func TestMarkLasting_ABrokenHandshake(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()
	base, err := NewHTTPTransport(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(base.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+listener.Addr().String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := MarkLasting(base).RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil || isLasting(err) {
		t.Errorf("got %v, want a failure that may pass", err)
	}
}

// endless is a body without an end. It counts what was read of it.
type endless struct{ read *int64 }

func (e endless) Read(p []byte) (int, error) {
	*e.read += int64(len(p))
	return len(p), nil
}

// TestTransport_RoundTrip_AnEndlessAnswer is read no further than any answer of the service's goes, and not asked for again.
func TestTransport_RoundTrip_AnEndlessAnswer(t *testing.T) {
	t.Parallel()
	var read int64
	tries := 0
	s := newService(t)
	transport := s.transport()
	transport.base = MarkLasting(roundTripper(func(*http.Request) (*http.Response, error) {
		tries++
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(endless{&read})}, nil
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/beta/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	err = roundTrip(transport, req)
	if !errors.Is(err, errTooLong) || tries != 1 || read > maxAnswer+1<<20 {
		t.Errorf("got %v after %d tries and %d bytes, want %v after one and at most %d", err, tries, read, errTooLong, maxAnswer)
	}
	if taken := transport.memory.taken.Load(); taken != 0 {
		t.Errorf("%d bytes are still taken, want none", taken)
	}
}

// TestMemory_AllAnswersTogether: ten long answers at a time take no more memory than there is for all.
func TestMemory_AllAnswersTogether(t *testing.T) {
	t.Parallel()
	const long = maxAnswer - 1<<20
	var m memory
	var wg sync.WaitGroup
	var mu sync.Mutex
	var held int64
	refused := 0
	for range 10 {
		wg.Go(func() {
			body, err := m.read(io.LimitReader(endless{new(int64)}, long))
			mu.Lock()
			defer mu.Unlock()
			held += int64(len(body))
			if errors.Is(err, errTooMuch) {
				refused++
			}
		})
	}
	wg.Wait()
	if held > maxUnderWay || refused < 8 {
		t.Errorf("%d bytes are held and %d answers refused, want at most %d bytes of ten times %d", held, refused, int64(maxUnderWay), int64(long))
	}
	if got := m.taken.Load(); got != held {
		t.Errorf("%d bytes count as taken, want the %d held", got, held)
	}
}

// TestTransport_RoundTrip_FreesItsMemory when an answer is closed, and when it is followed by another attempt.
func TestTransport_RoundTrip_FreesItsMemory(t *testing.T) {
	t.Parallel()
	s := newService(t, status(503, strings.Repeat("x", 1000)), status(401, odata("InvalidAuthenticationToken")), status(200, `{"a":1}`))
	transport := s.transport()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/beta/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := transport.memory.taken.Load(); got != int64(len(`{"a":1}`)) {
		t.Errorf("%d bytes are taken while the answer is read, want its own", got)
	}
	for range 2 {
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := transport.memory.taken.Load(); got != 0 {
		t.Errorf("%d bytes are taken after it, want none", got)
	}
}

// TestTransport_RoundTrip_EchoesOfTheToken are neither logged nor told: net/http repeats a header that it can't read.
func TestTransport_RoundTrip_EchoesOfTheToken(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg" //nolint:gosec // it is made up for a test
	for name, row := range map[string]struct {
		resp *http.Response
		err  error
	}{
		"an error of net/http": {err: lastingFailure{fmt.Errorf("net/http: malformed MIME header line: %s: x\x1b[31m", token)}},
		"request-id and code": {resp: &http.Response{
			StatusCode: http.StatusBadRequest, Header: http.Header{"Request-Id": {token[40:60]}},
			Body: io.NopCloser(strings.NewReader(`{"error":{"code":"` + token[40:60] + `"}}`)),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			transport := s.transport()
			transport.secrets = &redact.Secrets{}
			transport.tokens = newTokenSource(fixedToken(token), "scope", transport.secrets)
			transport.base = roundTripper(func(*http.Request) (*http.Response, error) { return row.resp, row.err })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+"/beta/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			said := s.log.String()
			if resp, err := transport.RoundTrip(req); err != nil {
				said += err.Error()
			} else {
				_ = resp.Body.Close()
			}
			if said += s.log.String(); said == "" || strings.Contains(said, token[40:60]) || strings.Contains(said, "\x1b") {
				t.Errorf("got %q, want nothing of the token and no escape sequence", said)
			}
		})
	}
}
