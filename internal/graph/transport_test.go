// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
)

// fakeCredential hands out numbered tokens and remembers what they were asked for.
type fakeCredential struct {
	mu     sync.Mutex
	asks   []policy.TokenRequestOptions
	answer func(n int) error // nil if there is always a token
}

func (c *fakeCredential) GetToken(_ context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asks = append(c.asks, options)
	if c.answer != nil {
		if err := c.answer(len(c.asks)); err != nil {
			return azcore.AccessToken{}, err
		}
	}
	return azcore.AccessToken{Token: fmt.Sprintf("token-%d", len(c.asks))}, nil
}

// service is a scripted Graph: each request gets the next answer, and the last one again and again.
type service struct {
	t          *testing.T
	server     *httptest.Server
	clock      *clocktest.Fake
	credential *fakeCredential
	log        *bytes.Buffer

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	times    []time.Time
}

func newService(t *testing.T, answers ...http.HandlerFunc) *service {
	t.Helper()
	s := &service{t: t, clock: clocktest.NewFake(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)), credential: &fakeCredential{}, log: &bytes.Buffer{}}
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		answer := answers[min(len(s.requests), len(answers)-1)]
		s.requests, s.bodies, s.times = append(s.requests, r), append(s.bodies, string(body)), append(s.times, s.clock.Now())
		s.mu.Unlock()
		answer(w, r)
	}))
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(s.server.Close)
	return s
}

func (s *service) transport() *transport {
	s.t.Helper()
	endpoint, err := parseOrigin(s.server.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	return &transport{
		base:           s.server.Client().Transport,
		endpoint:       endpoint,
		tokens:         newTokenSource(s.credential, "scope", nil),
		gate:           &gate{clock: s.clock},
		clock:          s.clock,
		logger:         slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		userAgent:      "test-agent",
		attemptTimeout: 10 * time.Second,
	}
}

// answer is a response that is read and closed.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *service) send(ctx context.Context, method, body string) (answer, error) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.server.URL+"/beta/x", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := newHTTPClient(s.transport()).Do(req)
	if err != nil {
		return answer{}, err
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content)}, resp.Body.Close()
}

