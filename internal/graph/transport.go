// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes. The largest is the list of a tenant's key sets, in which a key takes
	// some 1,500 bytes.
	maxAnswer = 48 << 20
	// maxUnderWay bounds what is read of all answers that are under way at a time, in bytes.
	maxUnderWay = 2 * maxAnswer
)

// Error is a request that got no readable answer.
type Error struct {
	// Sent tells whether the service may have seen the request.
	Sent bool
	// Err is the cause.
	Err error
}

func (e *Error) Error() string {
	if e.Sent {
		return fmt.Sprintf("no readable answer: %v", e.Err)
	}
	return fmt.Sprintf("not sent: %v", e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// RequestSent tells callers which can't name this type whether the service may have seen the request.
func (e *Error) RequestSent() bool { return e.Sent }

// transport is the http.RoundTripper below Kiota. Every answer leaves it with its whole body in
// memory and every failure as an *Error, so that the layers above know the status, the headers and
// the body of whatever came back, or whether anything was sent.
//
// A request's context bounds the waits before and between attempts. A POST that has begun to be sent
// is not taken back by it: its attempt ends by its own timeout only, for an end in the middle would
// leave the outcome in doubt.
type transport struct {
	base           http.RoundTripper
	endpoint       *url.URL
	tokens         *tokenSource
	gate           *gate
	clock          clock.Clock
	logger         *slog.Logger
	userAgent      string
	attemptTimeout time.Duration
	secrets        *redact.Secrets
	memory         memory
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readAndClose(req.Body)
	if err != nil {
		return nil, &Error{Err: err}
	}
	if err := t.checkOrigin(req.URL); err != nil {
		return nil, &Error{Err: err}
	}
	ctx := req.Context()
	var refused refusedToken
	var resp *http.Response
	var challenged, worked bool // worked: an attempt may have been worked on
	strange := 0                // answers that aren't what was asked for
	for attempt := 1; ; attempt++ {
		token, notReady := t.ready(ctx, refused)
		if notReady != nil && (resp == nil && err == nil || resp != nil && resp.StatusCode == http.StatusUnauthorized) {
			if resp != nil {
				_ = resp.Body.Close() // it is in memory
			}
			return nil, &Error{Sent: worked, Err: notReady}
		}
		if notReady != nil {
			return told(req, resp, err, worked) // what the attempt before has shown says more
		}
		refused = refusedToken{} // the new one is in the credential's cache now
		if resp != nil {
			_ = resp.Body.Close() // it is in memory
		}
		resp, err = t.attempt(req, body, token, attempt)
		var failure *Error
		worked = worked || errors.As(err, &failure) && failure.Sent || resp != nil && leavesDoubt(req.Method, resp)
		// A refused token was refused before any work, so that even a POST may come again with another.
		if resp != nil && resp.StatusCode == http.StatusUnauthorized && !challenged && (repeatable(req.Method) || believed(req.Method, resp)) {
			challenged = true
			refused = refusedToken{token: token, claims: claimsChallenge(resp.Header)}
			continue
		}
		if resp != nil && nonsense(req.Method, resp) {
			strange++
		}
		delay, again := t.again(req.Method, attempt, resp, err)
		if !again || strange == maxNonsense || t.clock.Sleep(ctx, delay) != nil {
			return told(req, resp, err, worked)
		}
	}
}

// workedHeader marks the answer to a request of which an earlier attempt may have been worked on, so that a
// refusal doesn't mean that nothing was done.
const workedHeader = "X-Trustframework-Worked"

// told returns the outcome of the last attempt with what the attempts before it leave open.
func told(req *http.Request, resp *http.Response, err error, worked bool) (*http.Response, error) {
	var failure *Error
	if errors.As(err, &failure) {
		failure.Sent = failure.Sent || worked
	}
	if resp != nil {
		resp.Header.Del(workedHeader) // it isn't the service's to set
		if worked && req.Method != http.MethodGet {
			resp.Header.Set(workedHeader, "true")
		}
	}
	return resp, err
}

// ready waits until a request may be sent and returns the token for it, another one than was refused.
func (t *transport) ready(ctx context.Context, refused refusedToken) (token string, err error) {
	if err := t.gate.wait(ctx); err != nil {
		return "", err
	}
	switch {
	case refused.token == "" || refused.claims != "":
		token, err = t.tokens.token(ctx, refused.claims)
	default:
		token, err = t.tokens.renewed(ctx, refused.token)
	}
	if err != nil {
		return "", err
	}
	return token, ctx.Err()
}

// checkOrigin lets a token go to the configured scheme, host and port only.
func (t *transport) checkOrigin(u *url.URL) error {
	if u.Scheme == t.endpoint.Scheme && strings.EqualFold(u.Hostname(), t.endpoint.Hostname()) && portOf(u) == portOf(t.endpoint) {
		return nil
	}
	return fmt.Errorf("%s://%s is not the configured Graph endpoint %s", u.Scheme, u.Host, t.endpoint)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return "443"
}

// attempt sends the request once and reads the whole answer.
func (t *transport) attempt(req *http.Request, body []byte, token string, number int) (*http.Response, error) {
	ctx := req.Context()
	if req.Method == http.MethodPost {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, t.attemptTimeout)
	defer cancel()

	// From the moment a connection is at hand the request counts as sent: what of it was written
	// before a failure can't be known. net/http takes another connection only if nothing was written.
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	out := req.Clone(ctx)
	setBody(out, body)
	out.Header.Set("Authorization", "Bearer "+token)
	out.Header.Set("User-Agent", t.userAgent)
	requestID := newRequestID()
	out.Header.Set("client-request-id", requestID)

	started := t.clock.Now()
	resp, err := t.base.RoundTrip(out)
	if err == nil {
		resp, err = t.buffer(resp)
	}
	if err != nil {
		err = &Error{Sent: sent.Load(), Err: t.secrets.Error(err)}
	} else {
		tellCaller(resp, token, t.secrets)
	}
	t.log(req.Context(), req, number, requestID, resp, err, t.clock.Now().Sub(started))
	return resp, err
}

// setBody gives the body its length and the means to start over on a connection that turned out to be
// closed; Kiota sets neither.
func setBody(req *http.Request, body []byte) {
	if len(body) == 0 {
		req.Body, req.GetBody, req.ContentLength = http.NoBody, nil, 0
		return
	}
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body = io.NopCloser(bytes.NewReader(body))
}

// buffer reads the whole body of an answer. Half a success is no answer, and neither is half a refusal whose
// code would tell what it means. Some statuses say enough, however much of the body arrived.
func (t *transport) buffer(resp *http.Response) (*http.Response, error) {
	body, err := t.memory.read(resp.Body)
	closeErr := resp.Body.Close()
	if err == nil {
		err = closeErr
	}
	if err != nil && (body == nil || !speaksForItself(resp.StatusCode)) {
		t.memory.free(len(body))
		return nil, fmt.Errorf("read the body of an answer with status %d: %w", resp.StatusCode, err)
	}
	resp.Body = &heldBody{Reader: bytes.NewReader(body), content: body, free: sync.OnceFunc(func() { t.memory.free(len(body)) })}
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	if resp.StatusCode == http.StatusUnauthorized {
		// Kept for claimsChallenge, hidden from Kiota, which would send the request again by itself and
		// fails hard on a challenge whose claims aren't quoted.
		resp.Header.Set(challengeHeader, resp.Header.Get("WWW-Authenticate"))
		resp.Header.Del("WWW-Authenticate")
	}
	return resp, nil
}

// speaksForItself tells the statuses that mean the same whatever the code in the body. (A code of a throttled
// request makes a difference to them, but none that does harm.)
func speaksForItself(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

func readAndClose(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	content, err := io.ReadAll(body)
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	return content, err
}

// newRequestID makes a version 4 UUID, the form Graph asks for in client-request-id.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
