// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestServer_Create_AnswersWithTheServicesName(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	for given, want := range map[string]string{
		"Plain":         "B2C_1A_Plain",
		"B2C_1A_Given":  "B2C_1A_Given",
		"b2c_1a_Lower":  "b2c_1a_Lower",
		"with-dash_x.1": "B2C_1A_with-dash_x.1",
	} {
		r := c.call(http.MethodPost, "/trustFramework/keySets", `{"id":"`+given+`"}`)
		r.want(t, http.StatusCreated, "")
		if got := r.text(t, "id"); got != want {
			t.Errorf("%s: id %q, want %q", given, got, want)
		}
		if got, want := r.header.Get("Location"), "/trustFramework/keySets('"+want+"')"; got != want {
			t.Errorf("%s: Location %q, want %q", given, got, want)
		}
		if keys, ok := r.object(t)["keys"].([]any); !ok || len(keys) != 0 {
			t.Errorf("%s: keys aren't an empty list: %s", given, r.body)
		}
		if got := r.header.Get("Content-Type"); !strings.HasPrefix(got, "application/json;odata.metadata=minimal;") {
			t.Errorf("%s: content type %q", given, got)
		}
	}
}

func TestServer_Create_WhenBodyIsRefused(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("Taken")
	for name, test := range map[string]struct{ body, code string }{
		"exists":             {`{"id":"B2C_1A_Taken"}`, "AADB2C95028"},
		"exists, other case": {`{"id":"b2c_1a_tAKEN"}`, "AADB2C95028"},
		"exists, no prefix":  {`{"id":"Taken"}`, "AADB2C95028"},
		"odata type":         {`{"@odata.type":"#microsoft.graph.trustFrameworkKeySet","id":"A"}`, "AADB2C"},
		"unknown member":     {`{"id":"A","usage":"sig"}`, "AADB2C"},
		"member in caps":     {`{"id":"A","Keys":[]}`, "AADB2C"},
		"no id":              {`{}`, "AADB2C90253"},
		"null id":            {`{"id":null}`, "AADB2C90253"},
		"empty id":           {`{"id":""}`, "AADB2C90253"},
		"number as id":       {`{"id":1}`, "AADB2C"},
		"slash in id":        {`{"id":"a/b"}`, "AADB2C"},
		"quote in id":        {`{"id":"a'b"}`, "AADB2C"},
		"prefix only":        {`{"id":"B2C_1A_"}`, "AADB2C"},
		"letters of Unicode": {`{"id":"schlüssel"}`, "AADB2C"},
		"long id":            {`{"id":"` + strings.Repeat("a", 200) + `"}`, "AADB2C"},
		"keys not a list":    {`{"id":"A","keys":{}}`, "AADB2C"},
		"keys":               {`{"id":"A","keys":[{"kty":"oct","use":"sig","k":"c2VjcmV0"}]}`, "NotImplemented"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.call(http.MethodPost, "/trustFramework/keySets", test.body).want(t, http.StatusBadRequest, test.code)
		})
	}
}

func TestServer_Create_WhenKeysAreEmpty(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	for _, body := range []string{`{"id":"A","keys":[]}`, `{"id":"B","keys":null}`, `{"id":"C",}`} {
		c.call(http.MethodPost, "/trustFramework/keySets", body).want(t, http.StatusCreated, "")
	}
}

func TestServer_Get_WhenNamedInAnyCase(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("Name")
	kid := c.generate("B2C_1A_Name", octSig)
	for _, path := range []string{
		"/trustFramework/keySets/B2C_1A_Name",
		"/trustFramework/keySets/b2c_1a_NAME",
		"/trustFramework/keySets('B2C_1A_Name')",
		"/trustframework/KEYSETS(%27B2C_1A_Name%27)",
		"/trustFramework/keySets/B2C%5F1A_Name",
	} {
		r := c.call(http.MethodGet, path, "")
		if got := r.kids(t); !slices.Equal(got, []string{kid}) {
			t.Errorf("%s: kids %q, want %q", path, got, kid)
		}
		if got := r.text(t, "id"); got != "B2C_1A_Name" {
			t.Errorf("%s: id %q", path, got)
		}
	}
}

