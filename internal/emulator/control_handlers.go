// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// faultRequest is a [Fault] in the control plane. Kind, if given, is one of
// the constructors, and the other members refine what it makes.
type faultRequest struct {
	Kind        string `json:"kind"`
	Op          Op     `json:"op"`
	KeySet      string `json:"keySet"`
	Skip        int    `json:"skip"`
	Times       int    `json:"times"`
	Commit      bool   `json:"commit"`
	Late        string `json:"late"`
	Cut         bool   `json:"cut"`
	Half        bool   `json:"half"`
	Stall       bool   `json:"stall"`
	Status      int    `json:"status"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	Body        string `json:"body"`
	ContentType string `json:"contentType"`
	RetryAfter  string `json:"retryAfter"`
	Challenge   string `json:"challenge"`
	Replay      bool   `json:"replay"`
	Lag         string `json:"lag"`

	Header map[string]string `json:"header"`
}

// faultOfKind makes the named fault; the name is that of its constructor.
func faultOfKind(kind string, op Op, retryAfter string) (Fault, bool) {
	switch kind {
	case "":
		return Fault{Op: op, RetryAfter: retryAfter}, true
	case "Throttled":
		return Throttled(op, retryAfter), true
	case "Unavailable":
		return Unavailable(op), true
	case "GatewayTimeout":
		return GatewayTimeout(op), true
	case "CutAfterCommit":
		return CutAfterCommit(op), true
	case "CutBeforeWork":
		return CutBeforeWork(op), true
	case "ServiceProblem":
		return ServiceProblem(op), true
	case "EmptyAnswer":
		return EmptyAnswer(op), true
	case "HalfAnswer":
		return HalfAnswer(op), true
	case "NoAnswer":
		return NoAnswer(op), true
	}
	return Fault{}, false
}

func (q faultRequest) fault() (Fault, error) {
	f, ok := faultOfKind(q.Kind, q.Op, q.RetryAfter)
	if q.Kind == "Refusal" {
		f, ok = Refusal(q.Op, q.Code), slices.Contains(Codes(), q.Code)
	}
	switch {
	case !ok:
		return f, controlRefuse(http.StatusBadRequest, "kind %q: no such fault", q.Kind)
	case !q.Op.known():
		return f, controlRefuse(http.StatusBadRequest, "op %q: no such operation", q.Op)
	case q.Status != 0 && (q.Status < 200 || q.Status > 599):
		return f, controlRefuse(http.StatusBadRequest, "status %d: must be between 200 and 599", q.Status)
	case q.Skip < 0:
		return f, controlRefuse(http.StatusBadRequest, "skip %d: must not be negative", q.Skip)
	}
	lag, err := readDuration("lag", q.Lag)
	if err != nil {
		return f, err
	}
	late, err := readDuration("late", q.Late)
	if err != nil {
		return f, err
	}
	f.KeySet, f.Skip, f.Times, f.Lag, f.Late = q.KeySet, q.Skip, q.Times, lag, late
	f.Commit, f.Cut, f.Half, f.Stall = f.Commit || q.Commit, f.Cut || q.Cut, f.Half || q.Half, f.Stall || q.Stall
	f.Status, f.Code, f.Message = cmp.Or(q.Status, f.Status), cmp.Or(q.Code, f.Code), cmp.Or(q.Message, f.Message)
	f.Body, f.ContentType, f.RetryAfter, f.Challenge = q.Body, q.ContentType, cmp.Or(q.RetryAfter, f.RetryAfter), q.Challenge
	f.Replay = f.Replay || q.Replay
	for name, value := range q.Header {
		if f.Header == nil {
			f.Header = http.Header{}
		}
		f.Header.Set(name, value)
	}
	if !f.replacesAnswer() && f.Lag == 0 {
		return f, controlRefuse(http.StatusBadRequest, "a fault needs one of kind, late, cut, half, stall, replay, status, body and lag")
	}
	return f, nil
}

func controlFault(r *http.Request, t *Tenant) (any, error) {
	var q faultRequest
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	f, err := q.fault()
	if err != nil {
		return nil, err
	}
	t.Inject(f)
	return nil, nil
}

func controlLag(r *http.Request, t *Tenant) (any, error) {
	var q struct {
		Lag string `json:"lag"`
	}
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	lag, err := readDuration("lag", q.Lag)
	if err != nil {
		return nil, err
	}
	t.SetLag(lag)
	return nil, nil
}

// controlTime puts the clock forward, for all tenants, and answers its time.
func controlTime(r *http.Request, t *Tenant) (any, error) {
	var q struct {
		Advance string `json:"advance"`
	}
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	d, err := readDuration("advance", q.Advance)
	if err != nil {
		return nil, err
	}
	t.server.Advance(d)
	return map[string]time.Time{"now": t.server.Now().UTC()}, nil
}

func controlRoles(r *http.Request, t *Tenant) (any, error) {
	var q struct {
		Roles []string `json:"roles"`
	}
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	t.SetRoles(q.Roles...)
	return nil, nil
}

// controlConnections refuses connections, or closes those that idle.
func controlConnections(r *http.Request, t *Tenant) (any, error) {
	var q struct {
		Refuse    int  `json:"refuse"`
		CloseIdle bool `json:"closeIdle"`
	}
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	t.server.RefuseConnections(q.Refuse)
	if q.CloseIdle {
		t.server.CloseIdle()
	}
	return nil, nil
}

func controlAddKeySet(r *http.Request, t *Tenant) (any, error) {
	var q struct {
		ID string `json:"id"`
	}
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	if !namePattern.MatchString(prefixed(q.ID)) {
		return nil, controlRefuse(http.StatusBadRequest, "id %q: not a name of a key set", q.ID)
	}
	t.AddKeySet(q.ID)
	return nil, nil
}

func controlAddKey(r *http.Request, t *Tenant) (any, error) {
	var q struct {
		KeySet string `json:"keySet"`
		KeySpec
	}
	if err := readControl(r, &q); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", useSig, useEnc}, q.Use) || !slices.Contains([]string{"", ktyRSA, ktyOct}, q.Kty) {
		return nil, controlRefuse(http.StatusBadRequest, "use must be sig or enc, kty must be RSA or oct")
	}
	if q.Certificate != nil && q.Kty == ktyOct {
		return nil, controlRefuse(http.StatusBadRequest, "the key of a certificate has kty RSA")
	}
	kid := t.AddKey(q.KeySet, q.KeySpec)
	if kid == "" {
		return nil, controlRefuse(http.StatusNotFound, "no key set %q", q.KeySet)
	}
	return map[string]string{"kid": kid}, nil
}
