// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// uploadSecret appends a symmetric key. Its value is looked at and dropped:
// nobody can ever read it.
func (x *exchange) uploadSecret(id string) (answer, *graphError) {
	req, problem := x.readSecret()
	if problem != nil {
		return answer{}, problem
	}
	trouble, problem := x.secretTrouble(id, req)
	switch {
	case problem != nil:
		return answer{}, problem
	case !trouble:
		return x.appendKey(id, req)
	}
	if drawnFor(x.s.config.Seed, canonicalName(id)) { // whether the work was done is unknown
		if _, problem := x.appendKey(id, req); problem != nil {
			return answer{}, problem
		}
	}
	e := refuse(codeServiceProblem, "There is a problem with the service.")
	e.status = http.StatusInternalServerError
	return answer{}, e
}

// secretTrouble tells whether this is the one request to its key set that
// Switches.UploadSecretProblem hits: the first that is right in all else.
func (x *exchange) secretTrouble(id string, req keyRequest) (bool, *graphError) {
	x.tenant.mu.Lock()
	defer x.tenant.mu.Unlock()
	r, problem := x.room(id, req)
	if problem != nil || !x.s.config.Switches.UploadSecretProblem || r.troubled {
		return false, problem
	}
	r.troubled = true
	return true, nil
}

func (x *exchange) readSecret() (keyRequest, *graphError) {
	req := keyRequest{kty: ktyOct}
	m, problem := x.uploadMembers("use", "k", "nbf", "exp", "kty")
	if problem != nil {
		return req, problem
	}
	if problem = requireSecret("k", m["k"]); problem != nil {
		return req, problem
	}
	if s, ok := jsonString(m["use"]); isNull(m["use"]) || ok && s == "" {
		return req, missingParameter("use")
	}
	if !isNull(m["kty"]) { // scripts send it (observed)
		kty, problem := readKty(m["kty"])
		if problem != nil {
			return req, problem
		}
		if kty != ktyOct {
			return req, wrongParameter("kty", kty, ktyOct)
		}
	}
	if req.use, problem = readUse(m["use"]); problem != nil {
		return req, problem
	}
	return req, req.readDates(m)
}

// uploadCertificate appends the key of a certificate, of which only the public
// part is known.
func (x *exchange) uploadCertificate(id string) (answer, *graphError) {
	m, problem := x.uploadMembers("key")
	if problem != nil {
		return answer{}, problem
	}
	der, problem := readBase64(m["key"])
	if problem != nil {
		return answer{}, problem
	}
	chain, problem := x.readCertificate(der)
	if problem != nil {
		return answer{}, problem
	}
	return x.appendCertificate(id, chain)
}

// uploadPKCS12 appends the key of a PKCS#12 file. Its private part and the
// password are looked at and dropped.
func (x *exchange) uploadPKCS12(id string) (answer, *graphError) {
	m, problem := x.uploadMembers("key", "password")
	if problem != nil {
		return answer{}, problem
	}
	password, ok := jsonString(m["password"])
	switch {
	case isNull(m["password"]) || ok && strings.TrimSpace(password) == "":
		return answer{}, refuse(codeGeneric, "value must not be null or white space for password")
	case !ok:
		return answer{}, wrongParameter("password", "", "a string")
	}
	pfx, problem := readBase64(m["key"])
	if problem != nil {
		return answer{}, problem
	}
	chain, problem := openPKCS12(pfx, password, x.s.config.Switches.ModernPKCS12)
	if problem != nil {
		return answer{}, problem
	}
	return x.appendCertificate(id, chain)
}

// uploadMembers returns the members of the body, which has no others than those
// named. No value of an upload is ever repeated.
func (x *exchange) uploadMembers(names ...string) (map[string]json.RawMessage, *graphError) {
	m, problem := x.members()
	if problem != nil {
		return nil, problem
	}
	for _, name := range slices.Sorted(maps.Keys(m)) { // so that of two mistakes the same one is told
		if !slices.Contains(names, name) {
			return nil, wrongParameter(name, "", "nothing")
		}
	}
	return m, nil
}

// requireSecret wants text, and repeats nothing of it.
func requireSecret(name string, raw json.RawMessage) *graphError {
	s, ok := jsonString(raw)
	switch {
	case isNull(raw) || ok && strings.TrimSpace(s) == "":
		return missingParameter(name)
	case !ok:
		return wrongParameter(name, "", "a string")
	}
	return nil
}

// readBase64 takes the standard alphabet with padding and without line breaks,
// which PEM text isn't. Whether the service takes any other is unknown.
func readBase64(raw json.RawMessage) ([]byte, *graphError) {
	if problem := requireSecret("key", raw); problem != nil {
		return nil, problem
	}
	s, _ := jsonString(raw)
	der, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // which the decoder passes over
		return nil, badlyFormatted("The key is not base64")
	}
	return der, nil
}
