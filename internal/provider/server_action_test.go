// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestServer_BeginsNoActionOnceStopped sends what a client may have had on its way as it heard Ctrl-C.
func TestServer_BeginsNoActionOnceStopped(t *testing.T) {
	t.Parallel()
	w, kids := actionWorld(t, emulator.Switches{}, emulator.KeySpec{})
	s := newServer(t, w)
	config := s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"})
	if said := s.planAction(config); len(said) > 0 { // what is known needs no request
		t.Fatal(said)
	}
	if _, err := s.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
		t.Fatal(err)
	}
	w.ResetJournal()
	progress, end := s.invoke(config)
	if !end.failed() || !strings.Contains(end.String(), "context canceled") || len(progress) > 0 {
		t.Errorf("progress %q, in the end %s", progress, end)
	}
	if got := w.Requests(); len(got) > 0 {
		t.Errorf("requests after the stop: %v", got)
	}

	s.configure()
	if _, end := s.invoke(config); len(end) > 0 || w.keys(actionSet)[1].Status != "disabled" {
		t.Errorf("the next command: %s", end)
	}
}

// TestServer_StopsAnAction wherever it is, but for making sure that another key is left, which it does to the end.
func TestServer_StopsAnAction(t *testing.T) {
	t.Parallel()
	const read, patch = emulator.OpListKeys, emulator.OpPatchKey
	for name, row := range map[string]struct {
		fault *emulator.Fault
		// The stop comes before the n-th answer to op.
		op       emulator.Op
		n        int
		meantime bool // another process has disabled the other key at the same moment
		patches  int
		status   string
		says     []string // one way or the other
		fails    bool
	}{
		"before it has looked": {op: read, n: 1, status: "enabled", says: []string{"context canceled"}, fails: true},
		"in a pause": {
			fault: &emulator.Fault{Op: patch, Status: 429, RetryAfter: "300"}, op: patch, n: 1,
			patches: 1, status: "enabled", says: []string{"Unable to set key's status"}, fails: true,
		},
		"before it makes sure":    {op: read, n: 2, patches: 1, status: "disabled", says: []string{" is disabled now."}},
		"before it takes it back": {op: read, n: 2, meantime: true, patches: 2, status: "enabled", says: []string{"No other key"}, fails: true},
		"as it is done":           {op: emulator.OpGetActiveKey, n: 1, patches: 1, status: "disabled", says: []string{" is disabled now."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := actionWorld(t, emulator.Switches{}, emulator.KeySpec{})
			if row.fault != nil {
				w.Inject(*row.fault)
			}
			if row.meantime {
				w.onAnswer(patch, 1, func() { w.SetKeyStatus(actionSet, kids[0], false) })
			}
			s := newServer(t, w)
			w.onAnswer(row.op, row.n, func() {
				if _, err := s.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
					t.Error(err)
				}
			})
			config := s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"})
			progress, end := s.invoke(config)
			all := strings.Join(progress, "\n") + end.String()
			for _, text := range row.says {
				if !strings.Contains(all, text) {
					t.Errorf("no %q in %s", text, all)
				}
			}
			if end.failed() != row.fails {
				t.Errorf("in the end: %s", end)
			}
			if n := len(w.Requests(patch)); n != row.patches || w.keys(actionSet)[1].Status != row.status {
				t.Errorf("%d PATCHes, status %q", n, w.keys(actionSet)[1].Status)
			}
		})
	}
}

// TestServer_RunsAnActionToItsEnd even if the client leaves at the first word of it.
func TestServer_RunsAnActionToItsEnd(t *testing.T) {
	t.Parallel()
	w, kids := actionWorld(t, emulator.Switches{}, emulator.KeySpec{})
	s := newServer(t, w)
	config := s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"})
	stream, err := s.actionServer().InvokeAction(t.Context(), &tfprotov6.InvokeActionRequest{ActionType: statusAction, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	for range stream.Events {
		break
	}
	if n := len(w.Requests(emulator.OpGetActiveKey)); n != 1 {
		t.Errorf("%d requests for the active key", n)
	}
}
