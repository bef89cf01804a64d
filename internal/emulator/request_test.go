// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func packed(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if _, err := zw.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestServer_Address_WhenUnknown(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	const set = "/beta/trustFramework/keySets/B2C_1A_A"
	for name, test := range map[string]struct {
		method, path string
		status       int
		code, text   string
	}{
		"v1.0":            {http.MethodGet, "/v1.0/trustFramework/keySets", 400, "BadRequest", "Resource not found for the segment 'trustFramework'."},
		"version":         {http.MethodGet, "/v2/trustFramework/keySets", 400, "BadRequest", "Invalid version: v2"},
		"root":            {http.MethodGet, "/", 400, "BadRequest", "Invalid version: "},
		"beta":            {http.MethodGet, "/beta", 400, "BadRequest", "segment ''"},
		"segment":         {http.MethodGet, "/beta/users", 400, "BadRequest", "segment 'users'"},
		"below":           {http.MethodGet, "/beta/trustFramework/keys", 400, "BadRequest", "segment 'keys'"},
		"action":          {http.MethodPost, set + "/revokeKey", 400, "BadRequest", "segment 'revokeKey'"},
		"below an action": {http.MethodPost, set + "/generateKey/x", 400, "BadRequest", "segment 'x'"},
		"trailing slash":  {http.MethodGet, set + "/", 400, "BadRequest", "segment ''"},
		"double slash":    {http.MethodGet, "/beta//trustFramework/keySets", 400, "BadRequest", "segment ''"},
		"empty key":       {http.MethodGet, "/beta/trustFramework/keySets('')", 400, "BadRequest", "segment ''"},
		"open key":        {http.MethodGet, "/beta/trustFramework/keySets('a", 400, "BadRequest", "Malformed key"},
		"bare key":        {http.MethodGet, "/beta/trustFramework/keySets(a)", 400, "BadRequest", "Malformed key"},
		"lone quote":      {http.MethodGet, "/beta/trustFramework/keySets('a'b')", 400, "BadRequest", "Malformed key"},
		"escaped quote":   {http.MethodGet, "/beta/trustFramework/keySets('a''b')", 400, "AADB2C90073", "'id': 'a'b'"},
		"encoded slash":   {http.MethodGet, "/beta/trustFramework/keySets/a%2Fb", 400, "AADB2C90073", "'id': 'a/b'"},
		"batch":           {http.MethodPost, "/beta/$batch", 501, "NotImplemented", "$batch"},
		"singleton":       {http.MethodGet, "/beta/trustFramework", 501, "NotImplemented", "singleton"},
		"policies":        {http.MethodGet, "/beta/trustFramework/policies/x/$value", 501, "NotImplemented", "policies"},
		"count":           {http.MethodGet, "/beta/trustFramework/keySets/$count", 501, "NotImplemented", "$count"},
		"keys_v2 count":   {http.MethodGet, set + "/keys_v2/$count", 501, "NotImplemented", "$count"},
		"keys_v2 slash":   {http.MethodGet, set + "/keys_v2/", 400, "BadRequest", "segment ''"},
		"empty kid":       {http.MethodGet, set + "/keys_v2('')", 400, "BadRequest", "segment ''"},
		"bare kid":        {http.MethodGet, set + "/keys_v2(x)", 400, "BadRequest", "Malformed key in the segment 'keys_v2(x)'."},
		"no kid":          {http.MethodGet, set + "/keys_v2()", 400, "BadRequest", "Malformed key"},
		"below a key":     {http.MethodGet, set + "/keys_v2/x/status", 400, "BadRequest", "segment 'status'"},
		"qualified":       {http.MethodGet, set + "/microsoft.graph.keys_v2", 400, "BadRequest", "segment 'microsoft.graph.keys_v2'"},
		"keys_v2 select":  {http.MethodGet, set + "/keys_v2?$select=kid", 400, "BadRequest", "'$select'"},
		"keys":            {http.MethodGet, set + "/keys", 501, "NotImplemented", "keys"},
		"keys with a kid": {http.MethodGet, set + "/keys('x')", 501, "NotImplemented", "keys"},
		"upload and key":  {http.MethodPost, set + "/uploadSecret('x')", 400, "BadRequest", "segment 'uploadSecret('x')'"},
		"below an upload": {http.MethodPost, set + "/uploadPkcs12/x", 400, "BadRequest", "segment 'x'"},
		"filter":          {http.MethodGet, "/beta/trustFramework/keySets?$filter=id%20eq%20'a'", 400, "BadRequest", "'$filter'"},
		"top, encoded":    {http.MethodGet, "/beta/trustFramework/keySets?%24top=1", 400, "BadRequest", "'$top'"},
		"skiptoken":       {http.MethodGet, "/beta/trustFramework/keySets?$skiptoken=MQ", 400, "BadRequest", "'$skiptoken'"},
		"malformed query": {http.MethodGet, "/beta/trustFramework/keySets?a=%zz", 400, "BadRequest", "Malformed query."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.callWith(test.method, test.path, "", nil)
			r.want(t, test.status, test.code)
			if _, message, _ := r.failure(t); !strings.Contains(message, test.text) {
				t.Errorf("message %q lacks %q", message, test.text)
			}
		})
	}
}

