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

const (
	setA        = "/trustFramework/keySets/B2C_1A_A"
	disabled    = `{"status":"disabled"}`
	enabled     = `{"status":"enabled"}`
	noResource  = "Request_ResourceNotFound"
	contextKeys = "/beta/$metadata#trustFramework/keySets('B2C_1A_A')/keys_v2"
)

// status reads the status of a key in B2C_1A_A.
func (c *caller) status(kid string) string {
	c.t.Helper()
	r := c.call(http.MethodGet, setA+"/keys_v2/"+kid, "")
	r.want(c.t, http.StatusOK, "")
	return r.text(c.t, "status")
}

// setStatus sets the status of a key in B2C_1A_A.
func (c *caller) setStatus(kid, body string) {
	c.t.Helper()
	c.call(http.MethodPatch, setA+"/keys_v2/"+kid, body).want(c.t, http.StatusNoContent, "")
}

func TestServer_ListKeys_HasAllWithStatus(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	r := c.call(http.MethodGet, setA+"/keys_v2", "")
	r.want(t, http.StatusOK, "")
	if value, ok := r.object(t)["value"].([]any); !ok || len(value) != 0 {
		t.Errorf("an empty set has %s", r.body)
	}
	first := c.generate("B2C_1A_A", `{"use":"sig","kty":"oct","nbf":1767322000,"exp":1799000000}`)
	second := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
	c.tenant.SetKeyStatus("A", second, false)

	r = c.call(http.MethodGet, "/TrustFramework/KEYSETS('b2c_1a_a')/Keys_V2", "")
	r.want(t, http.StatusOK, "")
	if got := r.text(t, "@odata.context"); got != c.server.URL()+contextKeys {
		t.Errorf("context %q", got)
	}
	value, ok := r.object(t)["value"].([]any)
	if !ok || len(value) != 2 {
		t.Fatalf("listing %s", r.body)
	}
	for i, want := range []map[string]any{
		{
			"kid": first, "kty": "oct", "use": "sig", "k": nil, "n": nil, "e": nil,
			"nbf": json.Number("1767322000"), "exp": json.Number("1799000000"), "status": "enabled",
		},
		{"kid": second, "kty": "oct", "use": "sig", "k": nil, "n": nil, "e": nil, "nbf": nil, "exp": nil, "status": "disabled"},
	} {
		key, _ := value[i].(map[string]any)
		for name, w := range want {
			if got, ok := key[name]; !ok || got != w {
				t.Errorf("key %d: %s is %v (there: %t), want %v", i, name, got, ok, w)
			}
		}
		if _, ok := key["@odata.context"]; ok || len(key) != len(want)+1 { // x5c
			t.Errorf("key %d: %v", i, key)
		}
	}
}

func TestServer_GetKey_IsBare(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	r := c.call(http.MethodPost, setA+"/generateKey", `{"use":"enc","kty":"RSA"}`)
	r.want(t, http.StatusOK, "")
	want := r.object(t)
	if _, ok := want["status"]; ok {
		t.Errorf("the answer of generateKey has a status: %s", r.body)
	}
	kid := r.text(t, "kid")
	want["@odata.context"] = c.server.URL() + contextKeys + "/$entity"
	want["status"] = "enabled"
	delete(want, "x5c")
	for _, path := range []string{"/keys_v2/" + kid, "/keys_v2('" + kid + "')", "/KEYS_V2(%27" + kid + "%27)"} {
		r := c.call(http.MethodGet, setA+path, "")
		r.want(t, http.StatusOK, "")
		key := r.object(t)
		if x5c, ok := key["x5c"].([]any); !ok || len(x5c) != 0 || len(key) != len(want)+1 {
			t.Errorf("%s: %s", path, r.body)
		}
		for name, w := range want {
			if got, ok := key[name]; !ok || got != w {
				t.Errorf("%s: %s is %v (there: %t), want %v", path, name, got, ok, w)
			}
		}
	}
}

