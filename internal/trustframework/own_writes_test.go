// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_Status_ReadersSeeWhatThisProcessHasSet: while the service still shows the old status, those who
// remember nothing wait for the new one.
func TestClient_Status_ReadersSeeWhatThisProcessHasSet(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		status   string // that the newer of two keys gets
	}{
		"disabled":                    {emulator.Switches{StatusInListing: true}, "disabled"},
		"disabled, listing is silent": {emulator.Switches{}, "disabled"},
		"enabled":                     {emulator.Switches{StatusInListing: true}, "enabled"},
		"enabled, listing is silent":  {emulator.Switches{}, "enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, row.switches, emulator.KeySpec{}, emulator.KeySpec{})
			w.SetKeyStatus(statusSet, kids[1], row.status == "disabled")
			w.clock.Advance(time.Hour)
			if _, err := w.client.KeySet(t.Context(), statusSet, false); err != nil {
				t.Fatal(err)
			}
			w.SetLag(settleTime / 2)
			if err := w.client.SetStatus(t.Context(), statusSet, kids[1], row.status, false); err != nil {
				t.Fatal(err)
			}
			active := kids[1]
			if row.status == "disabled" {
				active = kids[0]
			}
			if key, err := w.client.ActiveKey(t.Context(), statusSet); key.Kid != active || err != nil {
				t.Errorf("active %v, %v", key.Kid, err)
			}
			one, err := w.client.CurrentKeySet(t.Context(), statusSet)
			if err != nil {
				t.Fatal(err)
			}
			all, err := w.client.KeySets(t.Context(), func(string) bool { return true })
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			for _, set := range []trustframework.KeySet{one, all[0]} {
				if got := set.Keys[1].Status; row.switches.StatusInListing && got != row.status || !row.switches.StatusInListing && got != "" {
					t.Errorf("status %q", got)
				}
			}
		})
	}
}

// TestClient_ActiveKey_IsNeverOneOfADeletedSet: of a set that this process has deleted, and perhaps made
// again, the service may show the old keys for a while.
func TestClient_ActiveKey_IsNeverOneOfADeletedSet(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(t *testing.T, w *world) (kid string){
		"deleted": func(*testing.T, *world) string { return "" },
		"made again": func(t *testing.T, w *world) string {
			t.Helper()
			if _, err := w.client.CreateKeySet(t.Context(), timeout, "Status"); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		"made again with a key": func(t *testing.T, w *world) string {
			t.Helper()
			if _, err := w.client.CreateKeySet(t.Context(), timeout, "Status"); err != nil {
				t.Fatal(err)
			}
			key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: statusSet, Use: "sig", Kty: "oct"})
			if err != nil {
				t.Fatal(err)
			}
			return key.Kid
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet(statusSet)
			// It comes before any undated one.
			w.AddKey(statusSet, emulator.KeySpec{Kty: "oct", Nbf: ptr(w.clock.Now().Add(-time.Hour).Unix())})
			w.clock.Advance(time.Hour)
			w.SetLag(settleTime / 2)
			if err := w.client.DeleteKeySet(t.Context(), statusSet, false); err != nil {
				t.Fatal(err)
			}
			want := again(t, w)
			key, err := w.client.ActiveKey(t.Context(), statusSet)
			if key.Kid != want || (err == nil) != (want != "") {
				t.Errorf("got %q, %v; want %q", key.Kid, err, want)
			}
		})
	}
}

// TestKeySet_ActiveKey_AtItsBounds: nbf is the first second of a key's use, exp the first after it.
func TestKeySet_ActiveKey_AtItsBounds(t *testing.T) {
	t.Parallel()
	now := time.Unix(2_000_000_000, 0)
	for name, row := range map[string]struct {
		key  trustframework.Key
		used bool
	}{
		"nbf is now":         {trustframework.Key{Kid: "k", Nbf: ptr(now.Unix())}, true},
		"nbf is in a second": {trustframework.Key{Kid: "k", Nbf: ptr(now.Unix() + 1)}, false},
		"exp is now":         {trustframework.Key{Kid: "k", Exp: ptr(now.Unix())}, false},
		"exp is in a second": {trustframework.Key{Kid: "k", Exp: ptr(now.Unix() + 1)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, used := (trustframework.KeySet{Keys: []trustframework.Key{row.key}}).ActiveKey(now); used != row.used {
				t.Errorf("used: %t", used)
			}
		})
	}
}
