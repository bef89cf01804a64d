// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const missing = "AADB2C90073"

func TestTenant_SetLag_HidesACreatedSet(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.SetLag(time.Minute)
	c.make("A")
	const set = "/trustFramework/keySets/B2C_1A_A"
	if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
	for name, r := range map[string]result{
		"get":          c.call(http.MethodGet, set, ""),
		"getActiveKey": c.call(http.MethodGet, set+"/getActiveKey", ""),
		"generateKey":  c.call(http.MethodPost, set+"/generateKey", octSig),
		"delete":       c.call(http.MethodDelete, set, ""),
		"listKeys":     c.call(http.MethodGet, set+"/keys_v2", ""),
		"getKey":       c.call(http.MethodGet, set+"/keys_v2/x", ""),
		"patchKey":     c.call(http.MethodPatch, set+"/keys_v2/x", disabled),
	} {
		if r.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, r.status)
			continue
		}
		r.want(t, http.StatusBadRequest, missing)
	}
	// The truth shows in what it rules out.
	c.call(http.MethodPost, "/trustFramework/keySets", `{"id":"A"}`).want(t, http.StatusBadRequest, "AADB2C95028")
	if got := c.tenant.KeySets(); len(got) != 1 {
		t.Errorf("committed: %v", got)
	}
	c.server.Advance(time.Minute - 1)
	c.call(http.MethodGet, set, "").want(t, http.StatusBadRequest, missing)
	c.server.Advance(1)
	c.call(http.MethodGet, set, "").want(t, http.StatusOK, "")
}

func TestTenant_SetLag_HidesAKey(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	c.tenant.SetLag(time.Minute)
	const set = "/trustFramework/keySets/B2C_1A_A"
	kid := c.generate("B2C_1A_A", octSig)
	if got := c.call(http.MethodGet, set, "").kids(t); len(got) != 0 {
		t.Errorf("kids %q", got)
	}
	c.call(http.MethodGet, set+"/getActiveKey", "").want(t, http.StatusBadRequest, "AADB2C90019")
	c.call(http.MethodPost, set+"/generateKey", `{"use":"sig","kty":"RSA"}`).want(t, http.StatusBadRequest, "AADB2C95032")
	if got := c.tenant.KeySets()[0].Keys; len(got) != 1 || got[0].Kid != kid {
		t.Errorf("committed: %v", got)
	}
	// A lag is that of the commit's own time.
	c.tenant.SetLag(0)
	second := c.generate("B2C_1A_A", octSig)
	if got := c.call(http.MethodGet, set, "").kids(t); !slices.Equal(got, []string{second}) {
		t.Errorf("kids %q", got)
	}
	c.server.Advance(time.Minute)
	if got := c.call(http.MethodGet, set, "").kids(t); !slices.Equal(got, []string{kid, second}) {
		t.Errorf("kids after the lag %q", got)
	}
}

func TestTenant_SetLag_HidesAStatus(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{StatusInListing: true}})
	c.make("A")
	old, kid := c.generate("B2C_1A_A", octSig), c.generate("B2C_1A_A", octSig)
	active := func() string { return c.call(http.MethodGet, setA+"/getActiveKey", "").text(t, "kid") }
	check := func(when, seen, committed, activeKid string) {
		t.Helper()
		if got := c.status(kid); got != seen {
			t.Errorf("%s: keys_v2 has %q, want %q", when, got, seen)
		}
		if r := c.call(http.MethodGet, setA, ""); strings.Contains(string(r.body), `"disabled"`) != (seen == "disabled") {
			t.Errorf("%s: set %s", when, r.body)
		}
		if got := c.tenant.KeySets()[0].Keys[1].Status; got != committed {
			t.Errorf("%s: committed is %q, want %q", when, got, committed)
		}
		if active() != activeKid {
			t.Errorf("%s: another key is active", when)
		}
	}
	c.tenant.SetLag(time.Minute)
	c.setStatus(kid, disabled)
	check("at first", "enabled", "disabled", kid)
	c.server.Advance(time.Minute - 1)
	c.setStatus(kid, disabled) // there already: its time isn't put off
	check("before the lag is over", "enabled", "disabled", kid)
	c.server.Advance(1)
	check("after the lag", "disabled", "disabled", old)

	// Back and forth: each shows in its turn, the last one for good.
	c.setStatus(kid, enabled)
	c.server.Advance(30 * time.Second)
	c.setStatus(kid, disabled)
	check("both on their way", "disabled", "disabled", old)
	c.server.Advance(30 * time.Second)
	check("the first one shows", "enabled", "disabled", kid)
	c.server.Advance(30 * time.Second)
	check("the second one shows", "disabled", "disabled", old)

	// One that shows sooner than an older one isn't undone by it.
	c.setStatus(kid, enabled)
	c.tenant.SetLag(time.Second)
	c.setStatus(kid, disabled)
	c.server.Advance(time.Minute)
	check("after a shorter lag", "disabled", "disabled", old)
	c.tenant.SetLag(time.Minute)
	c.setStatus(kid, enabled)
	c.tenant.SetKeyStatus("A", kid, false)
	c.server.Advance(time.Minute)
	check("after somebody else's", "disabled", "disabled", old)

	// A key that doesn't show has no status to set.
	hidden := c.generate("B2C_1A_A", octSig)
	c.call(http.MethodPatch, setA+"/keys_v2/"+hidden, disabled).want(t, http.StatusNotFound, noResource)
	c.call(http.MethodGet, setA+"/keys_v2/"+hidden, "").want(t, http.StatusNotFound, noResource)
	if r := c.call(http.MethodGet, setA+"/keys_v2", ""); strings.Contains(string(r.body), hidden) {
		t.Errorf("listing %s", r.body)
	}
}

func TestTenant_SetLag_KeepsADeletedSet(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	old := c.generate("B2C_1A_A", octSig)
	c.tenant.SetLag(time.Minute)
	const set = "/trustFramework/keySets/B2C_1A_A"
	c.call(http.MethodDelete, set, "").want(t, http.StatusNoContent, "")
	if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); !slices.Equal(got, []string{"B2C_1A_A"}) {
		t.Errorf("listed %q", got)
	}
	c.call(http.MethodGet, set, "").want(t, http.StatusOK, "")
	c.call(http.MethodGet, set+"/getActiveKey", "").want(t, http.StatusOK, "")
	c.call(http.MethodDelete, set, "").want(t, http.StatusBadRequest, missing)
	c.call(http.MethodPost, set+"/generateKey", octSig).want(t, http.StatusBadRequest, missing)

	// Made again: readers see the old life until the new one shows.
	c.make("A")
	if got := c.call(http.MethodGet, set, "").kids(t); !slices.Equal(got, []string{old}) {
		t.Errorf("kids of the old life %q", got)
	}
	c.server.Advance(time.Minute)
	if got := c.call(http.MethodGet, set, "").kids(t); len(got) != 0 {
		t.Errorf("kids of the new life %q", got)
	}
	if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); !slices.Equal(got, []string{"B2C_1A_A.bak", "B2C_1A_A"}) {
		t.Errorf("listed %q", got)
	}
}
