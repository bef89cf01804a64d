// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	defaultScope = "/.default"
	// expiresIn is one second short of the token's life, as Entra reports it.
	expiresIn = 3599
)

// graphResources are the Graph of each cloud that has B2C's API (documented:
// concepts/deployments).
func graphResources() []string {
	return []string{
		"https://graph.microsoft.com",
		"https://graph.microsoft.us",
		"https://dod-graph.microsoft.us",
		"https://microsoftgraph.chinacloudapi.cn",
	}
}

// graphAppID is Graph's own application id, the same in each tenant.
const graphAppID = "00000003-0000-0000-c000-000000000000"

type tokenBody struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
}

// token is the client credentials grant with a secret or an assertion
// (documented: v2-oauth2-client-creds-grant-flow).
func (x *exchange) token() answer {
	resource, cae, problem := x.checkTokenRequest()
	if problem != nil {
		return x.entraFailure(problem)
	}
	token, err := x.tenant.issue(resource, Identity{}, x.entry.RequestID, cae)
	if err != nil {
		panic(err)
	}
	return jsonAnswer(http.StatusOK, x.entraHeader(), tokenBody{
		TokenType: "Bearer", ExpiresIn: expiresIn, ExtExpiresIn: expiresIn, AccessToken: token,
	})
}

// checkTokenRequest checks the form, and returns the resource asked for and
// whether the client can take claims challenges.
func (x *exchange) checkTokenRequest() (resource string, cae bool, problem *entraError) {
	media, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" || x.entry.ContentEncoding != "" || x.bodyProblem != nil {
		return "", false, badRequest("invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
	}
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return "", false, badRequest("invalid_request", 9000410, "Malformed form body.")
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if len(form[name]) > 1 {
			return "", false, badRequest("invalid_request", 9000411, "The request is not properly formatted. The parameter '%s' is duplicated.", name)
		}
	}
	for _, name := range []string{"grant_type", "client_id", "scope"} {
		if form.Get(name) == "" {
			return "", false, badRequest("invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
		}
	}
	if grant := form.Get("grant_type"); grant != "client_credentials" {
		return "", false, badRequest("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", grant)
	}
	if problem = x.checkClient(form); problem != nil {
		return "", false, problem
	}
	if resource, problem = checkScope(form.Get("scope")); problem != nil {
		return "", false, problem
	}
	if cae, problem = checkClaims(form.Get("claims")); problem != nil {
		return "", false, problem
	}
	return resource, cae, nil
}

func (x *exchange) checkClient(form url.Values) *entraError {
	if id := form.Get("client_id"); !strings.EqualFold(id, x.tenant.clientID) {
		return badRequest("unauthorized_client", 700016,
			"Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
			id, x.tenant.domain)
	}
	given := form.Get("client_secret")
	if form.Get("client_assertion") != "" {
		if given != "" {
			return badRequest("invalid_request", 9002313, "Invalid request. Request is malformed or invalid.")
		}
		return x.checkAssertion(form)
	}
	if given == "" {
		return unauthorizedClient(7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	}
	// Of the digests, so that neither content nor length shows in the time.
	want, got := sha256.Sum256([]byte(x.tenant.clientSecret)), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return unauthorizedClient(7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.",
			x.tenant.clientID)
	}
	return nil
}

// checkScope wants one <resource>/.default. The three OpenID scopes that MSAL
// adds to every request are passed over.
func checkScope(scope string) (resource string, problem *entraError) {
	for _, s := range strings.Fields(scope) {
		switch s {
		case "openid", "offline_access", "profile":
			continue
		}
		name, ok := strings.CutSuffix(s, defaultScope)
		if !ok || resource != "" {
			return "", badRequest("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", scope)
		}
		resource = name
	}
	if resource == "" {
		return "", badRequest("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", scope)
	}
	if resource != graphAppID && !slices.Contains(graphResources(), resource) {
		return "", badRequest("invalid_resource", 500011, "The resource principal named %s was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.", resource)
	}
	return resource, nil
}

// checkClaims looks for the client capability CP1, which asks for tokens that
// can be revoked (documented: claims-challenge).
func checkClaims(raw string) (cae bool, problem *entraError) {
	if raw == "" {
		return false, nil
	}
	var asked struct {
		AccessToken struct {
			XmsCC struct {
				Values []string `json:"values"`
			} `json:"xms_cc"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(raw), &asked) != nil {
		return false, badRequest("invalid_request", 1400000, "The 'claims' parameter is not valid JSON.")
	}
	return slices.Contains(asked.AccessToken.XmsCC.Values, "CP1"), nil
}
