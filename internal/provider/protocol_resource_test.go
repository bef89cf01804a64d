// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// managed is a resource as a client keeps it between two calls. The zero value is one that isn't there.
type managed struct {
	state    *tfprotov6.DynamicValue
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// said are the diagnostics of one or more calls.
type said []*tfprotov6.Diagnostic

func (d said) String() string {
	var b strings.Builder
	for _, one := range d {
		b.WriteString(one.Severity.String() + ": " + one.Summary + "\n" + one.Detail + "\n\n")
	}
	return b.String()
}

// failed tells whether there is an error among them.
func (d said) failed() bool {
	for _, one := range d {
		if one.Severity == tfprotov6.DiagnosticSeverityError {
			return true
		}
	}
	return false
}

// without leaves out the diagnostics of a summary.
func (d said) without(summary string) said {
	return slices.DeleteFunc(slices.Clone(d), func(one *tfprotov6.Diagnostic) bool { return one.Summary == summary })
}

// object reads an object's attributes; a null one has none.
func (s *server) object(objectType tftypes.Type, value *tfprotov6.DynamicValue) map[string]tftypes.Value {
	s.t.Helper()
	attributes := map[string]tftypes.Value{}
	if value == nil {
		return attributes
	}
	decoded, err := value.Unmarshal(objectType)
	if err != nil {
		s.t.Fatal(err)
	}
	if !decoded.IsNull() {
		if err := decoded.As(&attributes); err != nil {
			s.t.Fatal(err)
		}
	}
	return attributes
}

// null is the value of what isn't there.
func (s *server) null(objectType tftypes.Type) *tfprotov6.DynamicValue {
	s.t.Helper()
	value, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, nil))
	if err != nil {
		s.t.Fatal(err)
	}
	return &value
}

// apply plans and applies a configuration, whose attributes are strings; nil destroys. It returns what a
// client would write into its state, and stops at an error of the plan.
func (s *server) apply(name string, before managed, config map[string]string) (managed, said) {
	s.t.Helper()
	objectType := s.resources[name]
	prior := before.state
	if prior == nil {
		prior = s.null(objectType)
	}
	given, proposed := s.null(objectType), s.null(objectType)
	if config != nil {
		given = s.value(objectType, config)
		// As a client does: what is configured, and what was computed before.
		merged := s.object(objectType, given)
		for attribute, value := range s.object(objectType, prior) {
			if merged[attribute].IsNull() {
				merged[attribute] = value
			}
		}
		value, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, merged))
		if err != nil {
			s.t.Fatal(err)
		}
		proposed = &value
	}
	planned, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: name, PriorState: prior, ProposedNewState: proposed, Config: given, PriorPrivate: before.private, PriorIdentity: before.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if all := said(planned.Diagnostics); all.failed() {
		return before, all
	}
	applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: name, PriorState: prior, PlannedState: planned.PlannedState, Config: given,
		PlannedPrivate: planned.PlannedPrivate, PlannedIdentity: planned.PlannedIdentity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	after := managed{state: applied.NewState, private: applied.Private, identity: applied.NewIdentity}
	if len(s.object(objectType, after.state)) == 0 {
		after = managed{}
	}
	return after, append(said(planned.Diagnostics), applied.Diagnostics...)
}

// refresh reads a resource. What is gone comes back as the zero value.
func (s *server) refresh(name string, before managed) (managed, said) {
	s.t.Helper()
	read, err := s.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: name, CurrentState: before.state, Private: before.private, CurrentIdentity: before.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	after := managed{state: read.NewState, private: read.Private, identity: read.NewIdentity}
	if len(s.object(s.resources[name], after.state)) == 0 {
		after = managed{}
	}
	return after, read.Diagnostics
}

// attribute is a string attribute of a resource; "" if it is null or the resource isn't there.
func (s *server) attribute(name string, m managed, attribute string) string {
	s.t.Helper()
	if m.state == nil {
		return ""
	}
	return s.strings(s.resources[name], m.state)[attribute]
}

// known is a resource of which a client knows some attributes, and nothing else.
func (s *server) known(name string, attributes map[string]string) managed {
	s.t.Helper()
	return managed{state: s.value(s.resources[name], attributes)}
}

// data reads a data source.
func (s *server) data(name string, config map[string]string) (*tfprotov6.DynamicValue, said) {
	s.t.Helper()
	read, err := s.ReadDataSource(s.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: s.value(s.dataSources[name], config)})
	if err != nil {
		s.t.Fatal(err)
	}
	return read.State, read.Diagnostics
}
