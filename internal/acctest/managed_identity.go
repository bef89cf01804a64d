// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// ManagedIdentity is the endpoint of a machine with one user-assigned identity (documented: "How to use managed
// identities for App Service", protocol 2019-08-01).
type ManagedIdentity struct {
	// ClientID is the identity's.
	ClientID string

	server *httptest.Server
	header string
	asked  atomic.Int64
}

// ManagedIdentity runs an endpoint whose identity belongs to a given tenant.
func (e *Env) ManagedIdentity(t *testing.T, of *emulator.Tenant) *ManagedIdentity {
	t.Helper()
	m := &ManagedIdentity{ClientID: "55555555-5555-5555-5555-555555555555", header: rand.Text()}
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.asked.Add(1)
		query := r.URL.Query()
		switch {
		case r.Header.Get("X-Identity-Header") != m.header:
			say(w, http.StatusUnauthorized, map[string]any{"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."})
		case r.Method != http.MethodGet || query.Get("api-version") != "2019-08-01" || query.Get("resource") == "":
			say(w, http.StatusBadRequest, map[string]any{"statusCode": 400, "message": "Bad request."})
		case query.Get("client_id") != m.ClientID:
			say(w, http.StatusBadRequest, map[string]any{"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."})
		default:
			token, expires, err := of.IssueToken(query.Get("resource"), emulator.Identity{
				ClientID:        m.ClientID,
				ManagedIdentity: "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/terraform",
			})
			if err != nil {
				t.Error(err)
			}
			say(w, http.StatusOK, map[string]string{
				"access_token": token, "expires_on": strconv.FormatInt(expires.Unix(), 10),
				"resource": query.Get("resource"), "token_type": "Bearer", "client_id": m.ClientID,
			})
		}
	}))
	t.Cleanup(m.server.Close)
	return m
}

// Variables are what App Service sets.
func (m *ManagedIdentity) Variables() map[string]string {
	return map[string]string{"IDENTITY_ENDPOINT": m.server.URL + "/msi/token", "IDENTITY_HEADER": m.header}
}

// Asked is the number of requests.
func (m *ManagedIdentity) Asked() int { return int(m.asked.Load()) }
