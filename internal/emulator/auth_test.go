// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestServer_Authorization_WhenTokenIsRefused(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	foreign := newCaller(t, emulator.Config{})
	parts := strings.Split(c.token, ".")
	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"tid":"`+c.tenant.ID()+`"}`)) + "." + parts[2]
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	for name, test := range map[string]struct{ header, message string }{
		"none":      {"", "Access token is empty."},
		"no token":  {"Bearer ", "Access token is empty."},
		"basic":     {"Basic dTpw", "Access token is empty."},
		"malformed": {"Bearer abc", "CompactToken parsing failed with error code: 80049217"},
		"not JSON":  {"Bearer YQ.YQ.YQ", "CompactToken parsing failed with error code: 80049217"},
		"forged":    {"Bearer " + forged, "Access token validation failure. Invalid signature."},
		"unsigned":  {"Bearer " + unsigned, "Access token validation failure. Invalid signature."},
		"foreign":   {"Bearer " + foreign.token, "Access token validation failure. Invalid signature."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"Client-Request-Id": {"7"}}
			if test.header != "" {
				h.Set("Authorization", test.header)
			}
			r := c.do(http.MethodGet, "/beta/trustFramework/keySets", "", h)
			r.want(t, http.StatusUnauthorized, "InvalidAuthenticationToken")
			_, message, inner := r.failure(t)
			if message != test.message {
				t.Errorf("message %q, want %q", message, test.message)
			}
			if inner["correlationId"] != nil || inner["client-request-id"] != "7" || inner["request-id"] != r.header.Get("request-id") {
				t.Errorf("innerError %v", inner)
			}
			if got := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") {
				t.Errorf("WWW-Authenticate %q", got)
			}
		})
	}
}

func TestServer_Authorization_WhenTokenExpires(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.server.Advance(time.Hour - time.Second)
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	c.server.Advance(time.Second)
	r := c.call(http.MethodGet, "/trustFramework/keySets", "")
	r.want(t, http.StatusUnauthorized, "InvalidAuthenticationToken")
	if _, message, _ := r.failure(t); message != "Lifetime validation failed, the token is expired." {
		t.Errorf("message %q", message)
	}
	c.newToken()
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
}

func TestServer_Authorization_ByRole(t *testing.T) {
	t.Parallel()
	const both = "(TrustFrameworkKeySet.Read.All, TrustFrameworkKeySet.ReadWrite.All)"
	const write = "(TrustFrameworkKeySet.ReadWrite.All)"
	requests := map[string]struct{ method, path, body, names string }{
		"list":         {http.MethodGet, "", "", both},
		"get":          {http.MethodGet, "/B2C_1A_A", "", both},
		"getActiveKey": {http.MethodGet, "/B2C_1A_A/getActiveKey", "", both},
		"create":       {http.MethodPost, "", `{"id":"New"}`, write},
		"generateKey":  {http.MethodPost, "/B2C_1A_A/generateKey", octSig, write},
		"delete":       {http.MethodDelete, "/B2C_1A_Gone", "", write},
		"listKeys":     {http.MethodGet, "/B2C_1A_A/keys_v2", "", write},
		"getKey":       {http.MethodGet, "/B2C_1A_A/keys_v2/KID", "", write},
		"patchKey":     {http.MethodPatch, "/B2C_1A_A/keys_v2('KID')", disabled, write},
	}
	for role, test := range map[string]struct {
		roles       []string
		read, write bool
	}{
		"none":      {[]string{}, false, false},
		"other":     {[]string{"Policy.Read.All"}, false, false},
		"read":      {[]string{emulator.RoleRead}, true, false},
		"readwrite": {[]string{emulator.RoleReadWrite}, true, true},
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, emulator.Config{})
			c := newTenantCaller(t, s, emulator.TenantConfig{Roles: test.roles})
			c.tenant.AddKeySet("A")
			c.tenant.AddKeySet("Gone")
			kid := c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"})
			c.tenant.AddKey("A", emulator.KeySpec{Kty: "oct"}) // stays active
			for name, q := range requests {
				r := c.call(q.method, "/trustFramework/keySets"+strings.ReplaceAll(q.path, "KID", kid), q.body)
				if test.read && q.names == both || test.write {
					if r.status >= 400 {
						t.Errorf("%s: %d %s", name, r.status, r.body)
					}
					continue
				}
				r.want(t, http.StatusForbidden, "AADB2C")
				want := "The application does not have any of the required application permissions " + q.names + " to access the resource. "
				if _, message, inner := r.failure(t); message != want || inner["correlationId"] == nil {
					t.Errorf("%s: message %q, want %q; innerError %v", name, message, want, inner)
				}
			}
		})
	}
}

func TestTenant_SetRoles_ChangesTheNextToken(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.SetRoles()
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	c.newToken()
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusForbidden, "AADB2C")
}
