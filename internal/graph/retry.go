// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

const (
	firstDelay = 500 * time.Millisecond
	// maxDelay bounds a wait of our own choosing; a Retry-After is honored whatever it says.
	maxDelay = 30 * time.Second
	// maxNonsense is how often something is asked for that comes as something else: a moment's confusion
	// passes, a login page in the way doesn't.
	maxNonsense = 4
)

// again decides whether a request may be sent again, and after what delay. Whatever was surely not
// worked on comes again; what may have been comes again only if doing it twice does no harm. Which
// answers leave a POST in doubt, and what to do then, is its caller's business.
func (t *transport) again(method string, attempt int, resp *http.Response, err error) (time.Duration, bool) {
	delay := backoff(attempt)
	if err != nil {
		var e *Error
		sent := !errors.As(err, &e) || e.Sent
		return delay, !isLasting(err) && (!sent || repeatable(method))
	}
	// A Retry-After of nothing, or a date that has passed by our clock, still is a reason to wait.
	if wait, ok := retryAfter(resp.Header, t.clock.Now()); ok {
		delay = max(delay, wait)
	}
	if throttled(resp) {
		t.gate.pause(delay)
		return 0, believed(method, resp) || repeatable(method) // the gate makes it wait
	}
	return delay, repeatable(method) && (transient(resp) || nonsense(method, resp))
}

// repeatable tells the methods that may be done twice: a second DELETE finds nothing to delete, and
// PATCH sets a status to the same value.
func repeatable(method string) bool { return method != http.MethodPost }

// throttled tells the answers that were given before any work (source: Graph's throttling guidance;
// the codes are inferred to be of that kind).
func throttled(resp *http.Response) bool {
	return resp.StatusCode == http.StatusTooManyRequests || errorcode.ClassOf(errorCode(resp)) == errorcode.Throttled
}

// believed reports whether an answer says what became of a request that makes or changes something. Of a refusal only Graph's own
// does, in its usual form: what something between here and there says of it, after the work may have been done, means nothing.
func believed(method string, resp *http.Response) bool {
	refusal := resp.StatusCode >= http.StatusBadRequest && resp.StatusCode < http.StatusInternalServerError
	return !refusal || method == http.MethodGet || errorCode(resp) != ""
}

// leavesDoubt reports whether an answer leaves open if a request that makes or changes something was worked on: whatever comes of
// the request's next attempt then says nothing of this one.
func leavesDoubt(method string, resp *http.Response) bool {
	switch {
	case method == http.MethodGet:
		return false
	case resp.StatusCode < http.StatusMultipleChoices:
		return nonsense(method, resp)
	case resp.StatusCode < http.StatusBadRequest:
		return true
	}
	return !believed(method, resp) || transient(resp) && !throttled(resp)
}

// transient tells the failures of the service that pass, and that may come after the work was done. Who
// may ask is looked at before any work, whatever the code.
func transient(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusRequestTimeout:
		return true
	case http.StatusUnauthorized, http.StatusForbidden:
		return false
	}
	return resp.StatusCode >= http.StatusInternalServerError || errorcode.ClassOf(errorCode(resp)) == errorcode.Transient
}

// nonsense tells a success that isn't what was asked for: a proxy's page, or an empty body where one is due.
func nonsense(method string, resp *http.Response) bool {
	if resp.StatusCode >= http.StatusBadRequest {
		return false
	}
	body := bytes.TrimSpace(peek(resp))
	return !json.Valid(body) && (method == http.MethodGet || len(body) > 0)
}

// codeForm is the form of Graph's codes, such as AADB2C90073 or TooManyRequests.
var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,99}$`)

// errorCode is the code in Graph's error body, or "" if the body is another one or its code has another form.
func errorCode(resp *http.Response) string {
	if resp.StatusCode < http.StatusBadRequest {
		return ""
	}
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(peek(resp), &body) != nil || !codeForm.MatchString(body.Error.Code) {
		return ""
	}
	return body.Error.Code
}

// peek returns the body of an answer that is in memory and leaves it to be read again.
func peek(resp *http.Response) []byte {
	held, ok := resp.Body.(*heldBody)
	if !ok {
		return nil // can't be: see buffer
	}
	return held.content
}

// retryAfter reads Retry-After in each of its forms: seconds, seconds with decimals (Graph's own, see
// its throttling page) and an HTTP date.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds < 0 || seconds > math.MaxInt32 {
			return 0, false
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := http.ParseTime(value)
	// What is further away than a Duration reaches would overflow in whoever adds to it.
	if err != nil || at.Sub(now) > math.MaxInt32*time.Second {
		return 0, false
	}
	return max(at.Sub(now), 0), true
}

// backoff doubles from firstDelay to maxDelay, each wait between half and all of its value.
func backoff(attempt int) time.Duration {
	delay := min(firstDelay<<min(attempt-1, 10), maxDelay)
	return delay/2 + rand.N(delay/2) //nolint:gosec // spreads load, guards nothing
}
