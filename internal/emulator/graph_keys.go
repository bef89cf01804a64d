// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Key types and uses (documented: trustframeworkkey, errors 95031 and 95033).
const (
	ktyRSA = "RSA"
	ktyOct = "oct"
	useSig = "sig"
	useEnc = "enc"
)

// maxNumericDate is the end of the year 9999 in seconds. The back end is .NET,
// whose times end there (inferred); it also catches milliseconds.
const maxNumericDate = 253402300799

// maxEcho bounds how much of a wrong value an error repeats.
const maxEcho = 64

// keyRequest is a key to be appended to a key set.
type keyRequest struct {
	kty, use string
	nbf, exp *int64
	chain    []*x509.Certificate // leaf first; none if there is no certificate
}

func (x *exchange) readKeyRequest() (keyRequest, *graphError) {
	var req keyRequest
	m, problem := x.members()
	if problem != nil {
		return req, problem
	}
	for _, name := range slices.Sorted(maps.Keys(m)) { // so that of two mistakes the same one is told
		raw := m[name]
		switch name {
		case "use", "kty", "nbf", "exp":
		case "k":
			if !isNull(raw) {
				return req, wrongParameter(name, "", "null") // never repeat a secret
			}
		default:
			return req, wrongParameter(name, "", "nothing")
		}
	}
	for _, name := range []string{"kty", "use"} {
		if s, ok := jsonString(m[name]); isNull(m[name]) || ok && s == "" {
			return req, missingParameter(name)
		}
	}
	if req.kty, problem = readKty(m["kty"]); problem != nil {
		return req, problem
	}
	if req.use, problem = readUse(m["use"]); problem != nil {
		return req, problem
	}
	return req, req.readDates(m)
}

func (r *keyRequest) readDates(m map[string]json.RawMessage) (problem *graphError) {
	if r.nbf, problem = readDate("nbf", m["nbf"]); problem != nil {
		return problem
	}
	if r.exp, problem = readDate("exp", m["exp"]); problem != nil {
		return problem
	}
	// Equal dates stand in the documented example.
	if r.nbf != nil && r.exp != nil && *r.exp < *r.nbf {
		return wrongParameter("exp", string(m["exp"]), "not before nbf")
	}
	return nil
}

// end is when the key or its certificate is over, in seconds; nil means never.
func (r keyRequest) end() *int64 {
	if len(r.chain) == 0 {
		return r.exp
	}
	at := r.chain[0].NotAfter.Unix()
	return &at
}

// readKty takes any case (observed).
func readKty(raw json.RawMessage) (string, *graphError) {
	s, ok := jsonString(raw)
	switch {
	case !ok:
		return "", wrongParameter("kty", string(raw), "a string")
	case strings.EqualFold(s, ktyRSA):
		return ktyRSA, nil
	case strings.EqualFold(s, ktyOct):
		return ktyOct, nil
	}
	return "", refuse(codeBadKty, "Bad kty parameter '%s' for the trustframework key. Must be RSA or oct.", echo(s))
}

// readUse takes lower case only: any other is unknown.
func readUse(raw json.RawMessage) (string, *graphError) {
	s, ok := jsonString(raw)
	switch {
	case !ok:
		return "", wrongParameter("use", string(raw), "a string")
	case s == useSig, s == useEnc:
		return s, nil
	}
	return "", refuse(codeBadUse, "Bad use parameter '%s' for the trustframework key.", echo(s))
}

// readDate reads a NumericDate in seconds; null means unset.
func readDate(name string, raw json.RawMessage) (*int64, *graphError) {
	if isNull(raw) {
		return nil, nil
	}
	n, ok := jsonInteger(raw)
	if !ok || n < 0 || n > maxNumericDate {
		return nil, wrongParameter(name, string(raw), "seconds since 1970-01-01 as an integer")
	}
	return &n, nil
}

func wrongParameter(name, value, want string) *graphError {
	return refuse(codeWrongParameter,
		"The request is missing parameters or has the wrong parameters. '%s' has the value '%s'. Expected value is '%s'.",
		echo(name), echo(value), want)
}

