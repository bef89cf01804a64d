// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
)

// FuzzRetryAfter_AnyHeader: a wait that is taken over is one that a clock can wait for, and who waits for it either
// goes on behind it or leaves at once.
func FuzzRetryAfter_AnyHeader(f *testing.F) {
	for _, value := range []string{
		"", "0", "-0", "-1", "2.128", "120", "2147483647", "2147483648", "1e308", "Inf", "NaN", "0x1p4", "1_0", " 3 ",
		"Tue, 01 Jan 2030 12:00:30 GMT", "Tue, 01 Jan 2030 11:59:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Tuesday, 01-Jan-30 12:00:30 GMT",
		"Tue Jan  1 12:00:30 2030", "soon",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		clock := clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
		begun := clock.Now()
		wait, ok := retryAfter(http.Header{"Retry-After": {value}}, begun)
		if wait < 0 || wait > math.MaxInt32*time.Second || !ok && wait != 0 {
			t.Fatalf("%q: wait %s, %t", value, wait, ok)
		}
		const patience = time.Hour
		ctx, cancel := clock.WithTimeout(t.Context(), patience)
		defer cancel()
		g := &gate{clock: clock}
		g.pause(wait)
		err := g.wait(ctx)
		switch waited := clock.Now().Sub(begun); {
		case err == nil && waited < wait:
			t.Fatalf("%q: waited %s of %s", value, waited, wait)
		case err != nil && (!errors.Is(err, context.DeadlineExceeded) || waited > patience || wait+jitter < patience):
			t.Fatalf("%q: %v after %s of %s", value, err, waited, wait)
		}
	})
}

// FuzzClaimsChallenge_AnyHeader: what is asked of Entra ID in a challenge's name is the JSON object that it takes.
func FuzzClaimsChallenge_AnyHeader(f *testing.F) {
	encoded := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"1"}}}`))
	for _, challenge := range []string{
		"", "Bearer", `Bearer realm="", error="insufficient_claims", claims="` + encoded + `"`, "Bearer claims=" + encoded, `claims="e30"`,
		`claims="bm90IEpTT04="`, `claims="W10="`, `claims="bnVsbA=="`, `claims="===="`, `Claims = "e30=", claims="e30="`,
	} {
		f.Add(challenge)
	}
	f.Fuzz(func(t *testing.T, challenge string) {
		claims := claimsChallenge(http.Header{http.CanonicalHeaderKey(challengeHeader): {challenge}})
		if claims == "" {
			return
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(claims), &object); err != nil || object == nil {
			t.Fatalf("%q asks for %q (%v)", challenge, claims, err)
		}
	})
}

// FuzzAnswer_AnyBody: whatever an answer holds, a POST comes again only if it was refused before any work, and its
// body is left for the next reader.
func FuzzAnswer_AnyBody(f *testing.F) {
	for _, body := range []string{
		"", "{}", "null", "[]", "<html>", `{"error":{"code":"AADB2C95043"}}`, `{"error":{"code":"AADB2C95053"}}`, `{"error":{"code":429}}`,
		`{"error":null}`, `{"error":{"code":"AADB2C90229","message":5}}`, `{"ERROR":{"Code":"AADB2C90244"}}`, "{\"error\":{\"code\":\"\xff\"}}",
	} {
		for _, status := range []int{200, 204, 302, 400, 408, 429, 500} {
			f.Add(status, body)
		}
	}
	clock := clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	f.Fuzz(func(t *testing.T, status int, body string) {
		tr := &transport{clock: clock, gate: &gate{clock: clock}}
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: &heldBody{Reader: strings.NewReader(body), content: []byte(body)}}
		code := errorCode(resp)
		if code != "" && (status < 400 || !json.Valid([]byte(body))) {
			t.Fatalf("%d %q has the code %q", status, body, code)
		}
		refused := status == http.StatusTooManyRequests && code != "" || code == "AADB2C95043" || code == "AADB2C90229" || code == "AADB2C90244"
		if _, again := tr.again(http.MethodPost, 1, resp, nil); again != refused {
			t.Fatalf("%d %q: a POST comes again: %t", status, body, again)
		}
		if delay, again := tr.again(http.MethodGet, 1, resp, nil); delay < 0 || delay > maxDelay || !again && status >= 500 {
			t.Fatalf("%d %q: a GET comes again: %t, after %s", status, body, again, delay)
		}
		if nonsense(http.MethodGet, resp) && (status >= 400 || json.Valid([]byte(body))) {
			t.Fatalf("%d %q is taken for a page", status, body)
		}
		if left, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(left, []byte(body)) {
			t.Fatalf("left %q of %q (%v)", left, body, err)
		}
	})
}
