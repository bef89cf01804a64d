// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"crypto/sha256"
	"encoding/base64"
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
			kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
			if r := c.call(http.MethodPatch, setA+"/keys_v2/"+kid, disabled); test.refused {
				r.want(t, test.status, test.code)
			} else {
				r.want(t, http.StatusNoContent, "")
			}
			c.call(http.MethodGet, setA+"/keys_v2/"+kid, "").want(t, http.StatusOK, "")
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

func TestSwitches_StatusInListing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		switched bool
		want     string // the statuses of the two keys
	}{
		"default": {false, ""},
		"switch":  {true, "enabled disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: emulator.Switches{StatusInListing: test.switched}})
			c.make("A")
			c.generate("B2C_1A_A", octSig)
			c.setStatus(c.generate("B2C_1A_A", octSig), disabled)
			type set struct {
				Keys []map[string]any `json:"keys"`
			}
			var list struct {
				Value []set `json:"value"`
			}
			var one set
			if err := json.Unmarshal(c.call(http.MethodGet, "/trustFramework/keySets", "").body, &list); err != nil || len(list.Value) != 1 {
				t.Fatalf("listing %v (%v)", list, err)
			}
			if err := json.Unmarshal(c.call(http.MethodGet, setA, "").body, &one); err != nil {
				t.Fatal(err)
			}
			for _, keys := range [][]map[string]any{list.Value[0].Keys, one.Keys} {
				var got []string
				for _, k := range keys {
					if s, ok := k["status"]; ok {
						text, _ := s.(string)
						got = append(got, text)
					}
				}
				if strings.Join(got, " ") != test.want || len(keys) != 2 {
					t.Errorf("keys %v, want the statuses %q", keys, test.want)
				}
			}
			if _, ok := c.call(http.MethodGet, setA+"/getActiveKey", "").object(t)["status"]; ok {
				t.Error("the active key has a status")
			}
		})
	}
}

func TestSwitches_DisabledAtFirst(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{DisabledAtFirst: true}})
	c.make("A")
	kid := c.generate("B2C_1A_A", octSig)
	if got := c.status(kid); got != "disabled" {
		t.Errorf("status %q", got)
	}
	c.call(http.MethodGet, setA+"/getActiveKey", "").want(t, http.StatusBadRequest, "AADB2C90019")
	c.setStatus(kid, enabled)
	if got := c.call(http.MethodGet, setA+"/getActiveKey", "").text(t, "kid"); got != kid {
		t.Errorf("active key %q", got)
	}
	if got := c.status(c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})); got != "enabled" {
		t.Errorf("a key of somebody else is %q", got)
	}
}

func TestSwitches_WrappedKeyV2(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		strings bool
		nbf     any
	}{
		"numbers": {false, json.Number("1767322000")},
		"strings": {true, "1767322000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: emulator.Switches{WrappedKeyV2: true, NumbersAsStrings: test.strings}})
			c.make("A")
			kid := c.generate("B2C_1A_A", `{"use":"sig","kty":"oct","nbf":1767322000}`)
			r := c.call(http.MethodGet, setA+"/keys_v2/"+kid, "")
			r.want(t, http.StatusOK, "")
			body := r.object(t)
			key, _ := body["value"].(map[string]any)
			if len(body) != 1 || key["kid"] != kid || key["status"] != "enabled" || key["k"] != nil || key["nbf"] != test.nbf ||
				key["@odata.type"] != "#microsoft.graph.trustFrameworkKey_v2" {
				t.Errorf("answer %s", r.body)
			}
			// The listing is what it always is.
			value, _ := c.call(http.MethodGet, setA+"/keys_v2", "").object(t)["value"].([]any)
			if len(value) != 1 {
				t.Fatalf("listing %v", value)
			}
			if listed, _ := value[0].(map[string]any); listed["kid"] != kid || listed["@odata.type"] != nil {
				t.Errorf("listed %v", listed)
			}
		})
	}
}

func TestSwitches_NoKeysV2(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{Switches: emulator.Switches{NoKeysV2: true}})
	for _, role := range []string{emulator.RoleRead, emulator.RoleReadWrite} {
		c := newTenantCaller(t, s, emulator.TenantConfig{Roles: []string{role}})
		c.tenant.AddKeySet("A")
		kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
		paths := []string{"/keys_v2", "/keys_v2/" + kid, "/keys_v2('" + kid + "')", "/keys_v2/$count"}
		for _, path := range paths {
			r := c.call(http.MethodGet, setA+path, "")
			r.want(t, http.StatusBadRequest, "BadRequest")
			if _, message, _ := r.failure(t); message != "Resource not found for the segment 'keys_v2'." {
				t.Errorf("%s: message %q", path, message)
			}
		}
		for _, e := range c.tenant.Journal() {
			if e.Op != "" || e.Kid != "" || e.KeySet != "B2C_1A_A" {
				t.Errorf("journal %v", e)
			}
		}
		if role == emulator.RoleReadWrite {
			c.call(http.MethodPatch, setA+"/keys_v2/"+kid, disabled).want(t, http.StatusBadRequest, "BadRequest")
		}
		if got := c.tenant.KeySets()[0].Keys[0].Status; got != "enabled" {
			t.Errorf("status %q", got)
		}
	}
}

func TestSwitches_NextLinkHost(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{PageSize: 1, NextLinkHost: "graph.example"}})
	c.make("A")
	c.make("B")
	next, _ := c.call(http.MethodGet, "/trustFramework/keySets", "").object(t)["@odata.nextLink"].(string)
	if !strings.HasPrefix(next, "https://graph.example/beta/trustFramework/keySets?$skiptoken=") {
		t.Errorf("nextLink %q", next)
	}
}

func TestSwitches_TokenEndpointOrigin(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{TokenEndpointOrigin: "http://login.example"}}) //nolint:gosec // it is made up for a test
	r := c.do(http.MethodGet, "/"+c.tenant.ID()+"/v2.0/.well-known/openid-configuration", "", nil)
	endpoint := "http://login.example/" + c.tenant.ID() + "/oauth2/v2.0/token"
	if got := r.text(t, "token_endpoint"); got != endpoint {
		t.Errorf("token endpoint %q, want %q", got, endpoint)
	}
	if got, want := r.text(t, "issuer"), c.server.URL()+"/"+c.tenant.ID()+"/v2.0"; got != want {
		t.Errorf("issuer %q, want %q", got, want)
	}
	// A client proves who it is to the endpoint that the document names.
	key := newKey(t)
	certificate := newCertificate(t, key, startTime().Add(-time.Hour), startTime().Add(time.Hour))
	c.tenant.AddCertificate(certificate)
	thumbprint := sha256.Sum256(certificate.Raw)
	header := map[string]any{"typ": "JWT", "alg": "PS256", "x5t#S256": base64.RawURLEncoding.EncodeToString(thumbprint[:])}
	claims := map[string]any{"iss": c.tenant.ClientID(), "sub": c.tenant.ClientID(), "aud": endpoint, "jti": "1", "nbf": startTime().Unix(), "exp": startTime().Add(time.Minute).Unix()}
	c.exchangeAssertion(signed(t, key, header, claims), nil, "", "")
}

func TestSwitches_KeysV2Unlistable(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{KeysV2Unlistable: true}})
	c.tenant.AddKeySet("A")
	kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
	c.call(http.MethodGet, setA+"/keys_v2", "").want(t, http.StatusBadRequest, "BadRequest")
	if got := c.status(kid); got != "enabled" {
		t.Errorf("status %q", got)
	}
	c.setStatus(kid, disabled)
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
