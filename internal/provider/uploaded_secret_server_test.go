// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const (
	secretType  = "trustframework_uploaded_secret"
	uploadSetID = "B2C_1A_Secrets"
	// plainText has what an encoding on the way would change, and is long enough for a part of it to be recognized.
	plainText = `p"l'ain \ tëxt/+=%7B${x} <&> 🔑`
)

// sentSecrets keeps the body of each uploadSecret, which the emulator doesn't.
type sentSecrets struct {
	mu     sync.Mutex
	bodies []map[string]any
}

// wrap looks at requests on their way out.
func (s *sentSecrets) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/uploadSecret") {
			return next.RoundTrip(req)
		}
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		var body map[string]any
		if err := json.Unmarshal(text, &body); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.bodies = append(s.bodies, body)
		s.mu.Unlock()
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(text))
		return next.RoundTrip(req)
	})
}

// texts are the secrets that were sent, in order.
func (s *sentSecrets) texts() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []any
	for _, body := range s.bodies {
		texts = append(texts, body["k"])
	}
	return texts
}

// secretArguments are the arguments of an uploaded secret, as tftypes.NewValue takes them; nil leaves one out.
type secretArguments map[string]any

// secretWith is a configuration that can be applied, with some arguments changed.
func secretWith(changes secretArguments) secretArguments {
	all := secretArguments{"key_set_id": uploadSetID, "use": "sig", "secret_wo": plainText, "secret_wo_version": 1}
	maps.Copy(all, changes)
	return all
}

// tags is a value of rotate_when_changed.
func tags(value string) map[string]tftypes.Value {
	return map[string]tftypes.Value{"tag": tftypes.NewValue(tftypes.String, value)}
}

// secretServer speaks with the provider of one uploaded secret, whose arguments aren't all strings.
type secretServer struct{ *server }

func newSecretServer(t *testing.T, w *world, wrap ...func(http.RoundTripper) http.RoundTripper) secretServer {
	t.Helper()
	return secretServer{newServer(t, w, wrap...)}
}

func (s secretServer) config(arguments secretArguments) *tfprotov6.DynamicValue {
	s.t.Helper()
	objectType := s.resources[secretType]
	values := map[string]tftypes.Value{}
	for name, attributeType := range objectType.(tftypes.Object).AttributeTypes { //nolint:forcetypeassert // every schema's
		values[name] = tftypes.NewValue(attributeType, arguments[name])
	}
	value, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, values))
	if err != nil {
		s.t.Fatal(err)
	}
	return &value
}

// validate looks at a configuration as a client does that knows write-only arguments, or as one that doesn't.
func (s secretServer) validate(arguments secretArguments, writeOnly bool) said {
	s.t.Helper()
	resp, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: secretType, Config: s.config(arguments),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: writeOnly},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.Diagnostics
}

// planSecret validates and plans. The request is nil if the configuration isn't valid. The action is "none", "update"
// or "replace"; it is "" for a new key.
func (s secretServer) planSecret(before managed, arguments secretArguments) (req *tfprotov6.PlanResourceChangeRequest, resp *tfprotov6.PlanResourceChangeResponse, action string, words said) {
	s.t.Helper()
	if words = s.validate(arguments, true); words.failed() {
		return nil, nil, "", words
	}
	before.name = secretType
	config := s.config(arguments)
	proposed, err := s.proposed(before, config)
	if err != nil {
		s.t.Fatal(err)
	}
	prior := before.state
	if prior == nil {
		prior = s.null(secretType)
	}
	req = &tfprotov6.PlanResourceChangeRequest{
		TypeName: secretType, PriorState: prior, ProposedNewState: proposed, Config: config, PriorPrivate: before.private, PriorIdentity: before.identity,
	}
	resp, err = s.PlanResourceChange(s.t.Context(), req)
	if err != nil {
		s.t.Fatal(err)
	}
	switch {
	case before.state == nil:
	case len(resp.RequiresReplace) > 0:
		action = "replace"
	case s.same(resp.PlannedState, prior):
		action = "none"
	default:
		action = "update"
	}
	return req, resp, action, append(words, resp.Diagnostics...)
}

// same tells whether two states hold the same.
func (s secretServer) same(a, b *tfprotov6.DynamicValue) bool {
	s.t.Helper()
	values := [2]tftypes.Value{}
	for i, state := range []*tfprotov6.DynamicValue{a, b} {
		value, err := state.Unmarshal(s.resources[secretType])
		if err != nil {
			s.t.Fatal(err)
		}
		values[i] = value
	}
	return values[0].Equal(values[1])
}

// changeSecret validates, plans and applies; what is to be replaced ends first. It stops at an error.
func (s secretServer) changeSecret(before managed, arguments secretArguments) (after managed, action string, words said) {
	s.t.Helper()
	req, planned, action, words := s.planSecret(before, arguments)
	if action == "replace" && !words.failed() {
		ended, more := s.destroy(before)
		if words = append(words, more...); words.failed() {
			return ended, action, words
		}
		req, planned, _, more = s.planSecret(managed{}, arguments)
		words = append(words, more...)
		before = managed{name: secretType}
	}
	if words.failed() || action == "none" {
		return before, action, words
	}
	applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: secretType, PriorState: req.PriorState, PlannedState: planned.PlannedState, Config: req.Config,
		PlannedPrivate: planned.PlannedPrivate, PlannedIdentity: planned.PlannedIdentity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, state := range []*tfprotov6.DynamicValue{planned.PlannedState, applied.NewState} {
		if bytes.Contains(state.MsgPack, []byte(plainText)) {
			s.t.Error("the secret is in the plan or the state")
		}
	}
	return s.kept(secretType, applied.NewState, applied.Private, applied.NewIdentity), action, append(words, applied.Diagnostics...)
}

// importSecret imports a key and reads it, as an import does.
func (s secretServer) importSecret(kid string) managed {
	s.t.Helper()
	answer, err := s.ImportResourceState(s.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: secretType, ID: uploadSetID + "/" + kid})
	if err != nil || len(answer.Diagnostics) > 0 {
		s.t.Fatal(answer.Diagnostics, err)
	}
	r := answer.ImportedResources[0]
	after, words := s.refresh(managed{name: secretType, state: r.State, private: r.Private, identity: r.Identity})
	if len(words) > 0 {
		s.t.Fatal(words)
	}
	return after
}

// secretWorld is a tenant with a key set of symmetric keys, which holds somebody else's.
func secretWorld(t *testing.T, config emulator.Config) (w *world, other string) {
	t.Helper()
	w = newWorldOf(t, start(), config)
	w.AddKeySet(uploadSetID)
	return w, w.AddKey(uploadSetID, emulator.KeySpec{Kty: "oct"})
}
