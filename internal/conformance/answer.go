// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// Codes that the checks expect (source: "Error codes in Azure AD B2C", and
// reports of the service).
const (
	codeInvalid     = "AADB2C"
	codeMissing     = "AADB2C90073"
	codeExists      = "AADB2C95028"
	codeMixedKty    = "AADB2C95032"
	codeMixedKtyOld = "AADB2C90089" // the same in older words
	codeMixedUse    = "AADB2C95042"
	codeNotOpened   = "AADB2C90213"
	codeBadFormat   = "AADB2C90215"
)

// object is a JSON object, with numbers as json.Number.
type object = map[string]any

// answer is what came back for a request.
type answer struct {
	request string // method, address and body, for people
	status  int
	header  http.Header
	body    []byte
}

// object is the body, or nil if it isn't a JSON object.
func (a answer) object() object {
	var m object
	dec := json.NewDecoder(bytes.NewReader(a.body))
	dec.UseNumber()
	if dec.Decode(&m) != nil {
		return nil
	}
	return m
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

func (a answer) text(name string) string { return text(a.object(), name) }

// failure is the code and the message of an error answer.
func (a answer) failure() (code, message string) {
	e, _ := a.object()["error"].(object)
	return text(e, "code"), text(e, "message")
}

func (a answer) code() string {
	code, _ := a.failure()
	return code
}

// list is a member that is a list of objects, and whether it is one.
func (a answer) list(name string) ([]object, bool) { return list(a.object(), name) }

// gone tells the answer for a key set that doesn't exist (observed as 400).
func (a answer) gone() bool {
	return a.code() == codeMissing && (a.status == http.StatusBadRequest || a.status == http.StatusNotFound)
}

// want is an error unless the answer has the status.
func (a answer) want(status int) error {
	if a.status != status {
		return fmt.Errorf("%w, want %d", a.unexpected(), status)
	}
	return nil
}

// refused is an error unless the answer is a 4xx with one of the codes, or with
// any code if none is given.
func (a answer) refused(codes ...string) error {
	if a.status < 400 || a.status > 499 || len(codes) > 0 && !slices.Contains(codes, a.code()) {
		return fmt.Errorf("%w, want a refusal %v", a.unexpected(), codes)
	}
	return nil
}

func (a answer) unexpected() error {
	code, message := a.failure()
	return fmt.Errorf("%s: status %d %s %q", a.request, a.status, code, message)
}

func text(m object, name string) string {
	s, _ := m[name].(string)
	return s
}

func list(m object, name string) ([]object, bool) {
	values, ok := m[name].([]any)
	if !ok {
		return nil, false
	}
	objects := []object{}
	for _, v := range values {
		o, ok := v.(object)
		if !ok {
			return nil, false
		}
		objects = append(objects, o)
	}
	return objects, true
}

// number reads a NumericDate, which is a number by the metadata and a string in
// some of the documented examples.
func number(v any) (int64, bool) {
	var written string
	switch v := v.(type) {
	case json.Number:
		written = v.String()
	case string:
		written = v
	}
	n, err := strconv.ParseInt(written, 10, 64)
	return n, err == nil
}

// privateMembers are never readable (documented: trustframeworkkey).
func privateMembers() []string { return []string{"k", "d", "p", "q", "dp", "dq", "qi", "oth"} }

// readKey is an error unless the object is a key with a kid and without private
// material, which may be null.
func readKey(key object) (kid string, err error) {
	for _, name := range privateMembers() {
		if key[name] != nil {
			return "", fmt.Errorf("the key has the private member %q", name)
		}
	}
	if kid = text(key, "kid"); kid == "" {
		return "", fmt.Errorf("the key has no kid; its members are %v", members(key))
	}
	return kid, nil
}

// members are the names in an object, with those that are null marked.
func members(m object) []string {
	names := []string{}
	for name, v := range m {
		if v == nil {
			name += "=null"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func kids(keys []object) []string {
	kids := []string{}
	for _, key := range keys {
		kids = append(kids, text(key, "kid"))
	}
	return kids
}
