// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"net/http"
	"slices"
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