func TestServer_Method_WhenThePathHasNone(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	for path, test := range map[string]struct {
		methods []string
		allow   string
	}{
		"/trustFramework/keySets":                            {[]string{"PUT", "PATCH", "DELETE", "OPTIONS"}, "GET, POST"},
		"/trustFramework/keySets/B2C_1A_A":                   {[]string{"PUT", "PATCH", "POST"}, "DELETE, GET"},
		"/trustFramework/keySets/B2C_1A_A/generateKey":       {[]string{"GET", "PUT", "DELETE"}, "POST"},
		"/trustFramework/keySets/B2C_1A_A/uploadSecret":      {[]string{"GET", "PUT", "PATCH", "DELETE"}, "POST"},
		"/trustFramework/keySets/B2C_1A_A/uploadCertificate": {[]string{"GET", "PUT", "PATCH", "DELETE"}, "POST"},
		"/trustFramework/keySets/B2C_1A_A/uploadPkcs12()":    {[]string{"GET", "PUT", "PATCH", "DELETE"}, "POST"},
		"/trustFramework/keySets/B2C_1A_A/getActiveKey":      {[]string{"PUT", "DELETE"}, "GET"},
		"/trustFramework/keySets/B2C_1A_A/keys_v2":           {[]string{"POST", "PUT", "PATCH", "DELETE"}, "GET"},
		"/trustFramework/keySets/B2C_1A_A/keys_v2('x')":      {[]string{"POST", "PUT", "DELETE"}, "GET, PATCH"},
	} {
		for _, method := range test.methods {
			r := c.call(method, path, "")
			r.want(t, http.StatusMethodNotAllowed, "UnknownError")
			if got := r.header.Get("Allow"); got != test.allow {
				t.Errorf("%s %s: Allow %q, want %q", method, path, got, test.allow)
			}
		}
	}
	if got := len(c.tenant.KeySets()); got != 1 {
		t.Errorf("%d key sets, want 1", got)
	}
}

func TestServer_Body_WhenPackedOrMalformed(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	gz := http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"application/json"}}
	media := func(s string) http.Header { return http.Header{"Content-Type": {s}} }
	for name, test := range map[string]struct {
		body   string
		header http.Header
		status int
	}{
		"gzip":               {packed(t, `{"id":"Gzip"}`), gz, 201},
		"charset":            {`{"id":"Charset"}`, media("application/json; charset=UTF-8"), 201},
		"OData parameters":   {`{"id":"Odata"}`, media("application/json;odata.metadata=minimal"), 201},
		"trailing comma":     {`{"id":"Comma",}`, nil, 201},
		"spaces":             {" \r\n\t{ \"id\" : \"Spaces\" } \n", nil, 201},
		"not gzip":           {`{"id":"X"}`, gz, 400},
		"cut gzip":           {packed(t, `{"id":"X"}`)[:20], gz, 400},
		"deflate":            {`{"id":"X"}`, http.Header{"Content-Encoding": {"deflate"}}, 415},
		"text":               {`{"id":"X"}`, media("text/plain"), 415},
		"no type":            {`{"id":"X"}`, http.Header{"Content-Type": nil}, 415},
		"malformed type":     {`{"id":"X"}`, media(";"), 415},
		"other charset":      {`{"id":"X"}`, media("application/json; charset=latin1"), 415},
		"too large":          {`{"id":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413},
		"too large unpacked": {packed(t, `{"id":"`+strings.Repeat("x", 4<<20)+`"}`), gz, 413},
		"blank":              {"  ", nil, 400},
		"cut":                {`{"id":"X"`, nil, 400},
		"list":               {`[]`, nil, 400},
		"string":             {`"X"`, nil, 400},
		"two values":         {`{"id":"X"}{}`, nil, 400},
		"duplicate":          {`{"id":"X","id":"Y"}`, nil, 400},
		"two commas":         {`{"id":"X",,}`, nil, 400},
		"not UTF-8":          {"{\"id\":\"\xff\"}", nil, 400},
		"byte order mark":    {"\ufeff{\"id\":\"X\"}", nil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.callWith(http.MethodPost, "/beta/trustFramework/keySets", test.body, test.header).want(t, test.status, "")
		})
	}
}

func TestServer_Answer_HasTheHeaders(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	const id = "0b7a52b9-7d6c-4d20-a3c7-2f7e0b3e7a11"
	r := c.callWith(http.MethodGet, "/beta/trustFramework/keySets", "", http.Header{"Client-Request-Id": {id}})
	r.want(t, http.StatusOK, "")
	for name, want := range map[string]string{
		"client-request-id": id,
		"Content-Type":      "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
		"Date":              "Fri, 02 Jan 2026 03:04:05 GMT",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(r.header.Get("x-ms-ags-diagnostic"), `{"ServerInfo":{`) || len(r.header.Get("request-id")) != 36 {
		t.Errorf("header %v", r.header)
	}
	r = c.call(http.MethodGet, "/trustFramework/keySets", "")
	if r.header.Get("client-request-id") != r.header.Get("request-id") {
		t.Errorf("without one of the client, the ids are %q and %q", r.header.Get("client-request-id"), r.header.Get("request-id"))
	}
}
