// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_SetStatus_NeverLeavesNone: two keys, of which the second is disabled after something has
// happened to the first. What isn't known for sure of the first counts against it.
func TestClient_SetStatus_NeverLeavesNone(t *testing.T) {
	t.Parallel()
	past := int64(1_500_000_000)
	listed := func(first string) func(*testing.T, *world, []string) {
		return func(_ *testing.T, w *world, kids []string) {
			w.Inject(emulator.Fault{Op: emulator.OpListKeys, Status: 200, ContentType: "application/json", Times: -1, Body: strings.NewReplacer("FIRST", kids[0], "SECOND", kids[1]).
				Replace(`{"value":[{"kid":"FIRST"` + first + `},{"kid":"SECOND","status":"enabled"}]}`)})
		}
	}
	for name, row := range map[string]struct {
		first  emulator.KeySpec
		before func(t *testing.T, w *world, kids []string)
	}{
		"a lost answer, then a refusal": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Cut: true, Lag: settleTime / 2})
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 403, Code: "AADB2C", Message: "no"})
			err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false)
			if e, ok := err.(*trustframework.Error); !ok || e.Kind != trustframework.KindDenied || !e.Worked { //nolint:errorlint // it is one
				t.Errorf("got %v", err)
			}
		}},
		"a lost answer, then no time": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Status: 503, Lag: settleTime})
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 503, Times: -1})
			ctx, cancel := w.clock.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := w.client.SetStatus(ctx, statusSet, kids[0], "disabled", false); err == nil {
				t.Error("no error")
			}
			w.ClearFaults()
		}},
		"enabled here, disabled elsewhere": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.SetKeyStatus(statusSet, kids[0], false)
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "enabled", false); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(2 * settleTime)
			w.SetKeyStatus(statusSet, kids[0], false)
		}},
		"enabled here, disabled elsewhere at once": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.SetKeyStatus(statusSet, kids[0], false)
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "enabled", false); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(settleTime / 2)
			w.SetKeyStatus(statusSet, kids[0], false)
		}},
		"disabled, and enabling it refused": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Status: 204, Lag: settleTime / 2})
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err != nil {
				t.Fatal(err)
			}
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 403, Code: "AADB2C", Message: "no"})
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "enabled", false); err == nil {
				t.Error("no error")
			}
		}},
		"disabled, and enabling it in doubt": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Status: 204, Lag: 10 * settleTime})
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err != nil {
				t.Fatal(err)
			}
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 200, Body: "<html>", ContentType: "text/html", Times: -1})
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "enabled", false); err == nil {
				t.Error("no error")
			}
			w.ClearFaults()
		}},
		"a lost answer, a late key, then a refusal": {before: func(t *testing.T, w *world, kids []string) {
			t.Helper()
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Status: 503, Lag: settleTime})
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 404, Code: "Request_ResourceNotFound", Message: "late"})
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 403, Code: "AADB2C", Message: "no"})
			err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", true)
			if e, ok := err.(*trustframework.Error); !ok || !e.Worked { //nolint:errorlint // it is one
				t.Errorf("got %v", err)
			}
		}},
		"no status":            {before: listed(``)},
		"a null status":        {before: listed(`,"status":null`)},
		"a status to come":     {before: listed(`,"status":"unknownFutureValue"`)},
		"expired, but undated": {first: emulator.KeySpec{Exp: &past}, before: listed(`,"status":"enabled"`)},
		"not listed in keys_v2": {before: func(_ *testing.T, w *world, kids []string) {
			w.Inject(emulator.Fault{Op: emulator.OpListKeys, Status: 200, ContentType: "application/json", Times: -1, Body: `{"value":[{"kid":"` + kids[1] + `","status":"enabled"}]}`})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, emulator.Switches{}, row.first, emulator.KeySpec{})
			row.before(t, w, kids)
			err := w.client.SetStatus(t.Context(), statusSet, kids[1], "disabled", false)
			if trustframework.KindOf(err) != trustframework.KindLastUsable || w.status(kids[1]) != "enabled" {
				t.Errorf("got %v; status %q", err, w.status(kids[1]))
			}
		})
	}
}

