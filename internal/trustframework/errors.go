// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

// Kind says what an error means for the caller.
type Kind string

// The kinds of errors.
const (
	// KindKeySetGone: the key set doesn't exist. No other kind means that.
	KindKeySetGone Kind = "key set gone"
	// KindKeyGone: the key set exists, the key doesn't.
	KindKeyGone Kind = "key gone"
	// KindKeysHidden: the key set exists, but the service's answer doesn't show what keys it has.
	KindKeysHidden Kind = "keys hidden"
	// KindLastUsable: the key is the only one of its set that can be used; nothing was done.
	KindLastUsable Kind = "last usable key"
	// KindNoActiveKey: the key set exists, but the service names no key of it as the one in use.
	KindNoActiveKey Kind = "no active key"
	// KindNoneUsable: a key was disabled at the same moment as all others of its set, and couldn't be enabled
	// again.
	KindNoneUsable Kind = "no usable key left"
	// KindExists: a key set of that name exists, or the key set has such a key.
	KindExists Kind = "exists"
	// KindRefused: the service refused the request; nothing was done.
	KindRefused Kind = "refused"
	// KindDenied: not signed in, or without the permission; nothing was done.
	KindDenied Kind = "denied"
	// KindThrottled: too many requests for as long as the caller could wait; nothing was done.
	KindThrottled Kind = "throttled"
	// KindNotSent: the request didn't reach the service; nothing was done.
	KindNotSent Kind = "not sent"
	// KindUnavailable: the service failed or answered something unreadable.
	KindUnavailable Kind = "unavailable"
	// KindUnknownOutcome: nobody knows whether the object was made.
	KindUnknownOutcome Kind = "unknown outcome"
	// KindSeveral: more than one object may be the one that was made.
	KindSeveral Kind = "several"
)

