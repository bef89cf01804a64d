// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// object is a resource as a client's state has it.
type object struct {
	resource string
	state    *tfprotov6.DynamicValue
	private  []byte
	identity *tfprotov6.ResourceIdentityData
	// config is what it was made from.
	config *tfprotov6.DynamicValue
}

// create plans and applies a new resource of a configuration whose values are strings. The error has what the
// provider said, warnings too.
func (s *server) create(resource string, attributes map[string]string) (object, error) {
	config := s.value(s.resources[resource], attributes)
	planned, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, PriorState: s.null(resource), ProposedNewState: s.proposed(resource, attributes), Config: config,
	})
	if err != nil {
		return object{}, err
	}
	if text := saidBy(planned.Diagnostics); text != "" {
		return object{}, errors.New(text)
	}
	applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, PriorState: s.null(resource), PlannedState: planned.PlannedState, Config: config,
		PlannedPrivate: planned.PlannedPrivate, PlannedIdentity: planned.PlannedIdentity,
	})
	if err != nil {
		return object{}, err
	}
	if text := saidBy(applied.Diagnostics); text != "" {
		return object{}, errors.New(text)
	}
	return object{resource: resource, state: applied.NewState, private: applied.Private, identity: applied.NewIdentity, config: config}, nil
}

// read refreshes a resource. It returns what the state has afterwards, nil if the resource was dropped, and
// what the provider said.
func (s *server) read(o object) (after map[string]string, said string) {
	s.t.Helper()
	answer, err := s.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: o.resource, CurrentState: o.state, Private: o.private, CurrentIdentity: o.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.attributes(o.resource, answer.NewState), saidBy(answer.Diagnostics)
}

// planDestroy plans the end of a resource, and returns what the provider said.
func (s *server) planDestroy(o object) string {
	s.t.Helper()
	planned, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: o.resource, PriorState: o.state, ProposedNewState: s.null(o.resource), Config: s.null(o.resource),
		PriorPrivate: o.private, PriorIdentity: o.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return saidBy(planned.Diagnostics)
}

// destroy ends a resource. What it returns is as for read.
func (s *server) destroy(o object) (after map[string]string, said string) {
	s.t.Helper()
	applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: o.resource, PriorState: o.state, PlannedState: s.null(o.resource), Config: s.null(o.resource), PlannedPrivate: o.private, PlannedIdentity: o.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.attributes(o.resource, applied.NewState), saidBy(applied.Diagnostics)
}

// attributes are a state's attributes that are strings, or nil if there is no state.
func (s *server) attributes(resource string, state *tfprotov6.DynamicValue) map[string]string {
	s.t.Helper()
	decoded, err := state.Unmarshal(s.resources[resource])
	if err != nil {
		s.t.Fatal(err)
	}
	if decoded.IsNull() {
		return nil
	}
	return s.strings(s.resources[resource], state)
}

// null is the state of a resource that isn't there.
func (s *server) null(resource string) *tfprotov6.DynamicValue {
	value, err := tfprotov6.NewDynamicValue(s.resources[resource], tftypes.NewValue(s.resources[resource], nil))
	if err != nil {
		s.t.Error(err)
	}
	return &value
}

// proposed is what a client proposes for a new resource: the configuration, and unknown what is computed.
func (s *server) proposed(resource string, attributes map[string]string) *tfprotov6.DynamicValue {
	values := map[string]tftypes.Value{}
	for _, a := range s.schemas[resource].Block.Attributes {
		text, ok := attributes[a.Name]
		switch {
		case ok:
			values[a.Name] = tftypes.NewValue(tftypes.String, text)
		case a.Computed:
			values[a.Name] = tftypes.NewValue(a.ValueType(), tftypes.UnknownValue)
		default:
			values[a.Name] = tftypes.NewValue(a.ValueType(), nil)
		}
	}
	value, err := tfprotov6.NewDynamicValue(s.resources[resource], tftypes.NewValue(s.resources[resource], values))
	if err != nil {
		s.t.Error(err)
	}
	return &value
}

// saidBy writes diagnostics down, one after the other: "error: summary: detail".
func saidBy(diagnostics []*tfprotov6.Diagnostic) string {
	var b strings.Builder
	for _, d := range diagnostics {
		fmt.Fprintf(&b, "%s: %s: %s\n", strings.ToLower(d.Severity.String()), d.Summary, d.Detail)
	}
	return b.String()
}
