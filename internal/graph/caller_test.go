// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestCallerOf(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		token string
		want  *caller
	}{
		"an application's": {
			jwt(`{"aud":"https://graph.microsoft.com","appid":"a","idtyp":"app","oid":"o","tid":"t","roles":["B","A"],"uti":"x"}`),
			&caller{ClientID: "a", ObjectID: "o", TenantID: "t", Graph: "https://graph.microsoft.com", Permissions: []string{"A", "B"}},
		},
		"version 2":          {jwt(`{"aud":"00000003-0000-0000-c000-000000000000","azp":"a","idtyp":"app"}`), &caller{ClientID: "a"}},
		"a national cloud's": {jwt(`{"aud":"https://graph.microsoft.us/"}`), &caller{Graph: "https://graph.microsoft.us"}},
		"no plain origin":    {jwt(`{"aud":"https://graph.microsoft.us;reboot"}`), &caller{}},
		"a managed identity's": {
			jwt(`{"appid":"a","idtyp":"app","xms_mirid":"/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/v"}`),
			&caller{ClientID: "a", ManagedIdentity: true},
		},
		"a user's":              {jwt(`{"appid":"a","scp":"User.Read openid","roles":["A"]}`), &caller{ClientID: "a", Permissions: []string{"User.Read", "openid"}, Delegated: true}},
		"a user's without scps": {jwt(`{"appid":"a","idtyp":"user"}`), &caller{ClientID: "a", Permissions: []string{}, Delegated: true}},
		"opaque":                {"EwBsomething", nil},
		"no JSON":               {jwt("no"), nil},
		"odd claims":            {jwt(`{"appid":"a","roles":"A"}`), nil},
		"no base64":             {"a.!.c", nil},
		"encrypted":             {"a.b.c.d.e", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := callerOf(row.token, nil)
			if ok != (row.want != nil) || ok && !reflect.DeepEqual(got, *row.want) {
				t.Errorf("got %+v, %t", got, ok)
			}
		})
	}
}

// TestTransport_RoundTrip_TellsTheCallerOfA403, and of nothing else; what the service says in its place is no answer.
func TestTransport_RoundTrip_TellsTheCallerOfA403(t *testing.T) {
	t.Parallel()
	token := jwt(`{"appid":"client","roles":["Directory.Read.All"]}`)
	for name, row := range map[string]struct {
		token  string
		status int
		want   bool
	}{
		"403":         {token, 403, true},
		"403, opaque": {"opaque", 403, false},
		"400":         {token, 400, false},
		"401":         {token, 401, false},
		"200":         {token, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, status(row.status, "{}", callerHeader, `{"ClientID":"forged"}`))
			transport := s.transport()
			transport.tokens = newTokenSource(fixedToken(row.token), "scope", nil)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/beta/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close() //nolint:errcheck // it is in memory
			text := resp.Header.Get(callerHeader)
			var got caller
			if row.want && (json.Unmarshal([]byte(text), &got) != nil || got.ClientID != "client") || !row.want && text != "" {
				t.Errorf("got %q", text)
			}
			if strings.Contains(text+s.log.String(), row.token) {
				t.Error("the token itself is told")
			}
		})
	}
}