// TestClient_SetStatus_OfTwoProcesses: each disables its own of two keys, and both have looked before either
// has written. Both take it back, or the one that looks again when the other has done so needn't.
func TestClient_SetStatus_OfTwoProcesses(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
	var looked, patched sync.WaitGroup
	looked.Add(2)
	patched.Add(2)
	var mu sync.Mutex
	meet := func(group *sync.WaitGroup) func() {
		n := 0
		return func() {
			mu.Lock()
			n++
			first := n <= 2
			mu.Unlock()
			if first {
				group.Done()
				group.Wait()
			}
		}
	}
	w.onRequest(emulator.OpListKeys, meet(&looked))
	w.onRequest(emulator.OpPatchKey, meet(&patched))
	var writers sync.WaitGroup
	for i, client := range []*trustframework.Client{w.client, w.newClient(t)} {
		writers.Go(func() {
			err := client.SetStatus(t.Context(), statusSet, kids[i], "disabled", false)
			want := "disabled"
			if err != nil {
				want = "enabled"
			}
			if kind := trustframework.KindOf(err); kind != "" && kind != trustframework.KindLastUsable || w.status(kids[i]) != want {
				t.Errorf("key %d is %s: %v", i, w.status(kids[i]), err)
			}
		})
	}
	writers.Wait()
	if w.status(kids[0]) == "disabled" && w.status(kids[1]) == "disabled" {
		t.Error("no key is left")
	}
}

// TestClient_SetStatus_ASiblingThatIsMissingIsNotTheKey: where each key is read by itself.
func TestClient_SetStatus_ASiblingThatIsMissingIsNotTheKey(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{KeysV2Unlistable: true}, emulator.KeySpec{}, emulator.KeySpec{}, emulator.KeySpec{})
	w.Inject(emulator.Fault{Op: emulator.OpGetKey, Skip: 1, Status: 404, Code: "Request_ResourceNotFound", Message: "x"})
	if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err != nil || w.status(kids[0]) != "disabled" {
		t.Errorf("got %v; status %q", err, w.status(kids[0]))
	}
}

// TestClient_SetStatus_APageInsteadOfAnAnswer did no work, though it says 200.
func TestClient_SetStatus_APageInsteadOfAnAnswer(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
	w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 200, Body: "<html>", ContentType: "text/html", Times: -1})
	if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); trustframework.KindOf(err) != trustframework.KindUnavailable {
		t.Errorf("got %v", err)
	}
	w.Inject(emulator.Fault{Op: emulator.OpDelete, Status: 200, Body: "<html>", ContentType: "text/html", Times: -1})
	if err := w.client.DeleteKeySet(t.Context(), statusSet, false); trustframework.KindOf(err) != trustframework.KindUnavailable || len(w.KeySets()) != 1 {
		t.Errorf("got %v, %d key sets", err, len(w.KeySets()))
	}
}

// TestClient_Status_RefusalIsSharedAndRemembered: without the permission, many keys cost one request.
func TestClient_Status_RefusalIsSharedAndRemembered(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		role     string
		kind     trustframework.Kind
	}{
		"denied": {emulator.Switches{}, emulator.RoleRead, trustframework.KindDenied},
		"absent": {emulator.Switches{NoKeysV2: true}, emulator.RoleReadWrite, trustframework.KindRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, row.switches, make([]emulator.KeySpec, 10)...)
			w.SetRoles(row.role)
			for _, kid := range kids {
				if _, err := w.client.Status(t.Context(), statusSet, kid, "enabled", false); trustframework.KindOf(err) != row.kind {
					t.Errorf("got %v", err)
				}
			}
			if n := len(w.Journal()); n > 6 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestClient_Status_OfAYoungChangeOutlastsALateKeysV2: a set that shows elsewhere isn't gone.
func TestClient_Status_OfAYoungChangeOutlastsALateKeysV2(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"gone":  {Status: 400, Code: "AADB2C90073", Message: "cannot be found"},
		"empty": {Status: 200, Body: `{"value":[]}`, ContentType: "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
			fault.Op = emulator.OpListKeys
			w.Inject(fault)
			if got, err := w.client.Status(t.Context(), statusSet, kids[0], "enabled", true); got != "enabled" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			w.clock.Advance(2 * time.Minute)
			w.Inject(fault)
			if _, err := w.client.Status(t.Context(), statusSet, kids[0], "enabled", false); trustframework.KindOf(err) != trustframework.KindRefused {
				t.Errorf("an old one: %v", err)
			}
		})
	}
}