// Error is the one error of this package.
type Error struct {
	// Op is what was tried, such as "generate key".
	Op string
	// KeySetID is the key set it was tried on; "" for the whole tenant.
	KeySetID string
	// Kind says what it means.
	Kind Kind
	// Status is the HTTP status; 0 if there was no answer.
	Status int
	// Code is the service's error code, such as "AADB2C95028"; "" if it gave none.
	Code string
	// Message holds the service's own words; "" if it had none.
	Message string
	// RequestID and ClientRequestID are what Microsoft's support asks for; "" if there was no answer.
	RequestID, ClientRequestID string
	// Candidates are, for KindSeveral, the kids that may be the key that was made, and for KindExists those of the keys
	// that are in the set already.
	Candidates []string
	// Resent is true if the answers to further requests, sent after the first answer was lost, were lost too.
	Resent bool
	// Worked is true if an earlier attempt of the same request may have been worked on, whatever the last
	// one's refusal says.
	Worked bool
	// Needs is, for KindDenied, the least permission that the operation needs.
	Needs string
	// Caller is who a request with status 403 came from; nil if nobody knows.
	Caller *Caller
	// NotGraphs is true if the answer isn't Microsoft Graph's own, so that nobody can tell what became of the request.
	NotGraphs bool
	// Unseen is why nobody could look for what was made; nil if somebody could.
	Unseen error
	// Err is the cause, if it is another error.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.KeySetID != "" {
		fmt.Fprintf(&b, " %q", e.KeySetID)
	}
	fmt.Fprintf(&b, ": %s", e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " %s", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Unseen != nil {
		fmt.Fprintf(&b, ": unable to look: %v", e.Unseen)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err, or "" if err isn't an *Error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// graphError is the body of Microsoft Graph's own refusals. A message that is no text takes nothing from the code.
type graphError struct {
	Error struct {
		Code    string          `json:"code"`
		Message json.RawMessage `json:"message"`
	} `json:"error"`
}

// message returns the service's words, or "".
func (e graphError) message() string {
	var text string
	if json.Unmarshal(e.Error.Message, &text) != nil {
		return ""
	}
	return text
}

// codeForm is the form of Graph's codes, such as AADB2C90073 or UnknownError.
var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,99}$`)

// graphs returns the body of an answer that is Microsoft Graph's own refusal: JSON with a code in its usual place. Anything
// else may come from somebody between here and there, who knows nothing of what became of the request.
func (a answer) graphs() (graphError, bool) {
	var body graphError
	if a.ok() || json.Unmarshal(a.body, &body) != nil || !codeForm.MatchString(body.Error.Code) {
		return graphError{}, false
	}
	return body, true
}

// newError makes the error for an answer that isn't a success. All that it shows of the answer is what may be shown.
func newError(op, keySetID string, a answer) *Error {
	e := &Error{
		Op:              op,
		KeySetID:        keySetID,
		Status:          a.status,
		RequestID:       a.secrets.ID(a.header.Get("request-id")),
		ClientRequestID: a.secrets.ID(a.header.Get("client-request-id")),
		Worked:          a.worked(),
	}
	var body graphError
	// A body that isn't Graph's is some proxy's page: its first words are all there is to show.
	if err := json.Unmarshal(a.body, &body); err != nil {
		e.Message = excerpt(a.secrets.Text(string(a.body)))
	}
	if text := body.message(); text != "" {
		e.Message = a.secrets.Text(text)
	}
	own, _ := a.graphs()
	e.Code = a.secrets.ID(own.Error.Code)
	if e.Kind = classify(a.status, own.Error.Code); e.Kind == KindDenied {
		e.Needs, e.Caller = permissionFor(op), a.caller()
	}
	return e
}

// refusalOf is newError for a request that makes or changes something. Only Graph's own word says that nothing was done: of
// any other answer nobody knows what became of the request.
func refusalOf(op, keySetID string, a answer) *Error {
	e := newError(op, keySetID, a)
	own, isOwn := a.graphs()
	switch {
	case a.status >= http.StatusInternalServerError:
	case !isOwn:
		e.Kind, e.NotGraphs, e.Needs, e.Caller = KindUnavailable, true, "", nil
	// UnknownError is said of anything that goes wrong (observed), and 499 of a caller that has left.
	case own.Error.Code == "UnknownError", a.status == statusClientClosed:
		e.Kind = KindUnavailable
	}
	return e
}

// statusClientClosed is what some gateways answer when they take the caller to have left.
const statusClientClosed = 499

// unclear makes the error for a success that isn't the one of the operation: nobody knows whether the work was done.
func unclear(op, keySetID string, a answer, cause error) *Error {
	e := newError(op, keySetID, a)
	var body graphError
	if json.Unmarshal(a.body, &body) == nil && codeForm.MatchString(body.Error.Code) {
		e.Code = a.secrets.ID(body.Error.Code) // an error in a success
	}
	e.Kind, e.Err = KindUnavailable, a.secrets.Error(cause)
	return e
}

// isPage reports whether a body is no JSON at all, rather than some that was cut: a page of somebody else's.
func (a answer) isPage() bool {
	text := bytes.TrimSpace(a.body)
	return len(text) > 0 && text[0] != '{' && text[0] != '[' && !json.Valid(text)
}

// classify says what an answer that isn't a success means. The status comes first: whatever the code, a
// failure of the service leaves open whether the request was worked on.
func classify(status int, code string) Kind {
	class := errorcode.ClassOf(code)
	switch {
	case status < http.StatusBadRequest:
		return KindUnavailable
	case status == http.StatusTooManyRequests, class == errorcode.Throttled:
		return KindThrottled
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		return KindUnavailable
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return KindDenied
	case class == errorcode.Transient:
		return KindUnavailable
	case class == errorcode.Exists:
		return KindExists
	case class == errorcode.Gone && (status == http.StatusBadRequest || status == http.StatusNotFound):
		return KindKeySetGone
	// A 404 without Graph's error body comes from something between here and Graph, UnknownError means an
	// address that doesn't exist, and a code that is known to mean something else means that.
	case status == http.StatusNotFound && code != "" && code != "UnknownError" && class == "":
		return KindKeySetGone
	default:
		return KindRefused
	}
}

// mostExcerpt is how long an excerpt is at most, in bytes.
const mostExcerpt = 200

// excerpt is the beginning of a text, cut between characters.
func excerpt(text string) string {
	if len(text) <= mostExcerpt {
		return text
	}
	end := mostExcerpt
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
