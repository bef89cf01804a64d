// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// callerHeader holds, on a 403, the caller as JSON. It is absent if the token is opaque.
const callerHeader = "X-Trustframework-Caller"

// plainOrigin is an origin that can stand in a shell command as it is.
var plainOrigin = regexp.MustCompile(`^https://[A-Za-z0-9.-]+$`)

// caller is who a token says that asks, and with what permissions. Nothing of it is secret. Its fields are those of
// package trustframework's Caller.
type caller struct {
	ClientID, ObjectID, TenantID string
	Graph                        string
	Permissions                  []string
	Delegated, ManagedIdentity   bool
}

// callerOf reads an access token's claims (source: Microsoft's "Access token claims reference"; xms_mirid, the Azure
// resource that a managed identity belongs to, is only observed).
func callerOf(token string, secrets *redact.Secrets) (caller, bool) {
	var c struct {
		Audience          string   `json:"aud"`
		AppID             string   `json:"appid"` // in tokens of version 1
		AuthorizedParty   string   `json:"azp"`   // in tokens of version 2
		IdentityType      string   `json:"idtyp"`
		ManagedIdentityID string   `json:"xms_mirid"`
		ObjectID          string   `json:"oid"`
		Roles             []string `json:"roles"`
		Scopes            string   `json:"scp"`
		TenantID          string   `json:"tid"`
	}
	if !readClaims(token, &c) {
		return caller{}, false
	}
	who := caller{
		ClientID: c.AppID, ObjectID: c.ObjectID, TenantID: c.TenantID, Permissions: c.Roles,
		Delegated: c.Scopes != "" || c.IdentityType == "user", ManagedIdentity: c.ManagedIdentityID != "",
	}
	if who.ClientID == "" {
		who.ClientID = c.AuthorizedParty
	}
	if origin := strings.TrimSuffix(c.Audience, "/"); plainOrigin.MatchString(origin) {
		who.Graph = origin
	}
	if who.Delegated { // a user's roles say nothing about Graph
		who.Permissions = strings.Fields(c.Scopes)
	}
	// A token is an answer too.
	who.ClientID, who.ObjectID, who.TenantID = secrets.ID(who.ClientID), secrets.ID(who.ObjectID), secrets.ID(who.TenantID)
	for i, permission := range who.Permissions {
		who.Permissions[i] = secrets.ID(permission)
	}
	who.Permissions = slices.DeleteFunc(who.Permissions, func(permission string) bool { return permission == "" })
	slices.Sort(who.Permissions)
	return who, true
}

// tellCaller puts the caller on a refusal for want of a permission, and nothing in its place on any other answer.
func tellCaller(resp *http.Response, token string, secrets *redact.Secrets) {
	resp.Header.Del(callerHeader) // it isn't the service's to set
	if resp.StatusCode != http.StatusForbidden {
		return
	}
	who, ok := callerOf(token, secrets)
	if text, err := json.Marshal(who); ok && err == nil {
		resp.Header.Set(callerHeader, string(text))
	}
}

// readClaims takes the claims out of a token, and returns false if it is opaque.
func readClaims(token string, into any) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(payload, into) == nil
}
