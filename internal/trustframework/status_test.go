// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const statusSet = "B2C_1A_Status"

// statusWorld has one key set with keys, whose kids it returns.
func statusWorld(t *testing.T, switches emulator.Switches, keys ...emulator.KeySpec) (*world, []string) {
	t.Helper()
	w := newWorld(t, switches)
	w.AddKeySet(statusSet)
	var kids []string
	for _, k := range keys {
		k.Kty = "oct"
		kids = append(kids, w.AddKey(statusSet, k))
	}
	return w, kids
}

// status is what the service holds.
func (w *world) status(kid string) string {
	for _, s := range w.KeySets() {
		for _, k := range s.Keys {
			if k.Kid == kid {
				return k.Status
			}
		}
	}
	return ""
}

func TestClient_Status_CostsOneReadForASet(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		keysV2   int // reads of all keys
		keyV2    int // reads of one key
	}{
		"default":                {emulator.Switches{}, 1, 0},
		"status in the listing":  {emulator.Switches{StatusInListing: true}, 0, 0},
		"keys_v2 isn't listed":   {emulator.Switches{KeysV2Unlistable: true}, 1, 2},
		"and a key is wrapped":   {emulator.Switches{KeysV2Unlistable: true, WrappedKeyV2: true, NumbersAsStrings: true}, 1, 2},
		"listings have no keys":  {emulator.Switches{ListWithoutKeys: true}, 1, 0},
		"numbers are in strings": {emulator.Switches{NumbersAsStrings: true, OctSpelling: "OCT"}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, row.switches, emulator.KeySpec{Exp: ptr(int64(2_000_000_000))}, emulator.KeySpec{})
			w.SetKeyStatus(statusSet, kids[1], false)
			var readers sync.WaitGroup
			for range 5 {
				for i, want := range []string{"enabled", "disabled"} {
					readers.Go(func() {
						if got, err := w.client.Status(t.Context(), "status", kids[i], want, false); got != want || err != nil {
							t.Errorf("key %d: %q, %v", i, got, err)
						}
					})
				}
			}
			readers.Wait()
			if all, one := w.count(emulator.OpListKeys), w.count(emulator.OpGetKey); all != row.keysV2 || one != row.keyV2 {
				t.Errorf("%d and %d reads", all, one)
			}
		})
	}
}

// TestClient_Status_OfAYoungChangeIsReadUntilItShows: lag must not look like drift.
func TestClient_Status_OfAYoungChangeIsReadUntilItShows(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{"in keys_v2": {}, "in the listing": {StatusInListing: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, switches, emulator.KeySpec{}, emulator.KeySpec{})
			w.SetLag(settleTime / 2)
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err != nil {
				t.Fatal(err)
			}
			other := w.newClient(t)
			if got, err := other.Status(t.Context(), statusSet, kids[0], "disabled", false); got != "enabled" || err != nil {
				t.Errorf("an old change: %q, %v", got, err)
			}
			if got, err := other.Status(t.Context(), statusSet, kids[0], "disabled", true); got != "disabled" || err != nil {
				t.Errorf("a young change: %q, %v", got, err)
			}
			w.SetKeyStatus(statusSet, kids[0], true)
			w.clock.Advance(settleTime)
			if got, err := w.newClient(t).Status(t.Context(), statusSet, kids[0], "disabled", true); got != "enabled" || err != nil {
				t.Errorf("undone by others: %q, %v", got, err)
			}
		})
	}
}

