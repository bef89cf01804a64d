// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"net/http"
	"reflect"
	"testing"
)

// TestNewError_Denied_SaysWhoLacksWhat: only a denial does, whatever header comes with another answer.
func TestNewError_Denied_SaysWhoLacksWhat(t *testing.T) {
	t.Parallel()
	const told = `{"ClientID":"c","TenantID":"t","Permissions":["A"],"ManagedIdentity":true}`
	who := &Caller{ClientID: "c", TenantID: "t", Permissions: []string{"A"}, ManagedIdentity: true}
	for name, row := range map[string]struct {
		op     string
		status int
		header string
		needs  string
		caller *Caller
	}{
		"reading a set":        {opReadKeySet, 403, told, PermissionRead, who},
		"reading a key":        {opReadKey, 403, told, PermissionRead, who},
		"reading the active":   {opReadActiveKey, 403, told, PermissionRead, who},
		"listing":              {opListKeySets, 403, told, PermissionRead, who},
		"reading keys_v2":      {opReadStatus, 403, told, PermissionReadWrite, who},
		"setting a status":     {opSetStatus, 403, told, PermissionReadWrite, who},
		"generating":           {OpGenerateKey, 403, told, PermissionReadWrite, who},
		"creating":             {OpCreateKeySet, 403, told, PermissionReadWrite, who},
		"an opaque token":      {OpGenerateKey, 403, "", PermissionReadWrite, nil},
		"nothing":              {OpGenerateKey, 403, "null", PermissionReadWrite, nil},
		"a refusal for others": {OpGenerateKey, 400, told, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newError(row.op, "B2C_1A_A", answer{status: row.status, header: http.Header{"X-Trustframework-Caller": {row.header}}})
			if e.Needs != row.needs || !reflect.DeepEqual(e.Caller, row.caller) {
				t.Errorf("needs %q, caller %+v", e.Needs, e.Caller)
			}
		})
	}
}

func TestCaller_Has(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		has         []string
		read, write bool
	}{
		{nil, false, false},
		{[]string{"Directory.Read.All"}, false, false},
		{[]string{PermissionRead}, true, false},
		{[]string{PermissionReadWrite}, true, true},
	} {
		c := &Caller{Permissions: row.has}
		if c.Has(PermissionRead) != row.read || c.Has(PermissionReadWrite) != row.write {
			t.Errorf("%v: wrong", row.has)
		}
	}
}
