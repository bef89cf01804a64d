// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// control sends a request to the control plane.
func control(t *testing.T, c *caller, method, path, body string, edit func(*http.Request)) result {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.server.ControlURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if edit != nil {
		edit(req)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return result{status: resp.StatusCode, header: resp.Header, body: raw, err: err}
}

func TestControl_DoesWhatTheLibraryDoes(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Control: "127.0.0.1:0"})
	do := func(method, path, body string, status int) result {
		t.Helper()
		r := control(t, c, method, path, body, nil)
		r.want(t, status, "")
		return r
	}
	const set = "/trustFramework/keySets/B2C_1A_A"

	do(http.MethodPost, "/keysets", `{"id":"A"}`, 204)
	r := do(http.MethodPost, "/keys", `{"keySet":"A","kty":"oct","use":"enc","nbf":5}`, 200)
	kid := r.text(t, "kid")
	if got := c.call(http.MethodGet, set, "").kids(t); len(got) != 1 || got[0] != kid {
		t.Errorf("kids %q, want %q", got, kid)
	}
	var sets []emulator.KeySet
	if err := json.Unmarshal(do(http.MethodGet, "/keysets", "", 200).body, &sets); err != nil || len(sets) != 1 || *sets[0].Keys[0].Nbf != 5 {
		t.Errorf("key sets %v (%v)", sets, err)
	}
	do(http.MethodDelete, "/keys/A/"+kid, "", 204)
	if got := c.call(http.MethodGet, set, "").kids(t); len(got) != 0 {
		t.Errorf("kids %q", got)
	}
	do(http.MethodPost, "/keys", `{"keySet":"A","certificate":{"subject":"S","notBefore":"2026-01-01T00:00:00Z","notAfter":"2027-01-01T00:00:00Z"}}`, 200)
	if key := c.tenant.KeySets()[0].Keys[0]; len(key.X5C) != 1 {
		t.Errorf("key %v", key)
	}
	do(http.MethodDelete, "/keysets/A", "", 204)
	c.call(http.MethodGet, set, "").want(t, http.StatusBadRequest, missing)

	do(http.MethodPost, "/faults", `{"kind":"Throttled","op":"list","retryAfter":"2.5","times":2}`, 204)
	for range 2 {
		r := c.call(http.MethodGet, "/trustFramework/keySets", "")
		if r.want(t, http.StatusTooManyRequests, ""); r.header.Get("Retry-After") != "2.5" {
			t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
		}
	}
	do(http.MethodPost, "/faults", `{"op":"list","status":502,"body":"x","contentType":"text/html","times":-1}`, 204)
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusBadGateway, "")
	for _, op := range []string{"listKeys", "getKey", "patchKey"} {
		do(http.MethodPost, "/faults", `{"kind":"Unavailable","op":"`+op+`"}`, 204)
	}
	do(http.MethodDelete, "/faults", "", 204)
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")

	do(http.MethodPost, "/lag", `{"lag":"90s"}`, 204)
	c.make("A")
	c.call(http.MethodGet, set, "").want(t, http.StatusBadRequest, missing)
	r = do(http.MethodPost, "/time", `{"advance":"90s"}`, 200)
	if got, want := r.text(t, "now"), startTime().Add(90*time.Second).Format(time.RFC3339); got != want {
		t.Errorf("now %q, want %q", got, want)
	}
	c.call(http.MethodGet, set, "").want(t, http.StatusOK, "")

	do(http.MethodPost, "/roles", `{"roles":["TrustFrameworkKeySet.Read.All"]}`, 204)
	c.newToken()
	c.call(http.MethodDelete, set, "").want(t, http.StatusForbidden, "")

	var entries []emulator.Entry
	if err := json.Unmarshal(do(http.MethodGet, "/journal", "", 200).body, &entries); err != nil || len(entries) != len(c.tenant.Journal()) {
		t.Errorf("journal %v (%v)", entries, err)
	}
	do(http.MethodDelete, "/journal", "", 204)
	if got := string(do(http.MethodGet, "/journal", "", 200).body); got != "[]\n" {
		t.Errorf("journal %q", got)
	}
	do(http.MethodPost, "/connections", `{"refuse":1,"closeIdle":true}`, 204)
	c.http.CloseIdleConnections()
	if r := c.try(http.MethodGet, "/beta", "", nil); r.err == nil {
		t.Errorf("the connection wasn't refused: %d", r.status)
	}
}

