// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"maps"
	"net/http"
	"slices"
)

func (x *exchange) listKeys(id string) (answer, *graphError) {
	if x.s.config.Switches.KeysV2Unlistable {
		return answer{}, refuse(codeBadRequest, "Listing keys_v2 is not supported.")
	}
	t, now := x.tenant, x.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.store.visible(id, now)
	if r == nil {
		return answer{}, x.missing(id)
	}
	body := keyV2ListBody{Context: x.keysV2Context(r.id), Value: []keyBody{}}
	for _, k := range r.view(now).Keys {
		body.Value = append(body.Value, x.keyV2Body(k))
	}
	return jsonAnswer(http.StatusOK, x.graphHeader(), body), nil
}

func (x *exchange) getKey(id, kid string) (answer, *graphError) {
	t, now := x.tenant, x.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.store.visible(id, now)
	if r == nil {
		return answer{}, x.missing(id)
	}
	k := r.key(kid, now)
	if k == nil {
		return answer{}, missingKey(kid)
	}
	body := x.keyV2Body(k.view(now))
	if x.s.config.Switches.WrappedKeyV2 {
		return jsonAnswer(http.StatusOK, x.graphHeader(), wrappedKeyV2Body{wrappedKeyV2{Type: keyV2Type, keyBody: body}}), nil
	}
	body.Context = x.keysV2Context(r.id) + "/$entity"
	return jsonAnswer(http.StatusOK, x.graphHeader(), body), nil
}

// patchKey enables or disables a key, the last usable one too: nothing is known
// to refuse that.
func (x *exchange) patchKey(id, kid string) (answer, *graphError) {
	status, problem := x.readStatus()
	if problem != nil {
		return answer{}, problem
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.writable(id, x.now())
	if r == nil {
		return answer{}, x.missing(id)
	}
	// A key made a moment ago that doesn't show yet is as good as missing.
	k := r.key(kid, x.now())
	if k == nil {
		return answer{}, missingKey(kid)
	}
	if k.truth().Status != status {
		k.setStatus(status, t.visibleAt(x.now(), x.lag))
		x.entry.Committed = true
	}
	h := x.graphHeader()
	h.Del("Content-Type")
	return answer{status: http.StatusNoContent, header: h}, nil
}

// readStatus reads the body of a PATCH. "Only Status Property is allowed to
// update" (documented: trustframeworkkey_v2-update); how the rest is refused is
// inferred from the list of errors.
func (x *exchange) readStatus() (string, *graphError) {
	m, problem := x.members()
	if problem != nil {
		return "", problem
	}
	for _, name := range slices.Sorted(maps.Keys(m)) { // so that of two mistakes the same one is told
		if name != "status" {
			return "", refuse(codeReadOnly, "The property '%s' can not be modified. It's a read only property.", echo(name))
		}
	}
	raw := m["status"]
	status, ok := jsonString(raw)
	switch {
	case isNull(raw) || ok && status == "":
		return "", missingParameter("status")
	case !ok:
		return "", wrongParameter("status", string(raw), "a string")
	case status != statusEnabled && status != statusDisabled:
		return "", wrongParameter("status", status, "enabled or disabled")
	}
	return status, nil
}

// missingKey is for a kid that the key set hasn't got. Nothing is known about
// that answer. A 404 is the hardest one on a client that takes any 404 for a
// key set that is gone; the code, which is Graph's at large, tells them apart.
func missingKey(kid string) *graphError {
	e := refuse(codeNoResource, "Resource '%s' does not exist or one of its queried reference-property objects are not present.", echo(kid))
	e.status = http.StatusNotFound
	return e
}
