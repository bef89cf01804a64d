// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// claimsOf reads a token without checking it.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestServer_Token_HasTheClaims(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{})
	c := newTenantCaller(t, s, emulator.TenantConfig{Roles: []string{emulator.RoleRead}})
	for _, resource := range []string{
		"https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us",
		"https://microsoftgraph.chinacloudapi.cn", "00000003-0000-0000-c000-000000000000",
	} {
		form := c.form()
		form.Set("scope", resource+"/.default")
		form.Set("claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`)
		r := c.postForm("/"+strings.ToUpper(c.tenant.Domain())+"/oauth2/v2.0/token", form)
		r.want(t, http.StatusOK, "")
		body := r.object(t)
		if body["token_type"] != "Bearer" || body["expires_in"] != json.Number("3599") || body["ext_expires_in"] != json.Number("3599") {
			t.Errorf("answer %v", body)
		}
		claims := claimsOf(t, r.text(t, "access_token"))
		for name, want := range map[string]any{
			"aud": resource, "tid": c.tenant.ID(), "appid": c.tenant.ClientID(), "iss": "https://sts.windows.net/" + c.tenant.ID() + "/",
			"iat": float64(startTime().Unix()), "nbf": float64(startTime().Unix()), "exp": float64(startTime().Add(time.Hour).Unix()),
		} {
			if claims[name] != want {
				t.Errorf("%s: %s is %v, want %v", resource, name, claims[name], want)
			}
		}
		for name, want := range map[string]string{"roles": emulator.RoleRead, "xms_cc": "CP1"} {
			if list, ok := claims[name].([]any); !ok || len(list) != 1 || list[0] != want {
				t.Errorf("%s is %v, want [%s]", name, claims[name], want)
			}
		}
		if claims["oid"] == "" || claims["oid"] == nil {
			t.Error("no oid")
		}
	}
	if claimsOf(t, c.token)["xms_cc"] != nil {
		t.Error("xms_cc without having been asked for")
	}
}

func TestServer_Token_WhenRefused(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	other := c.server.NewTenant(emulator.TenantConfig{})
	set := func(pairs ...string) func(url.Values) {
		return func(f url.Values) {
			for i := 0; i < len(pairs); i += 2 {
				f.Set(pairs[i], pairs[i+1])
			}
		}
	}
	for name, test := range map[string]struct {
		tenant string
		edit   func(url.Values)
		status int
		error  string
		number string
	}{
		"tenant":            {"00000000-0000-0000-0000-000000000000", set(), 400, "invalid_request", "90002"},
		"common":            {"common", set(), 400, "invalid_request", "90002"},
		"grant type":        {"", set("grant_type", "password"), 400, "unsupported_grant_type", "70003"},
		"no grant type":     {"", func(f url.Values) { f.Del("grant_type") }, 400, "invalid_request", "900144"},
		"client":            {"", set("client_id", other.ClientID()), 400, "unauthorized_client", "700016"},
		"client's tenant":   {other.ID(), set(), 400, "unauthorized_client", "700016"},
		"no client":         {"", func(f url.Values) { f.Del("client_id") }, 400, "invalid_request", "900144"},
		"secret":            {"", set("client_secret", "wrong"), 401, "invalid_client", "7000215"},
		"no secret":         {"", func(f url.Values) { f.Del("client_secret") }, 401, "invalid_client", "7000218"},
		"no scope":          {"", func(f url.Values) { f.Del("scope") }, 400, "invalid_request", "900144"},
		"only OpenID scope": {"", set("scope", "openid profile"), 400, "invalid_scope", "70011"},
		"single permission": {"", set("scope", "https://graph.microsoft.com/User.Read"), 400, "invalid_scope", "70011"},
		"two resources":     {"", set("scope", "https://graph.microsoft.com/.default https://graph.microsoft.us/.default"), 400, "invalid_scope", "70011"},
		"unknown resource":  {"", set("scope", c.server.URL()+"/.default"), 400, "invalid_resource", "500011"},
		"repeated":          {"", func(f url.Values) { f.Add("scope", f.Get("scope")) }, 400, "invalid_request", "9000411"},
		"claims":            {"", set("claims", "{"), 400, "invalid_request", "1400000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, form := test.tenant, c.form()
			if tenant == "" {
				tenant = c.tenant.ID()
			}
			test.edit(form)
			r := c.postForm("/"+tenant+"/oauth2/v2.0/token", form)
			r.want(t, test.status, "")
			body := r.object(t)
			if body["error"] != test.error {
				t.Errorf("error %v, want %s", body["error"], test.error)
			}
			description := r.text(t, "error_description")
			if !strings.HasPrefix(description, "AADSTS"+test.number+": ") || !strings.Contains(description, "\r\nTrace ID: ") ||
				!strings.HasSuffix(description, "\r\nTimestamp: 2026-01-02 03:04:05Z") {
				t.Errorf("description %q", description)
			}
			if codes, ok := body["error_codes"].([]any); !ok || len(codes) != 1 || codes[0] != json.Number(test.number) {
				t.Errorf("codes %v", body["error_codes"])
			}
		})
	}
}

