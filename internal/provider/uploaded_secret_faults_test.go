// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_UploadedSecret_LostAnswer goes through the ways in which the one POST can end: what is said, what is in
// state, what is on the server, and what the next plan does.
func TestProtocol_UploadedSecret_LostAnswer(t *testing.T) {
	t.Parallel()
	const op = emulator.OpUploadSecret
	const found, twice = "warning: Key found after a lost answer", "warning: Key may have been made twice"
	const failed = "error: Unable to upload secret"
	const command = "terraform import trustframework_uploaded_secret.NAME B2C_1A_Secrets"
	for name, row := range map[string]struct {
		faults      []emulator.Fault
		posts, keys int
		says        []string // nothing, if there is none
	}{
		"clear":           {nil, 1, 1, nil},
		"throttled":       {[]emulator.Fault{emulator.Throttled(op, "2.128")}, 2, 1, nil},
		"colliding":       {[]emulator.Fault{emulator.Refusal(op, "AADB2C95053")}, 2, 1, nil},
		"found after 504": {[]emulator.Fault{emulator.GatewayTimeout(op).WithLag(30 * time.Second)}, 1, 1, []string{found}},
		"found after cut": {[]emulator.Fault{emulator.CutAfterCommit(op)}, 1, 1, []string{found}},
		"found, it's late": {
			[]emulator.Fault{emulator.CommitsLate(op, 30*time.Second)}, 1, 1, []string{found},
		},
		"an empty answer":     {[]emulator.Fault{emulator.EmptyAnswer(op)}, 1, 1, []string{found}},
		"half an answer":      {[]emulator.Fault{emulator.HalfAnswer(op)}, 1, 1, []string{found}},
		"cut before the work": {[]emulator.Fault{emulator.CutBeforeWork(op)}, 2, 1, nil},
		"sent again":          {[]emulator.Fault{emulator.Unavailable(op)}, 2, 1, nil},
		"90063, not done":     {[]emulator.Fault{emulator.ServiceProblem(op)}, 2, 1, nil},
		"unknown": {
			[]emulator.Fault{emulator.Unavailable(op).Repeat(-1)}, 4, 0,
			[]string{failed, "The answer to the request was lost", "even more than once", "Before you apply again", command, "Status: 503", "Request ID: "},
		},
		"unknown, the second refused": {
			[]emulator.Fault{emulator.Unavailable(op), {Op: op, Status: 403, Code: "AADB2C", Message: "not any more"}}, 2, 0,
			[]string{failed, "a second request was not accepted", "not any more", command},
		},
		"several": {
			[]emulator.Fault{emulator.GatewayTimeout(op).WithLag(70 * time.Second), emulator.GatewayTimeout(op).WithLag(9 * time.Second)}, 2, 2,
			[]string{failed, "several keys", "was sent more than once", command + "/"},
		},
		"late twin": {
			[]emulator.Fault{emulator.GatewayTimeout(op).WithLag(65 * time.Second), emulator.Throttled(op, "10")}, 3, 2, []string{twice, command + "/"},
		},
		"refused": {[]emulator.Fault{emulator.Refusal(op, "AADB2C90253")}, 1, 0, []string{failed, "refused the request", "Nothing was changed", "AADB2C90253"}},
		"denied":  {[]emulator.Fault{{Op: op, Status: 403, Code: "AADB2C", Message: "no"}}, 1, 0, []string{failed, "TrustFrameworkKeySet.ReadWrite.All"}},
		"throttled for an hour": {
			[]emulator.Fault{emulator.Throttled(op, "3600").Repeat(-1)}, 1, 0, []string{failed, "slow down", "Nothing was changed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			for _, f := range row.faults {
				w.Inject(f)
			}
			sent := &sentSecrets{}
			arguments := secretWith(secretArguments{"nbf": in(0), "exp": in(time.Hour)})
			s := newSecretServer(t, w, sent.wrap)
			after, _, said := s.changeSecret(managed{}, arguments)
			if n := len(w.Requests(op)); n != row.posts {
				t.Errorf("%d POSTs", n)
			}
			for _, text := range sent.texts() {
				if text != plainText {
					t.Errorf("sent %q", text)
				}
			}
			if n := len(w.keys(uploadSetID)) - 1; n != row.keys {
				t.Errorf("%d keys", n)
			}
			if (len(row.says) == 0) != (len(said) == 0) || strings.Contains(said.String(), plainText) {
				t.Error(said)
			}
			for _, text := range row.says {
				if !strings.Contains(said.String(), text) {
					t.Errorf("no %q in %s", text, said)
				}
			}
			if (after.state == nil) != said.failed() {
				t.Errorf("in state: %t, %v", after.state != nil, said)
			}
			if after.state == nil {
				return
			}
			w.ClearFaults()
			after, said = s.refresh(after)
			if _, _, action, more := s.planSecret(after, arguments); action != "none" || len(said)+len(more) > 0 {
				t.Errorf("then %s: %v%v", action, said, more)
			}
		})
	}
}