func TestServer_Missing_IsBadRequest(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("There")
	for name, test := range map[string]struct{ method, path, body string }{
		"get":            {http.MethodGet, "/trustFramework/keySets/B2C_1A_None", ""},
		"get, no prefix": {http.MethodGet, "/trustFramework/keySets/There", ""},
		"delete":         {http.MethodDelete, "/trustFramework/keySets/B2C_1A_None", ""},
		"generateKey":    {http.MethodPost, "/trustFramework/keySets/B2C_1A_None/generateKey", octSig},
		"getActiveKey":   {http.MethodGet, "/trustFramework/keySets/B2C_1A_None/getActiveKey", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.call(test.method, test.path, test.body)
			r.want(t, http.StatusBadRequest, "AADB2C90073")
			_, message, inner := r.failure(t)
			if !strings.Contains(message, "KeyContainer with 'id': '") || !strings.Contains(message, "cannot be found in the directory '"+c.tenant.ID()+"'.") {
				t.Errorf("message %q", message)
			}
			if inner["correlationId"] == nil || inner["date"] != "2026-01-02T03:04:05" {
				t.Errorf("innerError %v", inner)
			}
		})
	}
}

func TestServer_List_HasKeysInOrderOfInsertion(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); len(got) != 0 {
		t.Fatalf("a new tenant lists %q", got)
	}
	for _, id := range []string{"C", "A", "B"} {
		c.make(id)
	}
	kid := c.generate("B2C_1A_A", octSig)
	r := c.call(http.MethodGet, "/trustFramework/keySets", "")
	if got, want := r.ids(t), []string{"B2C_1A_C", "B2C_1A_A", "B2C_1A_B"}; !slices.Equal(got, want) {
		t.Errorf("ids %q, want %q", got, want)
	}
	if got := r.text(t, "@odata.context"); got != c.server.URL()+"/beta/$metadata#trustFramework/keySets" {
		t.Errorf("context %q", got)
	}
	if !strings.Contains(string(r.body), kid) {
		t.Errorf("no keys in %s", r.body)
	}
}

func TestServer_Delete_LeavesBackup(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	first := c.generate("B2C_1A_A", octSig)
	r := c.call(http.MethodDelete, "/trustFramework/keySets/B2C_1A_A", "")
	r.want(t, http.StatusNoContent, "")
	if len(r.body) != 0 {
		t.Errorf("body %q", r.body)
	}
	c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").want(t, http.StatusBadRequest, "AADB2C90073")
	if got := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A.bak", "").kids(t); !slices.Equal(got, []string{first}) {
		t.Errorf("kids of the backup %q, want %q", got, first)
	}

	// The same name again, and an older backup is overwritten.
	c.make("A")
	second := c.generate("B2C_1A_A", octSig)
	c.call(http.MethodDelete, "/trustFramework/keySets/b2c_1a_a", "").want(t, http.StatusNoContent, "")
	if got := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A.bak", "").kids(t); !slices.Equal(got, []string{second}) {
		t.Errorf("kids of the second backup %q, want %q", got, second)
	}

	// A backup leaves none.
	c.call(http.MethodDelete, "/trustFramework/keySets/B2C_1A_A.bak", "").want(t, http.StatusNoContent, "")
	if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); len(got) != 0 {
		t.Errorf("left over: %q", got)
	}
}

func TestServer_Delete_WhenEmptyLeavesBackup(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		switches emulator.Switches
		want     []string
	}{
		"default": {emulator.Switches{}, []string{"B2C_1A_A.bak"}},
		"switch":  {emulator.Switches{NoBackupOfEmpty: true}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: test.switches})
			c.make("A")
			c.call(http.MethodDelete, "/trustFramework/keySets/B2C_1A_A", "").want(t, http.StatusNoContent, "")
			if got := c.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); !slices.Equal(got, test.want) {
				t.Errorf("ids %q, want %q", got, test.want)
			}
		})
	}
}

func TestServer_Tenants_AreIsolated(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{})
	a, b := newTenantCaller(t, s, emulator.TenantConfig{}), newTenantCaller(t, s, emulator.TenantConfig{})
	a.make("A")
	if got := b.call(http.MethodGet, "/trustFramework/keySets", "").ids(t); len(got) != 0 {
		t.Errorf("the other tenant lists %q", got)
	}
	if len(a.tenant.Journal()) != 1 || len(b.tenant.Journal()) != 1 {
		t.Errorf("journals have %d and %d entries, want one each", len(a.tenant.Journal()), len(b.tenant.Journal()))
	}
}
