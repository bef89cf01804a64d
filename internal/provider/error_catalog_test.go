// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

const catalogSet = "B2C_1A_Signing"

// catalogOps are all that a code may be the answer to.
func catalogOps(t *testing.T) []catalogOp {
	t.Helper()
	setState := map[string]string{"id": catalogSet, "name": catalogSet}
	ops := []catalogOp{
		{
			op: emulator.OpCreate, post: true, of: setType, summary: "Unable to create key set", where: "name",
			run: func(s *server, _ string) (managed, said) {
				return s.apply(setType, managed{}, map[string]string{"name": "New"})
			},
		},
		{
			op: emulator.OpGet, of: setType, summary: "Unable to read key set", where: "name", switches: emulator.Switches{ListRefused: true},
			run: func(s *server, _ string) (managed, said) {
				return s.refresh(s.known(setType, setState))
			},
		},
		{
			op: emulator.OpList, of: "trustframework_key_sets", data: true, summary: "Unable to list key sets",
			run: func(s *server, _ string) (managed, said) {
				return readData(s, "trustframework_key_sets", nil)
			},
		},
		{
			op: emulator.OpGetActiveKey, of: activeType, data: true, summary: "Unable to read active key", where: "key_set_id",
			run: func(s *server, _ string) (managed, said) {
				return readData(s, activeType, map[string]string{"key_set_id": catalogSet})
			},
		},
		{
			op: emulator.OpDelete, of: setType, summary: "Unable to delete key set",
			run: func(s *server, _ string) (managed, said) {
				after, said := s.apply(setType, s.known(setType, setState), nil)
				return after, said.without("Key set with keys would be deleted")
			},
		},
		{
			op: emulator.OpPatchKey, of: keyType, summary: "Unable to set key's status", where: "status", others: []string{"key_set_id"},
			run: func(s *server, kid string) (managed, said) {
				config := map[string]string{"key_set_id": catalogSet, "use": "sig", "kty": "oct"}
				state := map[string]string{"id": catalogSet + "/" + kid, "kid": kid, "on_destroy": "retain"}
				for name, value := range config {
					state[name] = value
				}
				config["status"] = "enabled"
				return s.apply(keyType, s.known(keyType, state), config)
			},
		},
		{
			op: emulator.OpPatchKey, of: statusAction, action: true, summary: "Unable to set key's status", where: "kid", others: []string{"key_set_id", "status"},
			run: func(s *server, kid string) (managed, said) {
				config := s.value(s.actions[statusAction], map[string]string{"key_set_id": catalogSet, "kid": kid, "status": "enabled"})
				_, end := s.invoke(config)
				return managed{state: config}, end
			},
		},
	}
	makes := map[emulator.Op]catalogOp{
		emulator.OpGenerateKey:       {summary: "Unable to generate key", others: []string{"use", "kty", "exp"}},
		emulator.OpUploadSecret:      {summary: "Unable to upload secret", others: []string{"use", "nbf", "exp"}},
		emulator.OpUploadCertificate: {summary: "Unable to upload certificate", others: []string{"certificate_pem"}},
		emulator.OpUploadPKCS12:      {summary: "Unable to upload PKCS#12 file", others: []string{"password_wo"}},
	}
	for op, source := range keySources(t) {
		o := makes[op]
		o.op, o.post, o.of, o.where = op, true, source.resource, "key_set_id"
		if source.neighbor != "" {
			o.prepare = source.prepare
		}
		o.run = func(s *server, _ string) (managed, said) {
			return s.apply(source.resource, managed{}, source.config)
		}
		ops = append(ops, o)
	}
	return ops
}

// readData is a data source as a resource that is always there.
func readData(s *server, name string, config map[string]string) (managed, said) {
	s.t.Helper()
	state, said := s.data(name, config)
	return managed{state: state}, said
}

