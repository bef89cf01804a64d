// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccGeneratedKey_LostAnswer goes through every way in which the one POST can end, as a user sees
// it: what is said, what is in state, what is on the server, and that the next plan is empty unless the
// apply failed.
func TestAccGeneratedKey_LostAnswer(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	const found, twice, failed = "Key found after a lost answer", "Key may have been made twice", "Unable to generate key"
	for name, row := range map[string]struct {
		faults  []emulator.Fault
		posts   int
		keys    int
		warning string
		fails   bool
		texts   []string
	}{
		"clear":           {posts: 1, keys: 1},
		"not sent":        {faults: []emulator.Fault{emulator.Throttled(op, "2.128")}, posts: 2, keys: 1},
		"found after 504": {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(30 * time.Second)}, posts: 1, keys: 1, warning: found},
		"found after cut": {faults: []emulator.Fault{emulator.CutAfterCommit(op)}, posts: 1, keys: 1, warning: found},
		"sent again":      {faults: []emulator.Fault{emulator.Unavailable(op)}, posts: 2, keys: 1},
		"unknown": {
			faults: []emulator.Fault{emulator.Unavailable(op).Repeat(-1)},
			posts:  4, fails: true, texts: []string{"The answer to the request was lost", "further requests", "even more than once", "Before you apply again", "terraform import trustframework_generated_key.NAME B2C_1A_Signing", "Status: 503", "Request ID: "},
		},
		"unknown, the second refused": {
			faults: []emulator.Fault{emulator.Unavailable(op), {Op: op, Status: 403, Code: "AADB2C", Message: "not any more"}},
			posts:  2, fails: true, texts: []string{"has not shown up", "a second request was not accepted", "not any more", "Status: 503"},
		},
		"several": {
			faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(70 * time.Second), emulator.GatewayTimeout(op).WithLag(9 * time.Second)},
			posts:  2, keys: 2, fails: true, texts: []string{"several keys", "was sent more than once", "terraform import trustframework_generated_key.NAME B2C_1A_Signing/", "Status: 504"},
		},
		"late twin": {
			faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(65 * time.Second), emulator.Throttled(op, "10")},
			posts:  3, keys: 2, warning: twice, texts: []string{"terraform import trustframework_generated_key.NAME B2C_1A_Signing/"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			for _, f := range row.faults {
				w.Inject(f)
			}
			tf := w.inProcess(t, w.Provider()+keyConfig(fmt.Sprintf("nbf = %d", in(0)), fmt.Sprintf("exp = %d", in(time.Hour))))
			o := tf.apply(!row.fails)
			if got := len(w.Requests(op)); got != row.posts {
				t.Errorf("%d POSTs, want %d", got, row.posts)
			}
			if got := len(w.keys("B2C_1A_Signing")); got != row.keys {
				t.Errorf("%d keys, want %d", got, row.keys)
			}
			switch {
			case row.fails:
				if !o.has("error", failed, row.texts...) {
					t.Errorf("got %v", o.diagnostics)
				}
				if tf.state(keyAddress) != nil {
					t.Error("the key is in state")
				}
				return
			case row.warning != "":
				if !o.has("warning", row.warning, row.texts...) {
					t.Errorf("got %v", o.diagnostics)
				}
			case len(o.diagnostics) > 0:
				t.Errorf("got %v", o.diagnostics)
			}
			if o, changes := tf.plan(); changes {
				t.Errorf("the next plan has changes: %s", o.stdout)
			}
		})
	}
}

// TestAccGeneratedKey_LateTwin_IsReportedWheneverItShows: a commit that shows long after it was given
// up for lost is named by the first refresh that sees it, and not again once that is recorded.
func TestAccGeneratedKey_LateTwin_IsReportedWheneverItShows(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{"plain": {}, "nbf is filled in": {FillNbf: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, switches)
			w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey).WithLag(time.Hour))
			tf := w.inProcess(t, w.Provider()+keyConfig())
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("before it shows: %v", o.diagnostics)
			}
			w.clock.Advance(time.Hour)
			const summary = "Key may have been made twice"
			if o := tf.apply(true, "-refresh-only"); !o.has("warning", summary, "B2C_1A_Signing/", "at 2030-01-01T12:0") {
				t.Errorf("when it shows: %v", o.diagnostics)
			}
			if o, changes := tf.plan(); changes || o.has("warning", summary) {
				t.Errorf("after it was reported: %v", o.diagnostics)
			}
			if n := len(w.Requests(emulator.OpGenerateKey)); n != 2 {
				t.Errorf("%d POSTs", n)
			}
		})
	}
}