// TestClient_SetStatus_ThatCantBeTakenBack: an error that says so, and not that nothing was changed.
func TestClient_SetStatus_ThatCantBeTakenBack(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
	w.onRequest(emulator.OpPatchKey, func() { w.SetKeyStatus(statusSet, kids[1], false) })
	w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Skip: 1, Status: 403, Code: "AADB2C", Message: "no"})
	if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); trustframework.KindOf(err) != trustframework.KindNoneUsable {
		t.Errorf("got %v", err)
	}
}

// TestClient_SetStatus_TakesNothingBackForALateKey: what the second look doesn't show yet is waited for.
func TestClient_SetStatus_TakesNothingBackForALateKey(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{})
	if _, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: statusSet, Use: "sig", Kty: "oct"}); err != nil {
		t.Fatal(err)
	}
	w.Inject(emulator.Fault{Op: emulator.OpListKeys, Skip: 1, Status: 200, ContentType: "application/json", Body: `{"value":[{"kid":"` + kids[0] + `","status":"enabled"}]}`})
	if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err != nil || w.status(kids[0]) != "disabled" {
		t.Errorf("got %v, status %q", err, w.status(kids[0]))
	}
}

// TestClient_SetStatus_AfterADoubtIsSent: what the service shows may be about to change.
func TestClient_SetStatus_AfterADoubtIsSent(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
	w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Status: 403, Body: "<html>", ContentType: "text/html", Lag: settleTime / 2, Times: -1})
	if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err == nil {
		t.Error("no error")
	}
	w.ClearFaults()
	w.ResetJournal()
	if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "enabled", false); err != nil {
		t.Error(err)
	}
	if n := w.count(emulator.OpPatchKey); n != 1 || w.status(kids[0]) != "enabled" {
		t.Errorf("%d requests, status %q", n, w.status(kids[0]))
	}
}

// TestClient_ChangeStatus_Force takes the last usable key, and never back.
func TestClient_ChangeStatus_Force(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		others  int
		before  func(w *world, kids []string)
		status  string
		changed bool
		patches int
	}{
		"the only key":               {status: "disabled", changed: true, patches: 1},
		"one of two":                 {others: 1, status: "disabled", changed: true, patches: 1},
		"disabled already":           {before: func(w *world, kids []string) { w.SetKeyStatus(statusSet, kids[0], false) }, status: "disabled"},
		"enabled already":            {status: "enabled"},
		"disabled, and enabled then": {before: func(w *world, kids []string) { w.SetKeyStatus(statusSet, kids[0], false) }, status: "enabled", changed: true, patches: 1},
		"the other one goes at the same moment": {
			others: 1, before: func(w *world, kids []string) {
				w.onRequest(emulator.OpPatchKey, func() { w.SetKeyStatus(statusSet, kids[1], false) })
			},
			status: "disabled", changed: true, patches: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, emulator.Switches{}, make([]emulator.KeySpec, 1+row.others)...)
			if row.before != nil {
				row.before(w, kids)
			}
			changed, err := w.client.ChangeStatus(t.Context(), statusSet, kids[0], row.status, false, true)
			if err != nil || changed != row.changed {
				t.Errorf("changed: %t, %v", changed, err)
			}
			if n := w.count(emulator.OpPatchKey); n != row.patches || w.status(kids[0]) != row.status {
				t.Errorf("%d PATCHes, status %q", n, w.status(kids[0]))
			}
		})
	}
}