func echo(s string) string {
	if len(s) > maxEcho {
		return strings.ToValidUTF8(s[:maxEcho], "") + "..."
	}
	return s
}

func (x *exchange) generateKey(id string) (answer, *graphError) {
	req, problem := x.readKeyRequest()
	if problem != nil {
		return answer{}, problem
	}
	return x.appendKey(id, req)
}

// appendKey makes the key and appends it, which is how all actions that make
// one end.
func (x *exchange) appendKey(id string, req keyRequest) (answer, *graphError) {
	if problem := x.checkRoom(id, req); problem != nil {
		return answer{}, problem
	}
	if x.s.config.Switches.FillNbf && req.nbf == nil {
		now := x.now().Unix()
		req.nbf = &now
	}
	key := x.makeKey(req) // outside of the lock: an RSA key takes a while
	if x.s.config.Switches.DisabledAtFirst {
		key.Status = statusDisabled
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	r, problem := x.room(id, req) // again, as the set may have changed since
	if problem != nil {
		return answer{}, problem
	}
	if r.hasKid(key.Kid) { // of the same certificate: see Switches.DuplicateKeys
		key.Kid = base64.RawURLEncoding.EncodeToString(x.s.ids.bytes(sha256.Size))
	}
	r.keys = append(r.keys, keyRecord{key: key, visibleAt: t.visibleAt(x.now(), x.lag)})
	x.entry.Committed = true
	return jsonAnswer(http.StatusOK, x.graphHeader(), x.bareKey(key)), nil
}

func (x *exchange) makeKey(req keyRequest) Key {
	if len(req.chain) > 0 {
		return newUploadedKey(req)
	}
	key, err := newKey(x.s.ids, req.kty, req.use, req.nbf, req.exp)
	if err != nil {
		panic(err)
	}
	return key
}

func (x *exchange) checkRoom(id string, req keyRequest) *graphError {
	x.tenant.mu.Lock()
	defer x.tenant.mu.Unlock()
	_, problem := x.room(id, req)
	return problem
}

// room returns the record that can take such a key. Keys that don't show yet
// rule out others too, as they are committed. The caller holds the lock.
func (x *exchange) room(id string, req keyRequest) (*setRecord, *graphError) {
	r := x.tenant.writable(id, x.now())
	if r == nil {
		return nil, x.missing(id)
	}
	if end := req.end(); end != nil && *end <= x.now().Unix() {
		return nil, refuse(codeExpired,
			"The expiry date for the key container in tenant '%s' with storageReferenceId '%s' is in the past. Passed date :'%s'.",
			x.tenant.id, r.id, time.Unix(*end, 0).UTC().Format(graphTime))
	}
	for _, k := range r.keys {
		if k.key.Kty != req.kty {
			return nil, refuse(codeMixedKty, "One can't mix RSA and Oct types in one key set.")
		}
		if k.key.Use != req.use && len(req.chain) > 0 { // observed: azure-ad-b2c/samples 54
			return nil, badlyFormatted("The key container has a different use than the new added key")
		}
		if k.key.Use != req.use {
			return nil, refuse(codeMixedUse, "One can't mix signature and encryption usage in one key set.")
		}
	}
	if len(req.chain) == 0 || x.s.config.Switches.DuplicateKeys {
		return r, nil
	}
	for _, k := range r.keys {
		if k.key.sameKey(req.chain[0]) {
			return nil, refuse(codeDuplicate, "The presented key '%s' of type '%s' already exists.", k.key.Kid, k.key.Kty)
		}
	}
	return r, nil
}

func (x *exchange) getActiveKey(id string) (answer, *graphError) {
	t, now := x.tenant, x.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.store.visible(id, now)
	if r == nil {
		return answer{}, x.missing(id)
	}
	key, ok := activeKey(r.view(now).Keys, now)
	if !ok {
		return answer{}, refuse(codeNoActiveKey,
			"The key container with id '%s' in tenant '%s' does not has a valid key. Reason: no key is enabled and within its dates",
			r.id, t.id)
	}
	return jsonAnswer(http.StatusOK, x.graphHeader(), x.bareKey(key)), nil
}