func TestServer_KeysV2_WhenMissing(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"default": http.StatusBadRequest, "switch": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: emulator.Switches{MissingStatus: status}})
			c.tenant.AddKeySet("A")
			c.tenant.AddKeySet("B")
			other := c.tenant.AddKey("B", emulator.KeySpec{Kty: "oct"})
			kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
			swapped := strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
					return r ^ 0x20
				}
				return r
			}, kid)
			c.call(http.MethodGet, "/trustFramework/keySets/A/keys_v2", "").want(t, status, missing)
			c.call(http.MethodGet, "/trustFramework/keySets/A/keys_v2/"+kid, "").want(t, status, missing)
			c.call(http.MethodPatch, "/trustFramework/keySets/A/keys_v2/"+kid, disabled).want(t, status, missing)
			for _, none := range []string{other, swapped, "x"} {
				for method, body := range map[string]string{http.MethodGet: "", http.MethodPatch: disabled} {
					r := c.call(method, setA+"/keys_v2/"+none, body)
					r.want(t, http.StatusNotFound, noResource)
					if _, message, inner := r.failure(t); !strings.Contains(message, "'"+none+"'") || inner["request-id"] == nil {
						t.Errorf("%s: %s", method, r.body)
					}
				}
			}
			for _, set := range c.tenant.KeySets() {
				if set.Keys[0].Status != "enabled" {
					t.Errorf("set %v", set)
				}
			}
		})
	}
}

func TestServer_PatchKey_SetsTheStatus(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	old, active := c.generate("B2C_1A_A", octSig), c.generate("B2C_1A_A", octSig)
	const getActive = setA + "/getActiveKey"
	c.tenant.ResetJournal()

	r := c.call(http.MethodPatch, setA+"/keys_v2('"+active+"')", `{"status":"disabled",}`)
	r.want(t, http.StatusNoContent, "")
	if len(r.body) != 0 || r.header.Get("Content-Type") != "" || len(r.header.Get("request-id")) != 36 {
		t.Errorf("answer %v %q", r.header, r.body)
	}
	c.setStatus(active, disabled) // again: nothing changes
	if got := c.status(active) + " " + c.status(old); got != "disabled enabled" {
		t.Errorf("statuses %s", got)
	}
	if got := c.call(http.MethodGet, getActive, "").text(t, "kid"); got != old {
		t.Errorf("a disabled key is active")
	}
	if keys := c.tenant.KeySets()[0].Keys; keys[0].Status != "enabled" || keys[1].Status != "disabled" {
		t.Errorf("keys %v", keys)
	}
	// The last usable key, too.
	c.call(http.MethodPatch, "/trustFramework/keysets('b2c_1a_a')/KEYS_V2/"+old, disabled).want(t, http.StatusNoContent, "")
	c.call(http.MethodGet, getActive, "").want(t, http.StatusBadRequest, "AADB2C90019")
	c.setStatus(active, enabled)
	if got := c.call(http.MethodGet, getActive, "").text(t, "kid"); got != active {
		t.Errorf("the enabled key isn't active")
	}

	var got []emulator.Entry
	for _, e := range c.tenant.Journal() {
		if e.Write() {
			got = append(got, emulator.Entry{Op: e.Op, KeySet: e.KeySet, Kid: e.Kid, Status: e.Status, Committed: e.Committed})
		}
	}
	want := []emulator.Entry{
		{Op: emulator.OpPatchKey, KeySet: "B2C_1A_A", Kid: active, Status: 204, Committed: true},
		{Op: emulator.OpPatchKey, KeySet: "B2C_1A_A", Kid: active, Status: 204},
		{Op: emulator.OpPatchKey, KeySet: "B2C_1A_A", Kid: old, Status: 204, Committed: true},
		{Op: emulator.OpPatchKey, KeySet: "B2C_1A_A", Kid: active, Status: 204, Committed: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("journal %v, want %v", got, want)
	}
}

func TestServer_PatchKey_WhenRefused(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.AddKeySet("A")
	kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
	media := http.Header{"Content-Type": {"application/json"}}
	for name, test := range map[string]struct {
		body   string
		header http.Header
		status int
		code   string
		text   string
	}{
		"empty":           {"", media, 400, "BadRequest", "Empty Payload"},
		"no type":         {"", nil, 415, "BadRequest", "content type"},
		"malformed":       {`{"status":`, nil, 400, "BadRequest", "Unable to read JSON"},
		"twice":           {`{"status":"enabled","status":"disabled"}`, nil, 400, "BadRequest", "Unable to read JSON"},
		"nothing":         {`{}`, nil, 400, "AADB2C90253", "'status'"},
		"null":            {`{"status":null}`, nil, 400, "AADB2C90253", "'status'"},
		"blank":           {`{"status":""}`, nil, 400, "AADB2C90253", "'status'"},
		"other value":     {`{"status":"revoked"}`, nil, 400, "AADB2C90136", "'status' has the value 'revoked'"},
		"in capitals":     {`{"status":"Disabled"}`, nil, 400, "AADB2C90136", "'Disabled'"},
		"future value":    {`{"status":"unknownFutureValue"}`, nil, 400, "AADB2C90136", "'unknownFutureValue'"},
		"boolean":         {`{"status":false}`, nil, 400, "AADB2C90136", "'false'"},
		"read-only":       {`{"status":"disabled","exp":4102444800}`, nil, 400, "AADB2C99014", "The property 'exp' can not be modified. It's a read only property."},
		"read-only alone": {`{"use":"enc"}`, nil, 400, "AADB2C99014", "'use'"},
		"kid":             {`{"kid":"` + kid + `","status":"disabled"}`, nil, 400, "AADB2C99014", "'kid'"},
		"other case":      {`{"Status":"disabled"}`, nil, 400, "AADB2C99014", "'Status'"},
		"odata type":      {`{"@odata.type":"#microsoft.graph.trustFrameworkKey_v2","status":"disabled"}`, nil, 400, "AADB2C99014", "'@odata.type'"},
		"query":           {disabled, nil, 400, "BadRequest", "'$select'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := "/beta" + setA + "/keys_v2/" + kid
			if name == "query" {
				path += "?$select=status"
			}
			r := c.callWith(http.MethodPatch, path, test.body, test.header)
			r.want(t, test.status, test.code)
			if _, message, _ := r.failure(t); !strings.Contains(message, test.text) {
				t.Errorf("message %q lacks %q", message, test.text)
			}
			if got := c.tenant.KeySets()[0].Keys[0].Status; got != "enabled" {
				t.Errorf("status %q", got)
			}
		})
	}
	t.Run("value is not repeated", func(t *testing.T) {
		t.Parallel()
		r := c.call(http.MethodPatch, setA+"/keys_v2/"+kid, `{"k":"hunter2"}`)
		r.want(t, http.StatusBadRequest, "AADB2C99014")
		if strings.Contains(string(r.body), "hunter2") {
			t.Errorf("the answer has the secret: %s", r.body)
		}
	})
}