func TestClient_SetStatus(t *testing.T) {
	t.Parallel()
	past, future := int64(1_500_000_000), int64(2_500_000_000)
	two := []emulator.KeySpec{{}, {}}
	for name, row := range map[string]struct {
		switches emulator.Switches
		keys     []emulator.KeySpec // the first is the one to be changed
		disabled []int              // at first
		fault    *emulator.Fault
		status   string
		kind     trustframework.Kind
		patches  int
	}{
		"disables":                              {keys: two, status: "disabled", patches: 1},
		"enables":                               {keys: two, disabled: []int{0}, status: "enabled", patches: 1},
		"enables the only key":                  {keys: two[:1], disabled: []int{0}, status: "enabled", patches: 1},
		"leaves an enabled key":                 {keys: two, status: "enabled"},
		"leaves a disabled key":                 {keys: two[:1], disabled: []int{0}, status: "disabled"},
		"keeps the only key":                    {keys: two[:1], status: "disabled", kind: trustframework.KindLastUsable},
		"keeps it beside a disabled one":        {keys: two, disabled: []int{1}, status: "disabled", kind: trustframework.KindLastUsable},
		"keeps it beside an expired one":        {keys: []emulator.KeySpec{{}, {Exp: &past}}, status: "disabled", kind: trustframework.KindLastUsable},
		"keeps it beside one of the future":     {keys: []emulator.KeySpec{{}, {Nbf: &future}}, status: "disabled", kind: trustframework.KindLastUsable},
		"disables an expired one, though alone": {keys: []emulator.KeySpec{{Exp: &past}}, status: "disabled", patches: 1},
		"disables one of the future":            {keys: []emulator.KeySpec{{Nbf: &future}}, status: "disabled", patches: 1},
		"with status in listings":               {switches: emulator.Switches{StatusInListing: true}, keys: two, status: "disabled", patches: 1},
		"with keys_v2 unlistable":               {switches: emulator.Switches{KeysV2Unlistable: true, WrappedKeyV2: true}, keys: two, status: "disabled", patches: 1},
		"without keys_v2":                       {switches: emulator.Switches{NoKeysV2: true}, keys: two, status: "disabled", kind: trustframework.KindRefused},
		"after an empty 200":                    {keys: two, fault: &emulator.Fault{Commit: true, Status: http.StatusOK}, status: "disabled", patches: 1},
		"after a 500":                           {keys: two, fault: &emulator.Fault{Status: 500, Code: "AADB2C90063"}, status: "disabled", patches: 2},
		"after a 95053":                         {keys: two, fault: &emulator.Fault{Status: 400, Code: "AADB2C95053"}, status: "disabled", patches: 2},
		"after a lost answer":                   {keys: two, fault: &emulator.Fault{Commit: true, Cut: true}, status: "disabled", patches: 2},
		"refused":                               {keys: two, fault: &emulator.Fault{Status: 400, Code: "AADB2C99014", Message: "no"}, status: "disabled", kind: trustframework.KindRefused, patches: 1},
		"a key that isn't there":                {keys: two, fault: &emulator.Fault{Status: 404, Code: "Request_ResourceNotFound"}, status: "disabled", kind: trustframework.KindKeyGone, patches: 1},
		"a set that isn't there":                {keys: two, fault: &emulator.Fault{Status: 400, Code: "AADB2C90073"}, status: "disabled", kind: trustframework.KindKeySetGone, patches: 1},
		"an address that isn't there":           {keys: two, fault: &emulator.Fault{Status: 404, Body: "<html>", ContentType: "text/html"}, status: "disabled", kind: trustframework.KindUnavailable, patches: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, row.switches, row.keys...)
			for _, i := range row.disabled {
				w.SetKeyStatus(statusSet, kids[i], false)
			}
			before := w.status(kids[0])
			if row.fault != nil {
				row.fault.Op = emulator.OpPatchKey
				w.Inject(*row.fault)
			}
			err := w.client.SetStatus(t.Context(), "Status", kids[0], row.status, false)
			if trustframework.KindOf(err) != row.kind || (err == nil) != (row.kind == "") {
				t.Errorf("got %v", err)
			}
			want := row.status
			if err != nil {
				want = before
			}
			if got := w.status(kids[0]); got != want {
				t.Errorf("status %q, want %q", got, want)
			}
			if n := w.count(emulator.OpPatchKey); n != row.patches {
				t.Errorf("%d requests, want %d", n, row.patches)
			}
		})
	}
}

