// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// target is what a Graph request addresses.
type target struct {
	op      Op
	keySet  string      // as named in the path
	kid     string      // as named in the path
	problem *graphError // what is wrong with the address
}

func isVersion(segment string) bool {
	return strings.EqualFold(segment, "beta") || strings.EqualFold(segment, "v1.0")
}

// graphTarget reads a Graph address. Names compare without case (observed for
// paths), key sets are addressed as keySets/ID or keySets('ID'), actions with
// or without parentheses and namespace.
func graphTarget(method, escapedPath string, s Switches) target {
	parts, ok := pathSegments(escapedPath)
	switch {
	case !ok:
		return target{problem: refuse(codeBadRequest, "Malformed address.")}
	case !isVersion(parts[0]):
		return target{problem: refuse(codeBadRequest, "Invalid version: %s", parts[0])}
	case len(parts) == 1:
		return target{problem: unknownSegment("")}
	case !strings.EqualFold(parts[0], "beta"): // v1.0 has no trustFramework (documented)
		return target{problem: unknownSegment(parts[1])}
	case strings.EqualFold(parts[1], "$batch"):
		return target{problem: notImplemented("$batch")}
	case !strings.EqualFold(parts[1], "trustFramework"):
		return target{problem: unknownSegment(parts[1])}
	case len(parts) == 2:
		return target{problem: notImplemented("the trustFramework singleton")}
	}
	name, key, hasKey, ok := keyPredicate(parts[2])
	if !ok {
		return target{problem: refuse(codeBadRequest, "Malformed key in the segment '%s'.", parts[2])}
	}
	switch strings.ToLower(name) {
	case "keysets":
	case "policies":
		return target{problem: notImplemented("policies")}
	default:
		return target{problem: unknownSegment(parts[2])}
	}
	rest := parts[3:]
	if !hasKey {
		if len(rest) == 0 {
			return choose(method, map[string]Op{http.MethodGet: OpList, http.MethodPost: OpCreate}, target{})
		}
		key, rest = rest[0], rest[1:]
	}
	switch {
	case strings.EqualFold(key, "$count"):
		return target{problem: notImplemented("$count")}
	case key == "":
		return target{problem: unknownSegment("")}
	case len(rest) == 0:
		return choose(method, map[string]Op{http.MethodGet: OpGet, http.MethodDelete: OpDelete}, target{keySet: key})
	}
	if name, _, _, _ := keyPredicate(rest[0]); strings.EqualFold(name, "keys_v2") {
		if s.NoKeysV2 {
			return target{keySet: key, problem: unknownSegment(name)}
		}
		return keysV2Target(method, key, rest)
	}
	return actionTarget(method, key, rest)
}

// keysV2Target reads keys_v2, keys_v2/KID and keys_v2('KID').
func keysV2Target(method, keySet string, rest []string) target {
	t := target{keySet: keySet}
	_, kid, hasKid, ok := keyPredicate(rest[0])
	if !ok {
		t.problem = refuse(codeBadRequest, "Malformed key in the segment '%s'.", rest[0])
		return t
	}
	rest = rest[1:]
	if !hasKid {
		if len(rest) == 0 {
			return choose(method, map[string]Op{http.MethodGet: OpListKeys}, t)
		}
		kid, rest = rest[0], rest[1:]
	}
	switch {
	case strings.EqualFold(kid, "$count"):
		t.problem = notImplemented("$count")
	case kid == "":
		t.problem = unknownSegment("")
	case len(rest) > 0:
		t.problem = unknownSegment(rest[0])
	default:
		t.kid = kid
		return choose(method, map[string]Op{http.MethodGet: OpGetKey, http.MethodPatch: OpPatchKey}, t)
	}
	return t
}

func actionTarget(method, keySet string, rest []string) target {
	t := target{keySet: keySet}
	name := strings.ToLower(rest[0])
	name = strings.TrimSuffix(strings.TrimPrefix(name, "microsoft.graph."), "()")
	plain, _, _, _ := keyPredicate(name)
	if plain == "keys" {
		t.problem = notImplemented(rest[0])
		return t
	}
	if len(rest) > 1 {
		t.problem = unknownSegment(rest[1])
		return t
	}
	switch name {
	case "generatekey":
		return choose(method, map[string]Op{http.MethodPost: OpGenerateKey}, t)
	case "uploadsecret":
		return choose(method, map[string]Op{http.MethodPost: OpUploadSecret}, t)
	case "uploadcertificate":
		return choose(method, map[string]Op{http.MethodPost: OpUploadCertificate}, t)
	case "uploadpkcs12":
		return choose(method, map[string]Op{http.MethodPost: OpUploadPKCS12}, t)
	case "getactivekey":
		if method == http.MethodPost {
			t.op, t.problem = OpGetActiveKey, noPOST(keySet)
			return t
		}
		return choose(method, map[string]Op{http.MethodGet: OpGetActiveKey}, t)
	}
	t.problem = unknownSegment(rest[0])
	return t
}

// noPOST is what POST getActiveKey gets: the back end's answer as a string in
// the message (observed; the status is inferred from the answer's text).
func noPOST(keySet string) *graphError {
	const text = `{"message":"No HTTP resource was found that matches the request URI 'https://cpim.windows.net/graph/trustFramework/keySets('%s')/Microsoft.Cpim.Api.DataModels.getActiveKey'.","messageDetail":"No action was found on the controller 'trustframework' that matches the request.","stackTrace":null}`
	return &graphError{status: http.StatusNotFound, code: codeUnknown, message: fmt.Sprintf(text, keySet)}
}

// choose picks the operation of a method, or a 405 that names the others.
func choose(method string, ops map[string]Op, t target) target {
	if op, ok := ops[method]; ok {
		t.op = op
		return t
	}
	var allowed []string
	for m := range ops {
		allowed = append(allowed, m)
	}
	slices.Sort(allowed)
	t.problem = &graphError{
		status: http.StatusMethodNotAllowed, code: codeUnknown, allow: strings.Join(allowed, ", "),
		message: fmt.Sprintf("The requested resource does not support http method '%s'.", method),
	}
	return t
}

// keyPredicate splits name('key'), in which ” stands for one quote (OData URL
// conventions). A segment without parentheses has no key.
func keyPredicate(segment string) (name, key string, hasKey, ok bool) {
	name, inner, found := strings.Cut(segment, "(")
	if !found {
		return segment, "", false, true
	}
	inner, closed := strings.CutSuffix(inner, ")")
	if !closed || len(inner) < 2 || inner[0] != '\'' || inner[len(inner)-1] != '\'' {
		return name, "", false, false
	}
	inner = inner[1 : len(inner)-1]
	if strings.Contains(strings.ReplaceAll(inner, "''", ""), "'") {
		return name, "", false, false
	}
	return name, strings.ReplaceAll(inner, "''", "'"), true, true
}