// roundTrip is the transport's word on a request, without what http.Client puts around an error.
func roundTrip(tr *transport, req *http.Request) error {
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func odata(code string) string { return fmt.Sprintf(`{"error":{"code":%q,"message":"m"}}`, code) }

func halfABody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"half":`)
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(err)
	}
	panic(http.ErrAbortHandler)
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// TestTransport_RoundTrip_SendsAgainOnlyWhatDoesNoHarm: requests is how many times the request
// reached a service that fails in the given way once and then works.
func TestTransport_RoundTrip_SendsAgainOnlyWhatDoesNoHarm(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer           http.HandlerFunc
		get, write, post int
	}{
		"200":                  {status(200, `{}`), 1, 1, 1},
		"204":                  {status(204, ""), 2, 1, 1},
		"400":                  {status(400, odata("AADB2C")), 1, 1, 1},
		"400 AADB2C95043":      {status(400, odata("AADB2C95043")), 2, 2, 2},
		"400 AADB2C90229":      {status(400, odata("AADB2C90229")), 2, 2, 2},
		"400 AADB2C90244":      {status(400, odata("AADB2C90244")), 2, 2, 2},
		"400 AADB2C95053":      {status(400, odata("AADB2C95053")), 2, 2, 1},
		"400 AADB2C90063":      {status(400, odata("AADB2C90063")), 2, 2, 1},
		"400 AADB2C95033":      {status(400, odata("AADB2C95033")), 1, 1, 1},
		"401":                  {status(401, odata("InvalidAuthenticationToken")), 2, 2, 2},
		"403":                  {status(403, odata("AADB2C")), 1, 1, 1},
		"403 AADB2C95053":      {status(403, odata("AADB2C95053")), 1, 1, 1},
		"403 AADB2C95043":      {status(403, odata("AADB2C95043")), 2, 2, 2},
		"408":                  {status(408, ""), 2, 2, 1},
		"429":                  {status(429, odata("TooManyRequests")), 2, 2, 2},
		"401 in HTML":          {status(401, "<html>"), 2, 2, 1},
		"401 empty":            {status(401, ""), 2, 2, 1},
		"403 in HTML":          {status(403, "<html>"), 1, 1, 1},
		"429 in HTML":          {status(429, "<html>"), 2, 2, 1},
		"429 empty":            {status(429, ""), 2, 2, 1},
		"429 without a code":   {status(429, `{"error":{"message":"slow down"}}`), 2, 2, 1},
		"500":                  {status(500, odata("AADB2C90063")), 2, 2, 1},
		"500 AADB2C95033":      {status(500, odata("AADB2C95033")), 2, 2, 1},
		"500 AADB2C95043":      {status(500, odata("AADB2C95043")), 2, 2, 2},
		"502 in HTML":          {status(502, "<html>"), 2, 2, 1},
		"503":                  {status(503, ""), 2, 2, 1},
		"504":                  {status(504, ""), 2, 2, 1},
		"302":                  {status(302, "", "Location", "/elsewhere"), 2, 1, 1},
		"200 empty":            {status(200, ""), 2, 1, 1},
		"200 in HTML":          {status(200, "<html>"), 2, 2, 1},
		"half a body":          {halfABody, 2, 2, 1},
		"connection cut":       {cut, 2, 2, 1},
		"half a refusal":       {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(400); halfABody(w, r) }, 2, 2, 1},
		"half a 404":           {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); halfABody(w, r) }, 2, 2, 1},
		"half a 403":           {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403); halfABody(w, r) }, 1, 1, 1},
		"odd claims challenge": {status(401, odata("InvalidAuthenticationToken"), "WWW-Authenticate", "Bearer claims=oops"), 2, 2, 2},
	} {
		for method, want := range map[string]int{
			http.MethodGet: row.get, http.MethodDelete: row.write, http.MethodPatch: row.write, http.MethodPost: row.post,
		} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newService(t, row.answer, status(200, `{}`))
				_, err := s.send(t.Context(), method, `{"a":1}`)
				if len(s.requests) != want {
					t.Errorf("%d requests, want %d (error %v)", len(s.requests), want, err)
				}
				for i, r := range s.requests {
					if s.bodies[i] != `{"a":1}` || r.ContentLength != 7 || r.Header.Get("Content-Encoding") != "" || r.Header.Get("Idempotency-Key") != "" {
						t.Errorf("request %d: body %q, length %d, header %v", i, s.bodies[i], r.ContentLength, r.Header)
					}
				}
			})
		}
	}
}

func TestTransport_RoundTrip_WaitsAsLongAsTheServiceSays(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"2.128":                         2128 * time.Millisecond,
		"17":                            17 * time.Second,
		"Tue, 01 Jan 2030 00:01:00 GMT": time.Minute,
		"Mon, 31 Dec 2029 23:59:00 GMT": 0,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			s := newService(t, status(429, odata("TooManyRequests"), "Retry-After", value), status(200, `{}`))
			if _, err := s.send(t.Context(), http.MethodPost, "{}"); err != nil {
				t.Fatal(err)
			}
			if waited := s.times[1].Sub(s.times[0]); waited < want || waited > want+time.Second {
				t.Errorf("waited %s, want %s", waited, want)
			}
		})
	}
}

func TestRetryAfter_NonsenseIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "soon", "-1", "NaN", "+Inf", "1e300"} {
		if d, ok := retryAfter(http.Header{"Retry-After": {value}}, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
			t.Errorf("%q is %s", value, d)
		}
	}
}

func TestTransport_RoundTrip_A429PausesTheWholeClient(t *testing.T) {
	t.Parallel()
	s := newService(t, status(429, odata("TooManyRequests"), "Retry-After", "30"), status(200, `{}`))
	client := newHTTPClient(s.transport())
	send := func(patience time.Duration) {
		t.Helper()
		ctx, cancel := s.clock.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/beta/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	send(10 * time.Second) // has no time to wait and leaves with the 429
	send(time.Minute)
	if len(s.times) != 2 || s.times[1].Sub(s.times[0]) < 30*time.Second {
		t.Errorf("requests at %v", s.times)
	}
}

func TestTransport_RoundTrip_WaitsEvenIfTheServiceSaysNot(t *testing.T) {
	t.Parallel()
	for _, code := range []int{429, 503} {
		s := newService(t, status(code, "", "Retry-After", "0"))
		ctx, cancel := s.clock.WithTimeout(t.Context(), 2*time.Minute)
		_, err := s.send(ctx, http.MethodGet, "")
		cancel()
		if n := len(s.requests); n > 20 {
			t.Errorf("%d: %d requests in two minutes (%v)", code, n, err)
		}
	}
}

// TestTransport_RoundTrip_ADeleteThatMayBeDoneIsNotCalledUnsent: the first attempt was lost, and the
// pause that the second would have to wait for is too long.
func TestTransport_RoundTrip_ADeleteThatMayBeDoneIsNotCalledUnsent(t *testing.T) {
	t.Parallel()
	s := newService(t, cut)
	tr := s.transport()
	tr.base = roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := s.server.Client().Transport.RoundTrip(req)
		tr.gate.pause(time.Hour)
		return resp, err
	})
	ctx, cancel := s.clock.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.server.URL+"/beta/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	err = roundTrip(tr, req)
	var e *Error
	if !errors.As(err, &e) || !e.RequestSent() {
		t.Errorf("got %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestTransport_RoundTrip_GivesUpInTimeWithTheServicesWords(t *testing.T) {
	t.Parallel()
	for _, code := range []int{429, 503} {
		s := newService(t, status(code, odata("X"), "Retry-After", "50"))
		ctx, cancel := s.clock.WithTimeout(t.Context(), 2*time.Minute)
		got, err := s.send(ctx, http.MethodGet, "")
		cancel()
		if err != nil || got.status != code || got.body != odata("X") {
			t.Errorf("got %v, %v", got, err)
		}
		if n := len(s.requests); n != 3 {
			t.Errorf("%d requests", n)
		}
	}
}

func TestTransport_RoundTrip_TokenGoesToTheConfiguredOriginOnly(t *testing.T) {
	t.Parallel()
	s := newService(t, status(200, `{}`))
	u, _ := url.Parse(s.server.URL)
	for _, other := range []string{
		"http://" + u.Host,
		"https://" + u.Hostname() + ":1",
		"https://graph.microsoft.com",
		"https://" + u.Hostname() + ".example.com:" + u.Port(),
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, other+"/beta/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		err = roundTrip(s.transport(), req)
		var e *Error
		if !errors.As(err, &e) || e.Sent {
			t.Errorf("%s: got %v", other, err)
		}
	}
	if len(s.requests) > 0 || len(s.credential.asks) > 0 {
		t.Errorf("%d requests, %d tokens", len(s.requests), len(s.credential.asks))
	}
}

func TestTransport_RoundTrip_AnswersAClaimsChallengeOnce(t *testing.T) {
	t.Parallel()
	claims := `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	challenge := status(401, odata("InvalidAuthenticationToken"), "WWW-Authenticate",
		`Bearer realm="", error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`)
	s := newService(t, challenge, status(429, odata("TooManyRequests"), "Retry-After", "1"), challenge)
	got, err := s.send(t.Context(), http.MethodPost, "{}")
	if err != nil || got.status != http.StatusUnauthorized {
		t.Fatalf("got %v, %v", got, err)
	}
	if got.header.Get("WWW-Authenticate") != "" {
		t.Error("Kiota would send the request once more")
	}
	var asked []string
	for _, ask := range s.credential.asks {
		asked = append(asked, ask.Claims)
		if !ask.EnableCAE || !slices.Equal(ask.Scopes, []string{"scope"}) {
			t.Errorf("asked for %v", ask)
		}
	}
	if !slices.Equal(asked, []string{"", claims, ""}) {
		t.Errorf("asked for tokens with claims %q", asked)
	}
	if got := s.requests[1].Header.Get("Authorization"); got != "Bearer token-2" {
		t.Errorf("sent %q", got)
	}
}