// TestClient_SetStatus_UnderLagNeverTakesTheLast: what this process has disabled counts as disabled though
// the service still shows it as enabled.
func TestClient_SetStatus_UnderLagNeverTakesTheLast(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{}, emulator.KeySpec{})
	w.SetLag(time.Hour)
	var disabled, kept int
	var mu sync.Mutex
	var writers sync.WaitGroup
	for _, kid := range kids {
		writers.Go(func() {
			err := w.client.SetStatus(t.Context(), statusSet, kid, "disabled", false)
			mu.Lock()
			defer mu.Unlock()
			switch trustframework.KindOf(err) {
			case "":
				disabled++
			case trustframework.KindLastUsable:
				kept++
			default:
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if disabled != 2 || kept != 1 {
		t.Errorf("%d disabled, %d kept", disabled, kept)
	}
}

// TestClient_SetStatus_OfWhatWasJustMadeWaitsForIt makes a set and two keys that don't show for a while.
func TestClient_SetStatus_OfWhatWasJustMadeWaitsForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.SetLag(settleTime / 3)
	if _, err := w.client.CreateKeySet(t.Context(), timeout, "Status"); err != nil {
		t.Fatal(err)
	}
	var made []trustframework.MadeKey
	for range 2 {
		key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: statusSet, Use: "sig", Kty: "oct"})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, key)
	}
	if err := w.client.SetStatus(t.Context(), statusSet, made[1].Kid, "disabled", true); err != nil {
		t.Fatal(err)
	}
	if got := w.status(made[1].Kid); got != "disabled" {
		t.Errorf("status %q", got)
	}
	if got := w.status(made[0].Kid); got != "enabled" {
		t.Errorf("the other one: %q", got)
	}
}

func TestClient_Status_FollowsPages(t *testing.T) {
	t.Parallel()
	w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
	for i, next := range []string{`,"@odata.nextLink":"https://graph.example/beta/trustFramework/keySets('x')/keys_v2?$skiptoken=x"`, ""} {
		w.Inject(emulator.Fault{Op: emulator.OpListKeys, Status: 200, ContentType: "application/json",
			Body: `{"value":[{"kid":"` + kids[i] + `","status":"disabled"}]` + next + `}`})
	}
	for _, kid := range kids {
		if got, err := w.client.Status(t.Context(), statusSet, kid, "", false); got != "disabled" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if n := w.count(emulator.OpListKeys); n != 2 {
		t.Errorf("%d reads", n)
	}
}

func TestClient_LastUsable(t *testing.T) {
	t.Parallel()
	past := int64(1_500_000_000)
	for name, row := range map[string]struct {
		switches emulator.Switches
		role     string
		keys     []emulator.KeySpec
		disabled []int
		anew     bool
		want     bool
		reads    int // of keys_v2
	}{
		"the only one":                     {keys: []emulator.KeySpec{{}}, want: true},
		"beside an expired one":            {keys: []emulator.KeySpec{{}, {Exp: &past}}, want: true},
		"beside another":                   {keys: []emulator.KeySpec{{}, {}}, reads: 1},
		"beside a disabled one":            {keys: []emulator.KeySpec{{}, {}}, disabled: []int{1}, want: true, reads: 1},
		"beside one shown as disabled":     {switches: emulator.Switches{StatusInListing: true}, keys: []emulator.KeySpec{{}, {}}, disabled: []int{1}, want: true},
		"where statuses can't be read":     {role: emulator.RoleRead, keys: []emulator.KeySpec{{}, {}}, disabled: []int{1}, reads: 1},
		"where there are none":             {switches: emulator.Switches{NoKeysV2: true}, keys: []emulator.KeySpec{{}, {}}, disabled: []int{1}},
		"an expired one":                   {keys: []emulator.KeySpec{{Exp: &past}}},
		"a new one in an empty set":        {anew: true, want: true},
		"a new one beside another":         {keys: []emulator.KeySpec{{}}, anew: true, reads: 1},
		"a new one beside a disabled one":  {keys: []emulator.KeySpec{{}}, disabled: []int{0}, anew: true, want: true, reads: 1},
		"a new one beside an expired key":  {keys: []emulator.KeySpec{{Exp: &past}}, anew: true, want: true},
		"disabled, beside none that works": {keys: []emulator.KeySpec{{}, {Exp: &past}}, disabled: []int{0}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, row.switches, row.keys...)
			for _, i := range row.disabled {
				w.SetKeyStatus(statusSet, kids[i], false)
			}
			if row.role != "" {
				w.SetRoles(row.role)
			}
			kid := ""
			if !row.anew {
				kid = kids[0]
			}
			if got, err := w.client.LastUsable(t.Context(), statusSet, kid); got != row.want || err != nil {
				t.Errorf("got %t, %v", got, err)
			}
			if n := w.count(emulator.OpListKeys); n != row.reads {
				t.Errorf("%d reads", n)
			}
		})
	}
}
