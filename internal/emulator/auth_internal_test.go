// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// The token endpoint doesn't issue these tokens, so they are signed here.
func TestServer_Authorization_WhenClaimsAreRefused(t *testing.T) {
	t.Parallel()
	s, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := s.Now().Unix()
	good := claims{
		Aud: "https://graph.microsoft.com", Tid: s.NewTenant(TenantConfig{}).ID(),
		Nbf: now - 10, Exp: now + 1000, Roles: []string{RoleReadWrite},
	}
	for name, test := range map[string]struct {
		edit    func(*claims)
		status  int
		message string
	}{
		"good":          {func(*claims) {}, http.StatusOK, ""},
		"Graph's id":    {func(c *claims) { c.Aud = graphAppID }, http.StatusOK, ""},
		"audience":      {func(c *claims) { c.Aud = "https://vault.azure.net" }, http.StatusUnauthorized, "Access token validation failure. Invalid audience."},
		"no audience":   {func(c *claims) { c.Aud = "" }, http.StatusUnauthorized, "Access token validation failure. Invalid audience."},
		"tenant":        {func(c *claims) { c.Tid = graphAppID }, http.StatusUnauthorized, "Access token validation failure. Invalid tenant."},
		"no tenant":     {func(c *claims) { c.Tid = "" }, http.StatusUnauthorized, "Access token validation failure. Invalid tenant."},
		"not yet valid": {func(c *claims) { c.Nbf = now + 100 }, http.StatusUnauthorized, "Lifetime validation failed, the token is not yet valid."},
		"expired":       {func(c *claims) { c.Exp = now - 1 }, http.StatusUnauthorized, "Lifetime validation failed, the token is expired."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := good
			test.edit(&c)
			token, err := s.signer.issue(c, false)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/beta/trustFramework/keySets", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			s.serve(w, r)
			var body graphErrorBody
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != test.status || body.Error.Message != test.message {
				t.Errorf("%d %s (%v)", w.Code, w.Body, err)
			}
		})
	}
}
