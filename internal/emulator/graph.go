// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// graph answers a request to Graph: the token first, as the front door does,
// then faults, permissions, and the work itself.
func (x *exchange) graph() answer {
	caller, problem := x.authenticate()
	to := graphTarget(x.r.Method, x.entry.Path, x.s.config.Switches)
	x.entry.Op, x.entry.KeySet, x.entry.Kid = to.op, to.keySet, to.kid
	if problem != nil {
		return x.graphFailure(problem)
	}
	x.tenant.commitLate()
	var create createRequest
	if to.op == OpCreate {
		create = x.readCreate()
		x.entry.KeySet = create.id
	} else if to.keySet != "" {
		x.entry.KeySet = x.tenant.spelling(to.keySet)
	}
	return x.withFaults(func(x *exchange) answer {
		a, problem := x.work(to, create, caller)
		if problem != nil {
			return x.graphFailure(problem)
		}
		return a
	})
}

func (x *exchange) work(to target, create createRequest, caller claims) (answer, *graphError) {
	if problem := x.checkPermissions(to.op, caller); problem != nil {
		return answer{}, problem
	}
	if to.problem != nil {
		return answer{}, to.problem
	}
	skipToken, problem := x.checkQuery(to.op)
	if problem != nil {
		return answer{}, problem
	}
	switch to.op {
	case OpCreate, OpDelete, OpGenerateKey, OpUploadSecret, OpUploadCertificate, OpUploadPKCS12, OpPatchKey:
		if problem := x.enterWrite(); problem != nil {
			return answer{}, problem
		}
	}
	switch to.op {
	case OpList:
		return x.list(skipToken)
	case OpCreate:
		return x.create(create)
	case OpGet:
		return x.get(to.keySet)
	case OpDelete:
		return x.delete(to.keySet)
	case OpGenerateKey:
		return x.generateKey(to.keySet)
	case OpUploadSecret:
		return x.uploadSecret(to.keySet)
	case OpUploadCertificate:
		return x.uploadCertificate(to.keySet)
	case OpUploadPKCS12:
		return x.uploadPKCS12(to.keySet)
	case OpGetActiveKey:
		return x.getActiveKey(to.keySet)
	case OpListKeys:
		return x.listKeys(to.keySet)
	case OpGetKey:
		return x.getKey(to.keySet, to.kid)
	case OpPatchKey:
		return x.patchKey(to.keySet, to.kid)
	}
	return answer{}, notImplemented("this address")
}

// enterWrite counts the write in until its answer is ready.
func (x *exchange) enterWrite() *graphError {
	t, name := x.tenant, x.entry.KeySet
	overlap := t.beginWrite(name)
	x.atEnd = append(x.atEnd, func() { t.endWrite(name) })
	if overlap && x.s.config.Switches.OverlapRefused {
		return refuse(codeOverlap, "Multiple concurrent writes to the same object detected. Please perform update operations on the same object sequentially.")
	}
	return nil
}

// authenticate checks the access token and finds the tenant, which is the
// token's own: no address of Graph names one.
func (x *exchange) authenticate() (caller claims, problem *graphError) {
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return claims{}, invalidToken("Access token is empty.")
	}
	c, err := x.s.signer.verify(token)
	if errors.Is(err, errTokenMalformed) {
		return claims{}, invalidToken("CompactToken parsing failed with error code: 80049217")
	}
	if err != nil {
		return claims{}, invalidToken("Access token validation failure. Invalid signature.")
	}
	if x.tenant = x.s.tenant(c.Tid); x.tenant == nil {
		return claims{}, invalidToken("Access token validation failure. Invalid tenant.")
	}
	now := x.s.clock.Now().Unix()
	switch {
	case c.Exp <= now, x.tenant.tokenEnded(c.Uti):
		return claims{}, invalidToken("Lifetime validation failed, the token is expired.")
	case c.Nbf > now:
		return claims{}, invalidToken("Lifetime validation failed, the token is not yet valid.")
	case c.Aud != graphAppID && !slices.Contains(graphResources(), c.Aud):
		return claims{}, invalidToken("Access token validation failure. Invalid audience.")
	}
	return c, nil
}

// checkPermissions wants one of the permissions that the documentation names
// for reads, or the one that it names for all else, reads of keys_v2 among them.
// They have the same names for an application and for a user.
func (x *exchange) checkPermissions(op Op, caller claims) *graphError {
	enough := []string{RoleReadWrite}
	if x.r.Method == http.MethodGet && op != OpListKeys && op != OpGetKey {
		enough = []string{RoleRead, RoleReadWrite}
	}
	kind, has := "application", caller.Roles
	if caller.Scp != "" {
		kind, has = "delegated", strings.Fields(caller.Scp)
	}
	if slices.ContainsFunc(enough, func(one string) bool { return slices.Contains(has, one) }) {
		return nil
	}
	return &graphError{status: http.StatusForbidden, code: codeGeneric, message: fmt.Sprintf(
		"The application does not have any of the required %s permissions (%s) to access the resource. ",
		kind, strings.Join(enough, ", "))}
}

// checkQuery refuses every OData option but the one of our own nextLinks:
// which the service honors is unknown, and one passed over in silence would be
// lenient.
func (x *exchange) checkQuery(op Op) (skipToken string, problem *graphError) {
	values, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return "", refuse(codeBadRequest, "Malformed query.")
	}
	for name, given := range values {
		switch {
		case !strings.HasPrefix(name, "$"):
		case name == "$skiptoken" && op == OpList && x.s.config.Switches.PageSize > 0 && len(given) == 1:
			skipToken = given[0]
		default:
			return "", refuse(codeBadRequest, "The query option '%s' is not supported.", name)
		}
	}
	return skipToken, nil
}

// spelling returns the service's own spelling of a name, or the name.
func (t *Tenant) spelling(id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.store.committed(id); r != nil {
		return r.id
	}
	return id
}