func TestTransport_RoundTrip_ARefusedChallengeKeepsEntrasWords(t *testing.T) {
	t.Parallel()
	s := newService(t, status(401, odata("InvalidAuthenticationToken"), "WWW-Authenticate", `Bearer error="insufficient_claims", claims="e30="`))
	refusal := errors.New("AADSTS53003: blocked by conditional access")
	s.credential.answer = func(n int) error {
		if n > 1 {
			return refusal
		}
		return nil
	}
	_, err := s.send(t.Context(), http.MethodPost, "{}")
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, refusal) || e.RequestSent() {
		t.Errorf("got %v", err)
	}
}

func TestAdapter_TenantID(t *testing.T) {
	t.Parallel()
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"tid":"11111111-2222-4333-8444-555555555555"}`))
	for token, want := range map[string]string{
		"header." + payload + ".signature": "11111111-2222-4333-8444-555555555555",
		"opaque":                           "",
		"a.b.c":                            "",
		"header." + base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + ".signature": "",
	} {
		got, err := newTokenSource(fixedToken(token), "", nil).tenantID(t.Context())
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", token, got, err)
		}
	}
}

type fixedToken string

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f)}, nil
}

func TestTransport_RoundTrip_TellsWhetherARequestWasSent(t *testing.T) {
	t.Parallel()
	t.Run("cut", func(t *testing.T) {
		t.Parallel()
		_, err := newService(t, cut).send(t.Context(), http.MethodPost, "{}")
		var e *Error
		if !errors.As(err, &e) || !e.RequestSent() {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no token", func(t *testing.T) {
		t.Parallel()
		s := newService(t, status(200, `{}`))
		refusal := errors.New("no token today")
		s.credential.answer = func(int) error { return refusal }
		_, err := s.send(t.Context(), http.MethodPost, "{}")
		var e *Error
		if !errors.As(err, &e) || e.RequestSent() || !errors.Is(err, refusal) || len(s.requests) != 0 {
			t.Errorf("got %v, %d requests", err, len(s.requests))
		}
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		t.Parallel()
		s := newService(t, status(200, `{}`))
		tr := s.transport()
		base, err := NewHTTPTransport(nil)
		if err != nil {
			t.Fatal(err)
		}
		tr.base = base
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/beta/x", nil)
		begun := s.clock.Now()
		err = roundTrip(tr, req)
		var e *Error
		if !errors.As(err, &e) || e.RequestSent() || len(s.requests) != 0 {
			t.Errorf("got %v", err)
		}
		if waited := s.clock.Now().Sub(begun); waited > 0 {
			t.Errorf("waited %s for a certificate to become trusted", waited)
		}
	})
}

func TestTransport_RoundTrip_APostUnderWayIsNotTakenBack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		status(200, `{"made":true}`)(w, r)
	})
	got, err := s.send(ctx, http.MethodPost, "{}")
	if err != nil || got.body != `{"made":true}` {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := s.send(ctx, http.MethodPost, "{}"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(s.requests) != 1 {
		t.Errorf("%d requests", len(s.requests))
	}
}

func TestTransport_RoundTrip_LogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	s := newService(t, status(500, odata("AADB2C90063")), status(200, `{"k":"key-material"}`))
	if _, err := s.send(t.Context(), http.MethodPut, `{"k":"key-material"}`); err != nil {
		t.Fatal(err)
	}
	log := s.log.String()
	for _, secret := range []string{"token-", "key-material", "Bearer"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	for _, want := range []string{"status=500", "code=AADB2C90063", "status=200", "attempt=2", "client_request_id="} {
		if !strings.Contains(log, want) {
			t.Errorf("%q isn't in the log:\n%s", want, log)
		}
	}
}
