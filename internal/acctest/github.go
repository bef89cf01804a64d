// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// GitHubActions is the ID token endpoint of a workflow's job (documented: GitHub's "OpenID Connect reference").
type GitHubActions struct {
	*Issuer
	// Subject is the sub claim of the job's tokens.
	Subject string

	server *httptest.Server
	token  string
	asked  atomic.Int64
}

// GitHubActions runs a job of the repository octo/infra on its branch main.
func (e *Env) GitHubActions(t *testing.T) *GitHubActions {
	t.Helper()
	g := &GitHubActions{Issuer: e.NewIssuer(t, "https://token.actions.githubusercontent.com"), Subject: "repo:octo/infra:ref:refs/heads/main", token: rand.Text()}
	g.server = e.standIn(t, func(w http.ResponseWriter, r *http.Request) {
		g.asked.Add(1)
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/idtoken" || r.URL.Query().Get("api-version") != "2.0":
			say(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
		case r.Header.Get("Authorization") != "Bearer "+g.token:
			say(w, http.StatusUnauthorized, map[string]string{"message": "The request token is invalid."})
		default:
			// Without an audience the token is for the owner of the repository.
			audience := cmp.Or(r.URL.Query().Get("audience"), "https://github.com/octo")
			say(w, http.StatusOK, map[string]any{"count": 1, "value": g.Token(g.Subject, audience)})
		}
	})
	return g
}

// Variables are what the runner sets in a job with "id-token: write".
func (g *GitHubActions) Variables() map[string]string {
	return map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": g.server.URL + "/idtoken?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": g.token}
}

// Asked is the number of requests.
func (g *GitHubActions) Asked() int { return int(g.asked.Load()) }
