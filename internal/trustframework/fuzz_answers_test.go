// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/graph"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// errBroken is the network's.
var errBroken = errors.New("the connection broke")

// reply is what comes back for a request.
type reply struct {
	// status is the HTTP status; 0 is a connection that breaks once the request was written, and less one that
	// breaks before.
	status     int
	retryAfter string
	challenge  string
	body       []byte
	// half breaks the connection behind the body.
	half bool
}

func (r reply) answer(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); r.status >= 0 && trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if r.status <= 0 {
		return nil, errBroken
	}
	header := http.Header{"Content-Type": {"application/json"}, "Retry-After": {r.retryAfter}, "Www-Authenticate": {r.challenge}}
	var body io.Reader = bytes.NewReader(r.body)
	if r.half {
		body = io.MultiReader(body, iotest.ErrReader(errBroken))
	}
	return &http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: req,
	}, nil
}

// code is the error code in an answer, or "". The service's members are read as the client's are: without case.
func (r reply) code() string {
	var body struct {
		Error struct{ Code, Message string }
	}
	if r.status < http.StatusBadRequest {
		return ""
	}
	_ = json.Unmarshal(r.body, &body) // what can be read of it counts
	return body.Error.Code
}

// gone tells whether an answer is the service's word for a missing key set: AADB2C90073, or a 404 of Graph's
// with another code than that of an address that doesn't exist.
func (r reply) gone() bool {
	return r.status == http.StatusBadRequest && r.code() == "AADB2C90073" ||
		r.status == http.StatusNotFound && r.code() != "" && r.code() != "UnknownError"
}

// untouched tells whether a request was surely not worked on: sending it again can't do anything twice.
func (r reply) untouched() bool {
	return r.status < 0 || r.code() != "" && (r.status == http.StatusUnauthorized || r.status == http.StatusTooManyRequests) ||
		slices.Contains([]string{"AADB2C95043", "AADB2C90229", "AADB2C90244"}, r.code())
}

// kid is that of the key in an answer, or "".
func (r reply) kid() string {
	var body struct{ Kid string }
	if r.status < 200 || r.status > 299 || r.half || json.Unmarshal(r.body, &body) != nil {
		return ""
	}
	return body.Kid
}

// service answers requests by itself, without a connection.
type service func(req *http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (s service) RoundTrip(req *http.Request) (*http.Response, error) { return s(req) }

// GetToken implements azcore.TokenCredential.
func (service) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token"}, nil
}

