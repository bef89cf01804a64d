// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
)

// AzureDevOps is the ID token endpoint of a pipeline's job (documented: REST API 7.1, "Oidctoken - Create").
type AzureDevOps struct {
	*Issuer
	// Subject is the sub claim of the service connection's tokens.
	Subject string
	// ServiceConnectionID is the only service connection.
	ServiceConnectionID string

	server *httptest.Server
	token  string
}

// AzureDevOps runs a job that may use one service connection.
func (e *Env) AzureDevOps(t *testing.T) *AzureDevOps {
	t.Helper()
	a := &AzureDevOps{
		Issuer:              e.NewIssuer(t, "https://vstoken.dev.azure.com/33333333-3333-3333-3333-333333333333"),
		Subject:             "sc://contoso/identity/b2c",
		ServiceConnectionID: "44444444-4444-4444-4444-444444444444",
		token:               rand.Text(),
	}
	a.server = e.standIn(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		switch {
		case r.URL.Path != "/oidctoken" || r.Method != http.MethodPost:
			w.WriteHeader(http.StatusNotFound)
		case r.Header.Get("Authorization") != "Bearer "+a.token && r.Header.Get("X-Tfs-Fedauthredirect") != "Suppress":
			// To the sign-in page, as the service does with every request that it doesn't know.
			http.Redirect(w, r, "/_signin", http.StatusFound)
		case r.Header.Get("Authorization") != "Bearer "+a.token:
			w.WriteHeader(http.StatusUnauthorized)
		case r.Header.Get("Content-Type") != "application/json" || query.Get("api-version") != "7.1":
			say(w, http.StatusBadRequest, map[string]string{"message": "No api-version was supplied for the request, or its content type is not supported."})
		case query.Get("serviceConnectionId") != a.ServiceConnectionID:
			say(w, http.StatusNotFound, map[string]string{"message": "The service connection does not exist or the job may not use it."})
		default:
			say(w, http.StatusOK, map[string]string{"oidcToken": a.Token(a.Subject, ExchangeAudience)})
		}
	})
	return a
}

// Variables are what the agent sets in a job, of which SYSTEM_ACCESSTOKEN has to be mapped by the pipeline.
func (a *AzureDevOps) Variables() map[string]string {
	return map[string]string{"SYSTEM_OIDCREQUESTURI": a.server.URL + "/oidctoken", "SYSTEM_ACCESSTOKEN": a.token}
}