// catalogOp is one request of the provider's that can be refused.
type catalogOp struct {
	op       emulator.Op
	switches emulator.Switches
	// of is the resource or, if data or action is true, the data source or the action that sends it.
	of           string
	data, action bool
	// post: it must not be sent twice while nobody knows what became of it.
	post bool
	// prepare puts the key set into a tenant; nil if it has two symmetric keys.
	prepare func(*testing.T, *world)
	// summary is that of its error, which points at where, or at one of the others if the code is about that.
	summary string
	where   string
	others  []string
	run     func(s *server, kid string) (managed, said)
}

// encounter is what came of a request that met a refusal.
type encounter struct {
	w        *world
	isNull   bool // the state
	diags    said
	requests int
	keysMade int
	setsMade int
	// arguments are all attributes of the schema.
	arguments map[string]tftypes.Type
}

// meet sends the request of o into a code, which the emulator answers once, or always.
func (o catalogOp) meet(t *testing.T, code string, always bool) encounter {
	t.Helper()
	w := newWorld(t, o.switches)
	var kid string
	if o.prepare != nil {
		o.prepare(t, w)
	} else {
		w.AddKeySet(catalogSet)
		kid = w.AddKey(catalogSet, emulator.KeySpec{Kty: "oct"})
		w.AddKey(catalogSet, emulator.KeySpec{Kty: "oct"})
		w.SetKeyStatus(catalogSet, kid, false)
	}
	before := len(w.keys(catalogSet))
	fault := emulator.Refusal(o.op, code)
	if always {
		fault = fault.Repeat(-1)
	}
	w.Inject(fault)
	s := newServer(t, w)
	after, diags := o.run(s, kid)
	schema := s.resources[o.of]
	switch {
	case o.data:
		schema = s.dataSources[o.of]
	case o.action:
		schema = s.actions[o.of]
	}
	object, ok := schema.(tftypes.Object)
	if !ok {
		t.Fatalf("%s has no schema", o.of)
	}
	made := encounter{w: w, isNull: after.state == nil, diags: diags, requests: len(w.Requests(o.op)), keysMade: len(w.keys(catalogSet)) - before, arguments: object.AttributeTypes}
	for _, set := range w.KeySets() {
		if set.ID == "B2C_1A_New" {
			made.setsMade++
		}
	}
	return made
}

// checkError looks at the one error, which must point at an attribute, or at none, and have the texts.
func (o encounter) checkError(t *testing.T, summary, where string, texts ...string) {
	t.Helper()
	var errors []*tfprotov6.Diagnostic
	for _, d := range o.diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			errors = append(errors, d)
		}
	}
	if len(errors) != 1 || errors[0].Summary != summary {
		t.Fatalf("errors %v, want %q", errors, summary)
	}
	var want *tftypes.AttributePath
	if where != "" {
		want = tftypes.NewAttributePath().WithAttributeName(where)
		if _, ok := o.arguments[where]; !ok {
			t.Errorf("the schema has no %s", where)
		}
	}
	if got := errors[0].Attribute; !got.Equal(want) {
		t.Errorf("the error points at %s, want %s", got, want)
	}
	for _, text := range texts {
		if n := strings.Count(errors[0].Detail, text); n != 1 {
			t.Errorf("%d times %q in\n%s", n, text, errors[0].Detail)
		}
	}
}

// TestProtocol_ErrorCatalog: whatever request a code is the answer to, the provider does what its class says, once
// the emulator gives it.
func TestProtocol_ErrorCatalog(t *testing.T) {
	t.Parallel()
	ops := catalogOps(t)
	for _, e := range errorcode.All() {
		for _, o := range ops {
			t.Run(fmt.Sprintf("%s %s of %s", e.Code, o.op, o.of), func(t *testing.T) {
				t.Parallel()
				switch e.Class {
				case errorcode.Throttled, errorcode.Transient:
					checkPassing(t, o, e)
				default:
					checkRefusal(t, o, e)
				}
			})
		}
	}
}

