// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestSwitches_MissingStatus(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{MissingStatus: http.StatusNotFound}})
	c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").want(t, http.StatusNotFound, missing)
}

func TestSwitches_OctSpelling(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{OctSpelling: "OCT"}})
	c.make("A")
	r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", octSig)
	if got := r.text(t, "kty"); got != "OCT" {
		t.Errorf("kty %q", got)
	}
	c.generate("B2C_1A_A", octSig)
	if r := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", ""); strings.Count(string(r.body), `"kty":"OCT"`) != 2 {
		t.Errorf("set %s", r.body)
	}
}

func TestSwitches_NumbersAsStrings(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{NumbersAsStrings: true}})
	c.make("A")
	r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", `{"use":"sig","kty":"oct","nbf":1767322000}`)
	if key := r.object(t); key["nbf"] != "1767322000" || key["exp"] != nil {
		t.Errorf("nbf %v, exp %v", key["nbf"], key["exp"])
	}
}

func TestSwitches_ListWithoutKeys(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{ListWithoutKeys: true}})
	c.make("A")
	c.generate("B2C_1A_A", octSig)
	r := c.call(http.MethodGet, "/trustFramework/keySets", "")
	if got := r.ids(t); len(got) != 1 || strings.Contains(string(r.body), `"keys"`) {
		t.Errorf("listing %s", r.body)
	}
	if got := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").kids(t); len(got) != 1 {
		t.Errorf("kids %q", got)
	}
}

func TestSwitches_ListRefused(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{ListRefused: true}})
	c.make("A")
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusForbidden, "AADB2C")
	c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").want(t, http.StatusOK, "")
}

func TestSwitches_PageSize(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{PageSize: 2}})
	want := []string{}
	for _, id := range []string{"C", "A", "E", "B", "D"} {
		want = append(want, c.make(id))
	}
	var got []string
	path, pages := "/beta/trustFramework/keySets", 0
	for path != "" {
		r := c.callWith(http.MethodGet, path, "", nil)
		got = append(got, r.ids(t)...)
		pages++
		next, _ := r.object(t)["@odata.nextLink"].(string)
		if next != "" && !strings.HasPrefix(next, c.server.URL()+"/beta/trustFramework/keySets?$skiptoken=") {
			t.Fatalf("nextLink %q", next)
		}
		path = strings.TrimPrefix(next, c.server.URL())
		if pages == 1 { // what changes between pages moves nothing
			c.tenant.RemoveKeySet("C")
		}
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d pages: %q, want %q", pages, got, want)
	}
	for _, token := range []string{"%21", "LTE", "eA"} {
		c.call(http.MethodGet, "/trustFramework/keySets?$skiptoken="+token, "").want(t, http.StatusBadRequest, "BadRequest")
	}
}

func TestSwitches_OverlapRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refused bool
		status  int
		code    string
	}{
		"default": {refused: false, status: http.StatusOK},
		"switch":  {refused: true, status: http.StatusBadRequest, code: "AADB2C95053"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: emulator.Switches{OverlapRefused: test.refused}})
			c.make("A")
			c.make("B")
			end := c.tenant.BeginWrite("b2c_1a_a")
			c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", octSig).want(t, test.status, test.code)
			c.generate("B2C_1A_B", octSig) // another key set
			c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").want(t, http.StatusOK, "")
			end()
			c.generate("B2C_1A_A", octSig)
			c.generate("B2C_1A_A", octSig) // the write before is over
		})
	}
}

func TestSwitches_FillNbf(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{FillNbf: true}})
	c.make("A")
	r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", octSig)
	if got := r.object(t)["nbf"]; got != json.Number("1767323045") {
		t.Errorf("nbf %v", got)
	}
	r = c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", `{"use":"sig","kty":"oct","nbf":5}`)
	if got := r.object(t)["nbf"]; got != json.Number("5") {
		t.Errorf("given nbf became %v", got)
	}
}

func TestSwitches_OpaqueTokens(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{OpaqueTokens: true}})
	if strings.Contains(c.token, ".") {
		t.Errorf("the token has parts")
	}
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	c.server.Advance(time.Hour)
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusUnauthorized, "InvalidAuthenticationToken")
}