// TestProtocol_UploadedSecret_ServiceProblem: the service's known trouble with its first uploadSecret, whether its work
// is done or not, leaves one key, and at most a warning.
func TestProtocol_UploadedSecret_ServiceProblem(t *testing.T) {
	t.Parallel()
	const seeds = uint64(8)
	done := make(chan bool, seeds)
	t.Run("seeds", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				w, other := secretWorld(t, emulator.Config{Seed: seed, Switches: emulator.Switches{UploadSecretProblem: true}})
				s := newSecretServer(t, w)
				after, _, said := s.changeSecret(managed{}, secretWith(nil))
				posts := w.Requests(emulator.OpUploadSecret)
				if posts[0].Status != 500 || said.failed() {
					t.Fatalf("%d: %v", posts[0].Status, said)
				}
				done <- posts[0].Committed
				warning := ""
				if posts[0].Committed {
					warning = "warning: Key found after a lost answer: "
				}
				if (warning == "") != (len(said) == 0) || len(said) > 1 || !strings.HasPrefix(said.String(), warning) || (len(posts) == 1) != posts[0].Committed {
					t.Errorf("%d POSTs, %v", len(posts), said)
				}
				keys, kid := w.keys(uploadSetID), s.attributes(after)["kid"]
				if len(keys) != 2 || keys[0].Kid != other || keys[1].Kid != kid {
					t.Errorf("kid %s in state; keys %+v", kid, keys)
				}
				w.clock.Advance(time.Hour)
				after, said = s.refresh(after)
				if _, _, action, more := s.planSecret(after, secretWith(nil)); action != "none" || len(said)+len(more) > 0 {
					t.Errorf("then %s: %v%v", action, said, more)
				}
			})
		}
	})
	close(done)
	ways := map[bool]int{}
	for way := range done {
		ways[way]++
	}
	if len(ways) != 2 {
		t.Errorf("the seeds show only one way: %v", ways)
	}
}

// TestProtocol_UploadedSecret_LateTwin_IsReportedOnce, by the refresh that sees it.
func TestProtocol_UploadedSecret_LateTwin_IsReportedOnce(t *testing.T) {
	t.Parallel()
	w, _ := secretWorld(t, emulator.Config{})
	w.Inject(emulator.GatewayTimeout(emulator.OpUploadSecret).WithLag(time.Hour))
	s := newSecretServer(t, w)
	after, _, said := s.changeSecret(managed{}, secretWith(nil))
	if len(said) > 0 {
		t.Fatal(said)
	}
	w.clock.Advance(time.Hour)
	after, said = newServer(t, w).refresh(after)
	if len(said) != 1 || !strings.Contains(said.String(), "Key may have been made twice") || !strings.Contains(said.String(), "terraform import trustframework_uploaded_secret.NAME "+uploadSetID+"/") {
		t.Error(said)
	}
	if _, said := newServer(t, w).refresh(after); len(said) > 0 {
		t.Error(said)
	}
}