func TestServer_PatchKey_MeetsFaults(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.AddKeySet("A")
	kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
	c.tenant.Inject(emulator.ServiceProblem(emulator.OpListKeys).On("A"))
	c.tenant.Inject(emulator.Unavailable(emulator.OpGetKey))
	c.tenant.Inject(emulator.Throttled(emulator.OpPatchKey, "1.5"))
	c.tenant.Inject(emulator.GatewayTimeout(emulator.OpPatchKey).WithLag(time.Minute))
	c.call(http.MethodGet, setA+"/keys_v2", "").want(t, http.StatusInternalServerError, "AADB2C90063")
	c.call(http.MethodGet, setA+"/keys_v2/"+kid, "").want(t, http.StatusServiceUnavailable, "")
	c.call(http.MethodPatch, setA+"/keys_v2/"+kid, disabled).want(t, http.StatusTooManyRequests, "")
	if got := c.tenant.KeySets()[0].Keys[0].Status; got != "enabled" {
		t.Errorf("status after the 429: %q", got)
	}
	c.call(http.MethodPatch, setA+"/keys_v2/"+kid, disabled).want(t, http.StatusGatewayTimeout, "")
	if got := c.tenant.KeySets()[0].Keys[0].Status; got != "disabled" {
		t.Errorf("status after the 504: %q", got)
	}
	if got := c.status(kid); got != "enabled" {
		t.Errorf("status under the fault's lag: %q", got)
	}
	var committed []bool
	for _, e := range c.tenant.Journal() {
		if e.Fault != "" {
			committed = append(committed, e.Committed)
		}
	}
	if !slices.Equal(committed, []bool{false, false, false, true}) {
		t.Errorf("committed: %v", committed)
	}
}

func TestServer_PatchKey_OfABackup(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	kid := c.generate("B2C_1A_A", octSig)
	c.setStatus(kid, disabled)
	c.tenant.SetLag(time.Minute)
	c.call(http.MethodDelete, setA, "").want(t, http.StatusNoContent, "")
	c.call(http.MethodPatch, setA+"/keys_v2/"+kid, enabled).want(t, http.StatusBadRequest, missing)
	c.tenant.SetKeyStatus("A.bak", kid, true)
	if got := c.status(kid); got != "disabled" { // the old life shows yet, and is another
		t.Errorf("status of the deleted set's key: %q", got)
	}
	if sets := c.tenant.KeySets(); len(sets) != 1 || sets[0].Keys[0].Status != "enabled" {
		t.Errorf("sets %v", sets)
	}
}
