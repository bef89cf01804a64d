// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How a tenant is spared. 200 requests a minute are published for neighbors of
// trustFramework, and a run shares them with whatever else works on the tenant.
const (
	tenantGap      = 500 * time.Millisecond // between two requests
	tenantInterval = time.Second            // between two looks at the same thing
	tenantQuiet    = 10 * time.Second       // before what a deletion leaves is taken to be all
	localInterval  = 20 * time.Millisecond
	// patience is how long what was written may take to show.
	patience = time.Minute

	requestTimeout = time.Minute
	maxThrottled   = 5               // answers of 429 to one request
	maxRetryAfter  = 2 * time.Minute // more than that is an answer, not a wait
	maxLost        = 3               // attempts of a read whose answers get lost
	maxAnswer      = 16 << 20
)

// namePrefix begins the names of all key sets that runs make, after the
// service's own prefix. What follows is random, so that a run knows its own.
const (
	servicePrefix = "B2C_1A_"
	namePrefix    = servicePrefix + "tfconformance_"
)

// service is a tenant that a run asks.
type service struct {
	target
	http     *http.Client
	prefix   string // of this run's key sets
	patience time.Duration
	gap      time.Duration
	interval time.Duration
	quiet    time.Duration

	mu      sync.Mutex // guards all below
	token   string
	secrets []string        // what no text may contain
	next    time.Time       // when the next request may go
	skew    time.Duration   // the service's clock less this machine's
	slowest time.Duration   // the longest that anything took to show
	made    map[string]made // by name in lower case
	strays  []string        // key sets that the service named as no run does
}

// newService makes a run on a tenant. The caller ends it with sweep.
func newService(t target) *service {
	s := &service{
		target: t, prefix: namePrefix + hex.EncodeToString(randomBytes(4)) + "_", patience: patience,
		gap: tenantGap, interval: tenantInterval, quiet: tenantQuiet,
		secrets: []string{t.clientSecret}, made: map[string]made{},
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:           http.ProxyFromEnvironment,
				TLSClientConfig: &tls.Config{RootCAs: t.ca, MinVersion: tls.VersionTLS12},
			},
			// A token goes where it was meant to go, and a redirection is an answer.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if t.local() {
		s.gap, s.interval, s.quiet = 0, localInterval, 0
	}
	return s
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (its documentation, Go 1.24)
	return b
}

// now is the time by the service's clock, to the second.
func (s *service) now() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now().Add(s.skew).Unix()
}

// signIn gets the token that all requests use.
func (s *service) signIn(ctx context.Context) error {
	a, err := s.askToken(ctx)
	if err != nil {
		return err
	}
	token := a.text("access_token")
	if err := a.want(http.StatusOK); err != nil || token == "" {
		return fmt.Errorf("sign in: status %d %s: %s", a.status, a.text("error"), s.plain(a.text("error_description")))
	}
	s.hide(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		s.skew = date.Sub(now())
	}
	return nil
}

func (s *service) askToken(ctx context.Context) (answer, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.clientID}, "client_secret": {s.clientSecret},
		"scope": {s.scope()},
	}
	return s.call(ctx, request{
		method: http.MethodPost, url: s.authority + "/" + url.PathEscape(s.tenantID) + "/oauth2/v2.0/token",
		shown:  "POST the token endpoint",
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: []byte(form.Encode()),
	})
}

// hide keeps a text out of everything that is shown.
func (s *service) hide(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, secret)
}

// request is one request as it goes over the wire.
type request struct {
	method, url string
	shown       string // what people see of it
	header      http.Header
	body        []byte
	rush        bool // goes at once: its turn was awaited before
}

// address is the URL of a path, which begins with a slash or is one below
// /beta/trustFramework.
func (s *service) address(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/beta/trustFramework/" + path
	}
	return s.graph + path
}

// get asks Graph for a path (percent-encoded).
func (s *service) get(ctx context.Context, path string) (answer, error) {
	return s.call(ctx, request{
		method: http.MethodGet, url: s.address(path), shown: "GET " + path, header: s.bearer(),
	})
}

// getOpen asks Graph without a token.
func (s *service) getOpen(ctx context.Context, path string) (answer, error) {
	return s.call(ctx, request{
		method: http.MethodGet, url: s.address(path), shown: "GET " + path + " without a token", header: http.Header{},
	})
}

// document asks for the tenant's OpenID document.
func (s *service) document(ctx context.Context) (answer, error) {
	return s.call(ctx, request{
		method: http.MethodGet, url: s.authority + "/" + url.PathEscape(s.tenantID) + "/v2.0/.well-known/openid-configuration",
		shown: "GET the OpenID document", header: http.Header{},
	})
}

func (s *service) bearer() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.Header{"Authorization": {"Bearer " + s.token}}
}

// call sends a request until it has an answer that isn't "later": 429 is
// honored, and a read whose answer is lost is sent again.
func (s *service) call(ctx context.Context, r request) (answer, error) {
	r.shown = s.plain(r.shown)
	throttled, lost := 0, 0
	for {
		if !r.rush {
			if err := s.turn(ctx); err != nil {
				return answer{}, err
			}
		}
		a, err := s.send(ctx, r)
		switch {
		case err != nil && ctx.Err() == nil && r.method == http.MethodGet && lost < maxLost:
			lost++
			err = wait(ctx, s.interval)
		case err != nil:
			return answer{}, fmt.Errorf("%s: %w", r.shown, err)
		case a.status == http.StatusTooManyRequests && throttled < maxThrottled:
			throttled++
			d := retryAfter(a.header.Get("Retry-After"), 5*time.Second)
			if d > maxRetryAfter {
				return a, nil
			}
			err = wait(ctx, d)
		default:
			return a, nil
		}
		if err != nil {
			return answer{}, fmt.Errorf("%s: %w", r.shown, err)
		}
	}
}

// turn waits until the next request may go, and takes its place.
func (s *service) turn(ctx context.Context) error {
	s.mu.Lock()
	at := now()
	if s.next.After(at) {
		at = s.next
	}
	s.next = at.Add(s.gap)
	s.mu.Unlock()
	return wait(ctx, at.Sub(now()))
}

// retryAfter reads the header: seconds, also with decimals (documented:
// Graph's throttling), or a date.
func retryAfter(header string, otherwise time.Duration) time.Duration {
	if seconds, err := strconv.ParseFloat(header, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now()))
	}
	return otherwise
}

func (s *service) send(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	req.Header = r.header.Clone()
	req.Header.Set("User-Agent", "terraform-provider-trustframework-conformance")
	resp, err := s.http.Do(req)
	if err != nil {
		// The URL, which the error repeats, says less than the request does.
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{request: r.shown, status: resp.StatusCode, header: resp.Header, body: body}, nil
}
