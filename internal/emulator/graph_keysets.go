// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// namePattern is the charset of policy ids in the policy schema, with the
// prefix; that of key sets is unknown. The length is the emulator's choice.
var namePattern = regexp.MustCompile(`^(?i:B2C_1A_)[A-Za-z0-9_.-]{0,120}[A-Za-z0-9_-]$`)

// createRequest is the body of a create, read before the work so that faults
// and the journal know the name. The problem is answered in its turn.
type createRequest struct {
	id      string // with the prefix; empty if the body has none
	problem *graphError
}

func (x *exchange) readCreate() createRequest {
	m, problem := x.members()
	if problem != nil {
		return createRequest{problem: problem}
	}
	id, ok := jsonString(m["id"])
	switch {
	case isNull(m["id"]) || ok && id == "":
		return createRequest{problem: missingParameter("id")}
	case !ok || !namePattern.MatchString(prefixed(id)):
		return createRequest{problem: invalidKeySet()}
	}
	req := createRequest{id: prefixed(id)}
	for name := range m {
		if name != "id" && name != "keys" { // "@odata.type" among them (observed)
			req.problem = invalidKeySet()
			return req
		}
	}
	req.problem = checkNoKeys(m["keys"])
	return req
}

// checkNoKeys takes null and an empty list. Keys with the set are documented,
// and not built here.
func checkNoKeys(raw json.RawMessage) *graphError {
	if isNull(raw) {
		return nil
	}
	var keys []json.RawMessage
	if json.Unmarshal(raw, &keys) != nil {
		return invalidKeySet()
	}
	if len(keys) > 0 {
		return refuse(codeNotImplemented, "The emulator doesn't create key sets with keys. The service does.")
	}
	return nil
}

func (x *exchange) list(skipToken string) (answer, *graphError) {
	switches := x.s.config.Switches
	if switches.ListRefused {
		return answer{}, &graphError{status: http.StatusForbidden, code: codeGeneric, message: "Listing key sets is refused."}
	}
	after := 0
	if skipToken != "" {
		raw, err := base64.RawURLEncoding.DecodeString(skipToken)
		if err == nil {
			after, err = strconv.Atoi(string(raw))
		}
		if err != nil || after < 0 {
			return answer{}, refuse(codeBadRequest, "The skip token is not valid.")
		}
	}
	body := keySetListBody{Context: x.context("trustFramework/keySets"), Value: []keySetBody{}}

	t, now := x.tenant, x.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	last := 0
	for _, r := range t.store.listed(now) {
		if r.ordinal <= after {
			continue
		}
		if n := switches.PageSize; n > 0 && len(body.Value) == n {
			token := base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(last)))
			origin := x.origin()
			if switches.NextLinkHost != "" {
				origin = "https://" + switches.NextLinkHost
			}
			body.NextLink = origin + "/beta/trustFramework/keySets?$skiptoken=" + url.QueryEscape(token)
			break
		}
		set := x.keySetBody(r.view(now))
		if switches.ListWithoutKeys {
			set.Keys = nil
		}
		body.Value = append(body.Value, set)
		last = r.ordinal
	}
	return jsonAnswer(http.StatusOK, x.graphHeader(), body), nil
}

func (x *exchange) create(req createRequest) (answer, *graphError) {
	if req.problem != nil {
		return answer{}, req.problem
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.store.committed(req.id) != nil {
		return answer{}, refuse(codeExists, "Can't create trustframework key set with name '%s' because it already exists.", req.id)
	}
	t.store.prune(x.now())
	r := t.store.insert(req.id, nil, t.visibleAt(x.now(), x.lag))
	x.entry.Committed = true

	h := x.graphHeader()
	h.Set("Location", fmt.Sprintf("/trustFramework/keySets('%s')", r.id)) // documented in this form
	body := x.keySetBody(r.truth())
	body.Context = x.context("trustFramework/keySets/$entity")
	return jsonAnswer(http.StatusCreated, h, body), nil
}

func (x *exchange) get(id string) (answer, *graphError) {
	t, now := x.tenant, x.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.store.visible(id, now)
	if r == nil {
		return answer{}, x.missing(id)
	}
	body := x.keySetBody(r.view(now))
	body.Context = x.context("trustFramework/keySets/$entity")
	return jsonAnswer(http.StatusOK, x.graphHeader(), body), nil
}

func (x *exchange) delete(id string) (answer, *graphError) {
	t, now := x.tenant, x.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.writable(id, now)
	if r == nil {
		return answer{}, x.missing(id)
	}
	t.store.removeWithBackup(r, t.visibleAt(x.now(), x.lag), !x.s.config.Switches.NoBackupOfEmpty)
	t.store.prune(now)
	x.entry.Committed = true
	h := x.graphHeader()
	h.Del("Content-Type")
	return answer{status: http.StatusNoContent, header: h}, nil
}

// writable returns the record that a write to a key set works on: one that is
// committed and seen. A set made a moment ago that doesn't show yet is as good
// as missing, which is the strictest reading of lag. The caller holds the lock.
func (t *Tenant) writable(id string, now time.Time) *setRecord {
	r := t.store.committed(id)
	if r == nil || !r.shows(now) {
		return nil
	}
	return r
}

func (x *exchange) missing(id string) *graphError {
	e := refuse(codeMissing, "KeyContainer with 'id': '%s' cannot be found in the directory '%s'.", id, x.tenant.id)
	e.status = x.s.config.Switches.missingStatus()
	return e
}

func missingParameter(name string) *graphError {
	return refuse(codeMissingParameter, "The trustframework keyset parameter '%s' is missing", name)
}