// checkPassing: a request that was throttled, or met a service that failed, comes again. What is made is made once,
// and what never passes ends in an error.
func checkPassing(t *testing.T, o catalogOp, e errorcode.Entry) {
	t.Helper()
	got := o.meet(t, e.Code, false)
	if len(got.diags) > 0 || got.requests != 2 || got.isNull != (o.op == emulator.OpDelete) {
		t.Errorf("once: %d requests, state is null: %t, diagnostics %v", got.requests, got.isNull, got.diags)
	}
	if made := got.keysMade + got.setsMade; o.post && made != 1 {
		t.Errorf("once: %d made", made)
	}
	// A create isn't sent again before somebody has looked for what the first request made.
	if looked := len(got.w.Requests(emulator.OpGet)); o.post && (looked > 0) != (e.Class == errorcode.Transient) {
		t.Errorf("once: %d reads", looked)
	}

	got = o.meet(t, e.Code, true)
	status := fmt.Sprintf("Status: %d\n", emulator.Refusal("", e.Code).Status)
	texts := []string{"Code: " + e.Code + "\n", status, "\nRequest ID: ", emulator.Refusal("", e.Code).Message, e.Advice}
	if o.post && e.Class == errorcode.Transient {
		texts = append(texts, "further requests didn't end clearly either", "Before you apply again, look in the portal")
	}
	got.checkError(t, o.summary, "", texts...)
	if got.requests < 2 || o.post && e.Class == errorcode.Transient && got.requests != 4 {
		t.Errorf("always: %d requests", got.requests)
	}
	if got.keysMade+got.setsMade > 0 || got.isNull != o.post {
		t.Errorf("always: %d made, state is null: %t", got.keysMade+got.setsMade, got.isNull)
	}
}

// checkRefusal: any other code is one request, one error and nothing made, but that what is gone needs no deletion
// and leaves the state.
func checkRefusal(t *testing.T, o catalogOp, e errorcode.Entry) {
	t.Helper()
	got := o.meet(t, e.Code, false)
	if got.requests != 1 || got.keysMade+got.setsMade > 0 {
		t.Errorf("%d requests, %d made", got.requests, got.keysMade+got.setsMade)
	}
	gone := e.Class == errorcode.Gone && (o.op == emulator.OpGet || o.op == emulator.OpDelete)
	if got.isNull != (gone || o.post) {
		t.Errorf("state is null: %t", got.isNull)
	}
	if gone {
		if len(got.diags) > 0 {
			t.Errorf("diagnostics %v", got.diags)
		}
		return
	}
	where := o.where
	if slices.Contains(o.others, e.Attribute) {
		where = e.Attribute
	}
	texts := []string{"Code: " + e.Code + "\n", "Status: 400\n", "\nRequest ID: ", emulator.Refusal("", e.Code).Message}
	switch {
	case o.op == emulator.OpList: // it is about no key set
		texts = append(texts, "The service refused the request for the tenant's key sets", "Nothing was changed.", e.Advice)
	case e.Class == errorcode.Exists && e.Attribute != "name":
		texts = append(texts, "holds this key already", "Nothing was changed.", "Import the key to manage it here")
	case e.Class == errorcode.Exists:
		texts = append(texts, "There already is a key set", "import it: terraform import trustframework_key_set.NAME ")
	case e.Class == errorcode.Gone:
		texts = append(texts, "There is no key set", e.Advice)
	case o.op == emulator.OpGetActiveKey:
		texts = append(texts, "names no key of key set", "Make such a key first")
	default:
		texts = append(texts, "The service refused the request", "Nothing was changed.", e.Advice)
	}
	got.checkError(t, o.summary, where, texts...)
}

// TestEmulator_HasEveryCode: what the client knows and what the emulator answers are two tables that have the same
// codes.
func TestEmulator_HasEveryCode(t *testing.T) {
	t.Parallel()
	var codes []string
	for _, e := range errorcode.All() {
		codes = append(codes, e.Code)
	}
	if got := emulator.Codes(); !slices.Equal(got, codes) {
		t.Errorf("the emulator has %q\nthe catalog  has %q", got, codes)
	}
}