// TestProtocol_UploadedSecret_FailedStatus: what fails after the key was made is a warning, the next plan replaces
// nothing, and the next apply mends it.
func TestProtocol_UploadedSecret_FailedStatus(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"refused":     {Op: emulator.OpPatchKey, Status: 400, Code: "AADB2C99014", Message: "no"},
		"denied":      {Op: emulator.OpPatchKey, Status: 403, Code: "AADB2C", Message: "no"},
		"unavailable": emulator.Unavailable(emulator.OpPatchKey).Repeat(-1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			w.Inject(fault)
			s := newSecretServer(t, w)
			arguments := secretWith(secretArguments{"status": "disabled"})
			after, _, said := s.changeSecret(managed{}, arguments)
			kid := s.attributes(after)["kid"]
			if len(said) != 1 || !strings.Contains(said.String(), "warning: Key is made, but its status isn't set") || !strings.Contains(said.String(), uploadSetID+"/"+kid) {
				t.Fatal(said)
			}
			w.ClearFaults()
			w.clock.Advance(time.Hour)
			after, said = s.refresh(after)
			if len(said) > 0 {
				t.Error(said)
			}
			after, action, said := s.changeSecret(after, arguments)
			if action != "update" || len(said) > 0 || s.attributes(after)["kid"] != kid {
				t.Errorf("%s: %v", action, said)
			}
			keys := w.keys(uploadSetID)
			if len(keys) != 2 || keys[1].Kid != kid || keys[1].Status != "disabled" || len(w.Requests(emulator.OpUploadSecret)) != 1 {
				t.Errorf("keys %+v", keys)
			}
		})
	}
}

// TestProtocol_UploadedSecret_RepeatedByTheService: a refusal that repeats the secret, in whatever encoding, is told
// without its words.
func TestProtocol_UploadedSecret_RepeatedByTheService(t *testing.T) {
	t.Parallel()
	const leftOut = "(The service's words are left out here, because they repeat a part of a secret.)"
	secret := []byte(plainText)
	for name, row := range map[string]struct {
		repeated string
		shown    bool
	}{
		"in clear":       {plainText, false},
		"a part of it":   {plainText[:12] + "…", false},
		"base64":         {base64.StdEncoding.EncodeToString(secret), false},
		"base64url":      {base64.RawURLEncoding.EncodeToString(secret), false},
		"base64, inside": {base64.StdEncoding.EncodeToString(append([]byte(`{"k":"`), secret...)), false},
		"hex":            {hex.EncodeToString(secret), false},
		"URL":            {url.QueryEscape(plainText), false},
		// The control: what isn't the secret's is shown.
		"nothing": {"something else", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			w.Inject(emulator.Fault{
				Op: emulator.OpUploadSecret, Status: 400, Code: "AADB2C90136",
				Message: "The request is missing parameters or has the wrong parameters. 'k' has the value '" + row.repeated + "'. Expected value is 'x'.",
			})
			after, _, said := newSecretServer(t, w).changeSecret(managed{}, secretWith(nil))
			text := said.String()
			if len(said) != 1 || !said.failed() || after.state != nil || !strings.Contains(text, "AADB2C90136") {
				t.Error(text)
			}
			if strings.Contains(text, row.repeated) != row.shown || strings.Contains(text, leftOut) == row.shown || strings.Contains(text, "has the value") != row.shown {
				t.Error(text)
			}
			if n := len(w.keys(uploadSetID)); n != 1 {
				t.Errorf("%d keys", n)
			}
		})
	}
}

// TestProtocol_UploadedSecret_LineBreak: a secret that ends with a line break is sent as it is, with a warning at plan.
func TestProtocol_UploadedSecret_LineBreak(t *testing.T) {
	t.Parallel()
	for secret, warned := range map[string]bool{plainText + "\n": true, plainText + "\r\n": true, plainText + "\r": true, plainText + " ": false, "\n" + plainText: false, "two\nlines": false} {
		t.Run(fmt.Sprintf("%q", secret), func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			sent := &sentSecrets{}
			s := newSecretServer(t, w, sent.wrap)
			arguments := secretWith(secretArguments{"secret_wo": secret})
			_, _, _, said := s.planSecret(managed{}, arguments)
			if got := strings.Contains(said.String(), "warning: Secret ends with a line break"); got != warned || said.failed() || strings.Contains(said.String(), plainText) {
				t.Error(said)
			}
			after, _, said := s.changeSecret(managed{}, arguments)
			if texts := sent.texts(); said.failed() || len(texts) != 1 || texts[0] != secret {
				t.Errorf("sent %q: %v", texts, said)
			}
			// Of a key that stays it isn't looked at.
			if _, _, action, said := s.planSecret(after, arguments); action != "none" || len(said) > 0 {
				t.Errorf("then %s: %v", action, said)
			}
		})
	}
}