func TestControl_Faults_EveryKind(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Control: "127.0.0.1:0"})
	for _, kind := range []string{"Throttled", "Unavailable", "GatewayTimeout", "CutAfterCommit", "CutBeforeWork", "ServiceProblem", "EmptyAnswer"} {
		control(t, c, http.MethodPost, "/faults", `{"kind":"`+kind+`","op":"create"}`, nil).want(t, http.StatusNoContent, "")
		c.try(http.MethodPost, "/beta/trustFramework/keySets", `{"id":"`+kind+`"}`, http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}})
		journal := c.tenant.Journal()
		if last := journal[len(journal)-1]; last.Fault != kind {
			t.Errorf("fault %q, want %q", last.Fault, kind)
		}
	}
}

func TestControl_WhenRefused(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Control: "localhost:0"})
	u, err := url.Parse(c.server.ControlURL())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		method, path, body string
		edit               func(*http.Request)
		status             int
	}{
		"origin":           {http.MethodGet, "/journal", "", func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }, 403},
		"null origin":      {http.MethodGet, "/journal", "", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"foreign host":     {http.MethodGet, "/journal", "", func(r *http.Request) { r.Host = "rebound.example:" + u.Port() }, 403},
		"localhost":        {http.MethodGet, "/journal", "", func(r *http.Request) { r.Host = "localhost:" + u.Port() }, 200},
		"IPv6 loopback":    {http.MethodGet, "/journal", "", func(r *http.Request) { r.Host = "[::1]:" + u.Port() }, 200},
		"form":             {http.MethodPost, "/time", `{"advance":"1s"}`, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		"named tenant":     {http.MethodGet, "/journal?tenant=" + c.tenant.Domain(), "", nil, 200},
		"unknown tenant":   {http.MethodGet, "/journal?tenant=x", "", nil, 404},
		"unknown path":     {http.MethodGet, "/x", "", nil, 404},
		"method":           {http.MethodPut, "/journal", "{}", nil, 405},
		"unknown member":   {http.MethodPost, "/lag", `{"lag":"1s","x":1}`, nil, 400},
		"two values":       {http.MethodPost, "/lag", `{"lag":"1s"}{}`, nil, 400},
		"not JSON":         {http.MethodPost, "/lag", `lag`, nil, 400},
		"too large":        {http.MethodPost, "/lag", `{"lag":"` + strings.Repeat("1", 70<<10) + `"}`, nil, 400},
		"duration":         {http.MethodPost, "/lag", `{"lag":"soon"}`, nil, 400},
		"back in time":     {http.MethodPost, "/time", `{"advance":"-1s"}`, nil, 400},
		"unknown fault":    {http.MethodPost, "/faults", `{"kind":"Earthquake"}`, nil, 400},
		"empty fault":      {http.MethodPost, "/faults", `{"op":"list"}`, nil, 400},
		"fault's op":       {http.MethodPost, "/faults", `{"op":"List","cut":true}`, nil, 400},
		"fault's status":   {http.MethodPost, "/faults", `{"status":99}`, nil, 400},
		"fault's skip":     {http.MethodPost, "/faults", `{"cut":true,"skip":-1}`, nil, 400},
		"fault's lag":      {http.MethodPost, "/faults", `{"lag":"x"}`, nil, 400},
		"name of a set":    {http.MethodPost, "/keysets", `{"id":"a/b"}`, nil, 400},
		"key of no set":    {http.MethodPost, "/keys", `{"keySet":"None"}`, nil, 404},
		"oct certificate":  {http.MethodPost, "/keys", `{"keySet":"None","kty":"oct","certificate":{}}`, nil, 400},
		"kty":              {http.MethodPost, "/keys", `{"keySet":"None","kty":"EC"}`, nil, 400},
		"Graph isn't here": {http.MethodGet, "/beta/trustFramework/keySets", "", nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			control(t, c, test.method, test.path, test.body, test.edit).want(t, test.status, "")
		})
	}
}

func TestControl_WhenSeveralTenants(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Control: "127.0.0.1:0"})
	other := c.server.NewTenant(emulator.TenantConfig{})
	control(t, c, http.MethodPost, "/keysets", `{"id":"A"}`, nil).want(t, http.StatusBadRequest, "")
	control(t, c, http.MethodPost, "/keysets?tenant="+other.ID(), `{"id":"A"}`, nil).want(t, http.StatusNoContent, "")
	if len(c.tenant.KeySets()) != 0 || len(other.KeySets()) != 1 {
		t.Error("the wrong tenant was changed")
	}
}

func TestServer_ControlURL_WhenThereIsNone(t *testing.T) {
	t.Parallel()
	if s := newServer(t, emulator.Config{}); s.ControlURL() != "" {
		t.Errorf("control plane at %q", s.ControlURL())
	}
}