func (s service) client(t *testing.T) *trustframework.Client {
	t.Helper()
	clock := clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	adapter, err := graph.NewAdapter(graph.Config{Endpoint: "https://graph.test", Credential: s, Transport: s, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return trustframework.New(trustframework.Config{Adapter: adapter, Clock: clock, SettleTime: settleTime})
}

// answers are seeds: status, Retry-After, challenge, body.
func answers() []reply {
	const key = `{"kid":"new","use":"sig","kty":"oct"}`
	return []reply{
		{status: 200, body: []byte(key)},
		{status: 200, body: []byte(`{"id":"B2C_1A_A","keys":[{"kid":"old","use":"sig","kty":"oct"}]}`)},
		{status: 200, body: []byte(`{"id":"B2C_1A_A","keys":[]}`)},
		{status: 200, body: []byte(`{"id":"B2C_1A_A.bak","keys":[]}`)},
		{status: 200, body: []byte(`{"id":"B2C_1A_A"}`)},
		{status: 200},
		{status: 200, body: []byte("<html>sign in</html>")},
		{status: 200, body: []byte(key[:12])},
		{status: 200, body: []byte(key), half: true},
		{status: 204},
		{status: 302, body: []byte(key)},
		{status: 400, body: []byte(`{"error":{"code":"AADB2C90073","message":"gone"}}`)},
		{status: 400, body: []byte(`{"error":{"code":"AADB2C90130","message":"no"}}`)},
		{status: 400, body: []byte(`{"error":{"code":"AADB2C95043","message":"slow"}}`), retryAfter: "2.5"},
		{status: 400, body: []byte(`{"error":{"code":"AADB2C95053","message":"busy"}}`)},
		{status: 401, challenge: `Bearer error="insufficient_claims", claims="e30="`},
		{status: 403, body: []byte(`{"error":{"code":"AADB2C","message":"no"}}`)},
		{status: 404, body: []byte(`{"error":{"code":"ResourceNotFound"}}`)},
		{status: 404, body: []byte(`{"error":{"code":"UnknownError"}}`)},
		{status: 404, body: []byte("<html>Not Found</html>")},
		{status: 429, retryAfter: "2.128"},
		{status: 429, retryAfter: "Fri, 31 Dec 9999 23:59:59 GMT"},
		{status: 500, body: []byte(`{"error":{"code":"AADB2C90063"}}`)},
		{status: 502, body: []byte("<html>Bad Gateway</html>")},
		{status: 504, retryAfter: "Tue, 01 Jan 2030 12:00:30 GMT"},
		{status: 999},
		{},
		{status: -1},
	}
}

// FuzzClient_Key_AnyAnswers: whatever the listing and the set itself are answered with, a key is gone only if the
// service says so of its set, or shows the set without it.
func FuzzClient_Key_AnyAnswers(f *testing.F) {
	for _, direct := range answers() {
		f.Add(200, []byte(`{"value":[]}`), direct.status, direct.retryAfter, direct.challenge, direct.body, direct.half)
	}
	for _, list := range answers() {
		f.Add(list.status, list.body, 400, "", "", []byte(`{"error":{"code":"AADB2C90073","message":"gone"}}`), false)
	}
	f.Fuzz(func(t *testing.T, listStatus int, list []byte, status int, retryAfter, challenge string, body []byte, half bool) {
		listing := reply{status: listStatus, body: list}
		direct := reply{status: status, retryAfter: retryAfter, challenge: challenge, body: body, half: half}
		asked := false
		client := service(func(req *http.Request) (*http.Response, error) {
			switch req.URL.EscapedPath() {
			case "/beta/trustFramework/keySets":
				return listing.answer(req)
			case "/beta/trustFramework/keySets/B2C_1A_A":
				asked = true
				return direct.answer(req)
			}
			t.Errorf("asked for %s", req.URL)
			return nil, errBroken
		}).client(t)
		key, set, err := client.Key(t.Context(), "A", "old", false)
		var shown struct {
			ID   string
			Keys *[]struct{ Kid string }
		}
		shows := direct.status/100 == 2 && !direct.half && json.Unmarshal(direct.body, &shown) == nil && trustframework.SameID(shown.ID, "A")
		kind := trustframework.KindOf(err)
		switch {
		case err == nil && (key.Kid != "old" || !trustframework.SameID(set.ID, "A")):
			t.Fatalf("%q of %q", key.Kid, set.ID)
		case kind == trustframework.KindKeySetGone && (!asked || !direct.gone()):
			t.Fatalf("gone by %d %q", direct.status, direct.body)
		case kind == trustframework.KindKeyGone && (!asked || !shows || shown.Keys == nil):
			t.Fatalf("the key is gone by %d %q", direct.status, direct.body)
		case err != nil && kind == "":
			t.Fatalf("an error without a kind: %v", err)
		case kind == trustframework.KindUnknownOutcome || kind == trustframework.KindSeveral:
			t.Fatalf("a read whose outcome is in doubt: %v", err)
		}
	})
}

// FuzzClient_GenerateKey_AnyAnswers: whatever the first POST and those after it are answered with, and whether or not
// a key was made behind a lost answer, at most four POSTs go out that may have been worked on, one if the key shows,
// and a success has the kid of a key that was made.
func FuzzClient_GenerateKey_AnyAnswers(f *testing.F) {
	for i, first := range answers() {
		for _, then := range []reply{answers()[0], {status: 500}, {status: 403}, {status: 429}} {
			f.Add(first.status, first.retryAfter, first.challenge, first.body, first.half, then.status, then.body, i%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter, challenge string, body []byte, half bool, nextStatus int, nextBody []byte, commits bool) {
		replies := []reply{{status, retryAfter, challenge, body, half}, {status: nextStatus, body: nextBody}}
		var made, told []string
		gone, worked := false, 0
		client := service(func(req *http.Request) (*http.Response, error) {
			keys := []string{`{"kid":"old","use":"sig","kty":"oct"}`}
			for _, kid := range made {
				keys = append(keys, fmt.Sprintf(`{"kid":%q,"use":"sig","kty":"oct"}`, kid))
			}
			set := `{"id":"B2C_1A_A","keys":[` + strings.Join(keys, ",") + `]}`
			switch req.Method + " " + req.URL.EscapedPath() {
			case "GET /beta/trustFramework/keySets":
				return reply{status: 200, body: []byte(`{"value":[` + set + `]}`)}.answer(req)
			case "GET /beta/trustFramework/keySets/B2C_1A_A":
				return reply{status: 200, body: []byte(set)}.answer(req)
			case "POST /beta/trustFramework/keySets/B2C_1A_A/generateKey":
				next := replies[0]
				replies = replies[len(replies)-1:]
				gone = gone || next.gone()
				if kid := next.kid(); kid != "" {
					told = append(told, kid)
				}
				if !next.untouched() {
					worked++
					// What is refused isn't made, however much of the refusal arrives.
					if lost := next.status >= 500 || next.status < 400 && next.kid() == ""; commits && lost {
						made = append(made, fmt.Sprintf("made-%d", worked))
					}
				}
				return next.answer(req)
			}
			t.Errorf("asked for %s %s", req.Method, req.URL)
			return nil, errBroken
		}).client(t)
		key, err := client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "A", Use: "sig", Kty: "oct"})
		kind := trustframework.KindOf(err)
		switch {
		case worked > 4:
			t.Fatalf("%d POSTs may have been worked on", worked)
		case len(made) > 1:
			t.Fatalf("made %q, though the first of them shows at once", made)
		case err == nil && (key.Kid == "" || !slices.Contains(slices.Concat(made, told), key.Kid)):
			t.Fatalf("the key %q, though %q were made and %q told", key.Kid, made, told)
		case err != nil && len(made) > 0:
			t.Fatalf("%q was made and shows, but: %v", made, err)
		case kind == trustframework.KindKeySetGone && !gone:
			t.Fatalf("gone without the service's word: %v", err)
		case err != nil && kind == "":
			t.Fatalf("an error without a kind: %v", err)
		case worked >= 2 && err != nil && kind != trustframework.KindUnknownOutcome && kind != trustframework.KindSeveral && !errors.Is(err, errBroken):
			t.Fatalf("several POSTs in doubt, and the error is %v", err)
		}
	})
}
