// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"encoding/json"
	"slices"
)

// The permissions of Microsoft Graph that this package's requests need: reading takes either, all else the second
// (documented).
const (
	PermissionRead      = "TrustFrameworkKeySet.Read.All"
	PermissionReadWrite = "TrustFrameworkKeySet.ReadWrite.All"
)

// The operations that only read, but for that of keys_v2.
const (
	opListKeySets   = "list key sets"
	opReadKeySet    = "read key set"
	opReadKey       = "read key"
	opReadActiveKey = "read active key"
)

// Caller is who a request came from, as its token says.
type Caller struct {
	// ClientID is the application's or managed identity's client ID, ObjectID the object ID of its service principal, or of
	// the user, and TenantID the tenant they are signed in to. Each is "" if the token lacks it.
	ClientID, ObjectID, TenantID string
	// Graph is the origin of the Graph that the token is for, and "" if the token names it otherwise.
	Graph string
	// Permissions are the application permissions in the token, or a user's delegated ones, sorted.
	Permissions []string
	// Delegated is true for a user's token, ManagedIdentity for that of an identity without an application registration.
	Delegated, ManagedIdentity bool
}

// Has tells whether the caller has a permission, or one that includes it.
func (c *Caller) Has(permission string) bool {
	return slices.Contains(c.Permissions, permission) || slices.Contains(c.Permissions, PermissionReadWrite)
}

// caller is who the transport says that a refused request came from; nil if it doesn't know.
func (a answer) caller() *Caller {
	var c *Caller
	if json.Unmarshal([]byte(a.header.Get("X-Trustframework-Caller")), &c) != nil { // set by the transport
		return nil
	}
	return c
}

// permissionFor is the least permission that an operation needs as a whole, whichever of its requests was refused.
func permissionFor(op string) string {
	switch op {
	case opListKeySets, opReadKeySet, opReadKey, opReadActiveKey:
		return PermissionRead
	default:
		return PermissionReadWrite
	}
}