// TestAccGeneratedKey_LostAnswer_AmongSiblingsThatAreAlike: a refresh that comes to the key before its siblings
// doesn't take them for what the lost request may have made.
func TestAccGeneratedKey_LostAnswer_AmongSiblingsThatAreAlike(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
	tf := ownProcess(t, `
resource "trustframework_key_set" "test" {
  name = "Signing"
}

resource "trustframework_generated_key" "test" {
  count      = 12
  key_set_id = trustframework_key_set.test.id
  use        = "sig"
  kty        = "oct"
}
`, w.Variables())
	if o := tf.apply(true); len(o.diagnostics) != 1 || !o.has("warning", "Key found after a lost answer") {
		t.Errorf("%v", o.diagnostics)
	}
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
}

// TestAccGeneratedKey_LostAnswer_ThenNoToken: a sign-in that fails after a lost answer is only a part of
// what happened.
func TestAccGeneratedKey_LostAnswer_ThenNoToken(t *testing.T) {
	t.Parallel()
	const op = emulator.OpGenerateKey
	w := newWorld(t, emulator.Switches{})
	w.Inject(emulator.GatewayTimeout(op).WithLag(time.Hour))
	challenged := false
	tf := w.inProcess(t, w.Provider()+keyConfig(), func(next http.RoundTripper) http.RoundTripper {
		posts := 0
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil || !strings.HasSuffix(req.URL.Path, "/generateKey") {
				return resp, err
			}
			if posts++; posts == 1 {
				// From now on Entra refuses, and Graph wants a new token.
				w.Inject(emulator.Fault{Op: emulator.OpToken, Status: 400, Times: -1, ContentType: "application/json",
					Body: `{"error":"interaction_required","error_description":"AADSTS53003: Access has been blocked.\\r\\nTrace ID: x","error_codes":[53003]}`})
				w.Inject(emulator.Fault{Op: op, Status: 401, Code: "InvalidAuthenticationToken", Message: "no", Times: -1})
			}
			if resp.StatusCode == http.StatusUnauthorized {
				challenged = true
				resp.Header.Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="e30="`)
			}
			return resp, err
		})
	})
	o := tf.apply(false)
	if !o.has("error", "Unable to generate key", "The answer to the request was lost", "Before you apply again", "AADSTS53003", "Status: 504") || !challenged {
		t.Errorf("challenged: %t, %v", challenged, o.diagnostics)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestAccGeneratedKey_FailedReadBack_ReplacesNothing: after the kid is known nothing can fail, and
// what the next refresh can't read stays as it is.
func TestAccGeneratedKey_FailedReadBack_ReplacesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.Inject(emulator.Unavailable(emulator.OpGenerateKey))
	// The read that looks for a twin after the second POST fails; those that looked for the first didn't.
	refused := emulator.Fault{Op: emulator.OpGet, Status: 403, Code: "AADB2C", Message: "no", Times: -1}
	tf := w.inProcess(t, w.Provider()+keyConfig())
	w.onAnswer(emulator.OpGenerateKey, 2, func() { w.Inject(refused) })
	tf.apply(true)
	kid := tf.state(keyAddress)["kid"]
	w.ClearFaults()
	if _, changes := tf.plan(); changes {
		t.Error("the next plan has changes")
	}
	if got := w.keys("B2C_1A_Signing"); len(got) != 1 || got[0].Kid != kid {
		t.Errorf("%d keys on the server, kid %v in state", len(got), kid)
	}
}

func TestAccKeySet_LostAnswer(t *testing.T) {
	t.Parallel()
	const op = emulator.OpCreate
	for name, row := range map[string]struct {
		faults  []emulator.Fault
		posts   int
		warning string
		failure []string
	}{
		"clear":           {posts: 1},
		"not sent":        {faults: []emulator.Fault{emulator.Throttled(op, "1.5")}, posts: 2},
		"found after 504": {faults: []emulator.Fault{emulator.GatewayTimeout(op)}, posts: 1, warning: "Key set found after a lost answer"},
		"sent again":      {faults: []emulator.Fault{emulator.Unavailable(op)}, posts: 2},
		"unknown":         {faults: []emulator.Fault{emulator.Unavailable(op).Repeat(-1)}, posts: 4, failure: []string{"may still appear", "terraform import trustframework_key_set.NAME B2C_1A_Test", "Status: 503"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			for _, f := range row.faults {
				w.Inject(f)
			}
			tf := w.inProcess(t, w.Provider()+`resource "trustframework_key_set" "test" { name = "Test" }`)
			o := tf.apply(row.failure == nil)
			if got := len(w.Requests(op)); got != row.posts {
				t.Errorf("%d POSTs, want %d", got, row.posts)
			}
			if row.failure != nil {
				if !o.has("error", "Unable to create key set", row.failure...) {
					t.Errorf("got %v", o.diagnostics)
				}
				return
			}
			if (row.warning == "") != (len(o.diagnostics) == 0) || row.warning != "" && !o.has("warning", row.warning, "B2C_1A_Test") {
				t.Errorf("got %v", o.diagnostics)
			}
			if _, changes := tf.plan(); changes {
				t.Error("the next plan has changes")
			}
		})
	}
}