// TestProtocol_UploadedSecret_AnotherTenant_IsAnErrorAndNotGone: the same state, signed in elsewhere.
func TestProtocol_UploadedSecret_AnotherTenant_IsAnErrorAndNotGone(t *testing.T) {
	t.Parallel()
	w, _ := secretWorld(t, emulator.Config{})
	made, _, words := newSecretServer(t, w).changeSecret(managed{}, secretWith(secretArguments{"on_destroy": "disable"}))
	if len(words) > 0 {
		t.Fatal(words)
	}
	other := w.Server.NewTenant(emulator.TenantConfig{})
	other.AddKeySet(uploadSetID)
	variables := w.Variables()
	variables["ARM_TENANT_ID"], variables["ARM_CLIENT_ID"], variables["ARM_CLIENT_SECRET"] = other.ID(), other.ClientID(), other.ClientSecret()
	s := secretServer{newServerWith(t, w, variables)}
	check := func(what string, after managed, words said) {
		t.Helper()
		text := words.String()
		if !words.failed() || !strings.Contains(text, "belongs to another tenant") || !strings.Contains(text, w.ID()) || !strings.Contains(text, other.ID()) || after.state == nil {
			t.Errorf("%s: in state %t, %v", what, after.state != nil, text)
		}
	}
	after, words := s.refresh(made)
	check("refresh", after, words)
	after, words = s.destroy(made)
	check("destroy", after, words)
	after, _, words = s.changeSecret(made, secretWith(secretArguments{"status": "disabled"}))
	check("update", after, words)
	after, _, words = s.changeSecret(made, secretWith(secretArguments{"secret_wo_version": 2}))
	check("replace", after, words)
	for _, e := range other.Journal() {
		if e.Write() {
			t.Errorf("%s %s in the other tenant", e.Method, e.Path)
		}
	}
	if keys := w.keys(uploadSetID); len(keys) != 2 || keys[1].Status != "enabled" {
		t.Errorf("keys %+v", keys)
	}
}

// TestProtocol_UploadedSecret_OnDestroy: the key stays in its set, disabled if that was asked for and another can be
// used.
func TestProtocol_UploadedSecret_OnDestroy(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		onDestroy any
		alone     bool
		plan      string
		end       string
		status    string
	}{
		"by default":           {nil, false, "Key stays in its key set:", "", "enabled"},
		"retain":               {"retain", false, "Key stays in its key set:", "", "enabled"},
		"disable":              {"disable", false, "Key stays in its key set, disabled:", "", "disabled"},
		"disable the last one": {"disable", true, "Key stays in its key set, disabled:", "Last usable key stays enabled", "enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, other := secretWorld(t, emulator.Config{})
			if row.alone {
				w.RemoveKey(uploadSetID, other)
			}
			s := newSecretServer(t, w)
			made, _, said := s.changeSecret(managed{}, secretWith(secretArguments{"on_destroy": row.onDestroy}))
			if len(said) > 0 {
				t.Fatal(said)
			}
			_, planned, err := s.plan(made, nil)
			said = planned.Diagnostics
			if err != nil || !strings.Contains(said.String(), row.plan) {
				t.Error(said, err)
			}
			after, said := s.destroy(made)
			if after.state != nil || (row.end == "") != (len(said) == 0) || !strings.Contains(said.String(), row.end) {
				t.Errorf("in state %t, %v", after.state != nil, said)
			}
			keys := w.keys(uploadSetID)
			if last := keys[len(keys)-1]; last.Kid != s.attributes(made)["kid"] || last.Status != row.status {
				t.Errorf("keys %+v", keys)
			}
		})
	}
}