func TestServer_Token_WhenNotAForm(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	path := "/" + c.tenant.ID() + "/oauth2/v2.0/token"
	body := c.form().Encode()
	for name, test := range map[string]struct {
		method string
		header http.Header
		status int
	}{
		"JSON":    {http.MethodPost, http.Header{"Content-Type": {"application/json"}}, http.StatusBadRequest},
		"gzip":    {http.MethodPost, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Content-Encoding": {"gzip"}}, http.StatusBadRequest},
		"GET":     {http.MethodGet, nil, http.StatusMethodNotAllowed},
		"nothing": {http.MethodPost, nil, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.do(test.method, path, body, test.header).want(t, test.status, "")
		})
	}
}

func TestServer_OpenIDConfiguration_NamesTheTenantByGUID(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	for _, name := range []string{c.tenant.ID(), strings.ToUpper(c.tenant.ID()), c.tenant.Domain(), strings.ToUpper(c.tenant.Domain())} {
		r := c.do(http.MethodGet, "/"+name+"/v2.0/.well-known/openid-configuration", "", nil)
		r.want(t, http.StatusOK, "")
		base := c.server.URL() + "/" + c.tenant.ID()
		for member, want := range map[string]string{
			"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
		} {
			if got := r.text(t, member); got != want {
				t.Errorf("%s: %s is %q, want %q", name, member, got, want)
			}
		}
		keys := c.do(http.MethodGet, strings.TrimPrefix(r.text(t, "jwks_uri"), c.server.URL()), "", nil)
		keys.want(t, http.StatusOK, "")
		if list, ok := keys.object(t)["keys"].([]any); !ok || len(list) != 1 {
			t.Errorf("keys %s", keys.body)
		}
	}
	r := c.do(http.MethodGet, "/unknown.test/v2.0/.well-known/openid-configuration", "", nil)
	r.want(t, http.StatusBadRequest, "")
	if r.text(t, "error") != "invalid_tenant" || !strings.HasPrefix(r.text(t, "error_description"), "AADSTS90002: Tenant 'unknown.test' not found.") {
		t.Errorf("answer %s", r.body)
	}
}

func TestServer_OpenIDConfiguration_FollowsTheHostName(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Hostnames: []string{"login.test"}})
	path := "/" + c.tenant.ID() + "/v2.0/.well-known/openid-configuration"
	for host, want := range map[string]string{"login.test:1234": "https://login.test:1234", "evil.test": c.server.URL()} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.server.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			Issuer string `json:"issuer"`
		}
		err = json.NewDecoder(resp.Body).Decode(&document)
		_ = resp.Body.Close()
		if err != nil || document.Issuer != want+"/"+c.tenant.ID()+"/v2.0" {
			t.Errorf("%s: issuer %q (%v)", host, document.Issuer, err)
		}
	}
}

func TestServer_InstanceDiscovery_AnswersForItself(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	ask := func(endpoint string) result {
		return c.do(http.MethodGet, "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(endpoint), "", nil)
	}
	r := ask(c.server.URL() + "/" + c.tenant.ID() + "/oauth2/v2.0/authorize")
	r.want(t, http.StatusOK, "")
	if got, want := r.text(t, "tenant_discovery_endpoint"), c.server.URL()+"/"+c.tenant.ID()+"/v2.0/.well-known/openid-configuration"; got != want {
		t.Errorf("endpoint %q, want %q", got, want)
	}
	ask("https://login.microsoftonline.com/"+c.tenant.ID()+"/oauth2/v2.0/authorize").want(t, http.StatusBadRequest, "")
	ask(c.server.URL()+"/unknown.test/oauth2/v2.0/authorize").want(t, http.StatusBadRequest, "")
	c.do(http.MethodPost, "/common/discovery/instance", "", nil).want(t, http.StatusNotFound, "")
	c.do(http.MethodGet, "/common/oauth2/v2.0/devicecode", "", nil).want(t, http.StatusNotFound, "")
	var ops []emulator.Op
	for _, e := range c.tenant.Journal() {
		ops = append(ops, e.Op)
	}
	if !slices.Equal(ops, []emulator.Op{emulator.OpDiscovery}) {
		t.Errorf("journal %q", ops)
	}
}
