// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// managed is a resource as a client keeps it between two calls.
type managed struct {
	// name is the resource's type.
	name string
	// state is nil if the resource isn't there.
	state    *tfprotov6.DynamicValue
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// said are the diagnostics of one or more calls.
type said []*tfprotov6.Diagnostic

// String writes them down, one after the other: "error: summary: detail". The summaries are without the ids in them.
func (d said) String() string {
	var b strings.Builder
	for _, one := range d {
		b.WriteString(strings.ToLower(one.Severity.String()) + ": " + withoutIDs(one.Summary) + ": " + one.Detail + "\n")
	}
	return b.String()
}

// failed tells whether there is an error among them.
func (d said) failed() bool {
	return slices.ContainsFunc(d, func(one *tfprotov6.Diagnostic) bool { return one.Severity == tfprotov6.DiagnosticSeverityError })
}

// without leaves out the diagnostics of a summary.
func (d said) without(summary string) said {
	return slices.DeleteFunc(slices.Clone(d), func(one *tfprotov6.Diagnostic) bool { return strings.HasPrefix(withoutIDs(one.Summary), summary) })
}

// known is a resource of which a client knows some attributes, and nothing else.
func (s *server) known(name string, attributes map[string]string) managed {
	s.t.Helper()
	return managed{name: name, state: s.value(s.resources[name], attributes)}
}

// plan plans a configuration whose values are strings; nil plans the end of the resource.
func (s *server) plan(before managed, config map[string]string) (*tfprotov6.PlanResourceChangeRequest, *tfprotov6.PlanResourceChangeResponse, error) {
	objectType := s.resources[before.name]
	prior := before.state
	if prior == nil {
		prior = s.null(before.name)
	}
	given, proposed := s.null(before.name), s.null(before.name)
	if config != nil {
		given = s.value(objectType, config)
		values, err := s.proposed(before, given)
		if err != nil {
			return nil, nil, err
		}
		proposed = values
	}
	req := &tfprotov6.PlanResourceChangeRequest{
		TypeName: before.name, PriorState: prior, ProposedNewState: proposed, Config: given, PriorPrivate: before.private, PriorIdentity: before.identity,
	}
	resp, err := s.PlanResourceChange(s.t.Context(), req)
	return req, resp, err
}

// proposed is what a client proposes: what is configured, and of what is computed the value in state, or for a
// new resource an unknown one.
func (s *server) proposed(before managed, config *tfprotov6.DynamicValue) (*tfprotov6.DynamicValue, error) {
	objectType := s.resources[before.name]
	values, err := objectValues(objectType, config)
	if err != nil {
		return nil, err
	}
	prior, err := objectValues(objectType, before.state)
	if err != nil {
		return nil, err
	}
	for _, a := range s.schemas[before.name].Block.Attributes {
		was, ok := prior[a.Name]
		switch {
		case !values[a.Name].IsNull() || !a.Computed:
		case ok:
			values[a.Name] = was
		default:
			values[a.Name] = tftypes.NewValue(a.ValueType(), tftypes.UnknownValue)
		}
	}
	value, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, values))
	return &value, err
}

// change plans and applies, and stops at an error of the plan.
func (s *server) change(before managed, config map[string]string) (managed, said, error) {
	req, planned, err := s.plan(before, config)
	if err != nil {
		return before, nil, err
	}
	if all := said(planned.Diagnostics); all.failed() {
		return before, all, nil
	}
	return s.applyPlan(before, req, planned)
}

// changeIfPlanned is change for a client that applies only what a plan has something to do with.
func (s *server) changeIfPlanned(before managed, config map[string]string) (managed, said, error) {
	req, planned, err := s.plan(before, config)
	if err != nil || said(planned.Diagnostics).failed() || s.same(before.name, planned.PlannedState, before.state) {
		return before, planned.Diagnostics, err
	}
	return s.applyPlan(before, req, planned)
}

// same tells whether two states of a resource are one.
func (s *server) same(name string, a, b *tfprotov6.DynamicValue) bool {
	if a == nil || b == nil {
		return false
	}
	first, errFirst := a.Unmarshal(s.resources[name])
	second, errSecond := b.Unmarshal(s.resources[name])
	return errFirst == nil && errSecond == nil && first.Equal(second)
}

// applyPlan applies what was planned.
func (s *server) applyPlan(before managed, req *tfprotov6.PlanResourceChangeRequest, planned *tfprotov6.PlanResourceChangeResponse) (managed, said, error) {
	applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: req.TypeName, PriorState: req.PriorState, PlannedState: planned.PlannedState, Config: req.Config,
		PlannedPrivate: planned.PlannedPrivate, PlannedIdentity: planned.PlannedIdentity,
	})
	if err != nil {
		return before, nil, err
	}
	after := s.kept(before.name, applied.NewState, applied.Private, applied.NewIdentity)
	return after, append(said(planned.Diagnostics), applied.Diagnostics...), nil
}

// apply is change for a test that can't go on without an answer.
func (s *server) apply(name string, before managed, config map[string]string) (managed, said) {
	s.t.Helper()
	before.name = name
	after, said, err := s.change(before, config)
	if err != nil {
		s.t.Fatal(err)
	}
	return after, said
}

// create makes a resource, without a word: the error has what the provider said, warnings too. It may be called at
// the same time as others.
func (s *server) create(name string, config map[string]string) (managed, error) {
	after, said, err := s.change(managed{name: name}, config)
	if err == nil && len(said) > 0 {
		err = errors.New(said.String())
	}
	return after, err
}

// refresh reads a resource.
func (s *server) refresh(before managed) (managed, said) {
	s.t.Helper()
	read, err := s.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: before.name, CurrentState: before.state, Private: before.private, CurrentIdentity: before.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.kept(before.name, read.NewState, read.Private, read.NewIdentity), read.Diagnostics
}

// destroy ends a resource whose end was planned elsewhere.
func (s *server) destroy(before managed) (managed, said) {
	s.t.Helper()
	applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: before.name, PriorState: before.state, PlannedState: s.null(before.name), Config: s.null(before.name),
		PlannedPrivate: before.private, PlannedIdentity: before.identity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.kept(before.name, applied.NewState, applied.Private, applied.NewIdentity), applied.Diagnostics
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

// kept is what a client keeps of an answer.
func (s *server) kept(name string, state *tfprotov6.DynamicValue, private []byte, identity *tfprotov6.ResourceIdentityData) managed {
	if values, err := objectValues(s.resources[name], state); err == nil && len(values) == 0 {
		return managed{name: name}
	}
	return managed{name: name, state: state, private: private, identity: identity}
}

// null is the state of a resource that isn't there.
func (s *server) null(name string) *tfprotov6.DynamicValue {
	value, err := tfprotov6.NewDynamicValue(s.resources[name], tftypes.NewValue(s.resources[name], nil))
	if err != nil {
		s.t.Error(err)
	}
	return &value
}

// attributes are those of a resource that are strings; nil if it isn't there.
func (s *server) attributes(m managed) map[string]string {
	s.t.Helper()
	if m.state == nil {
		return nil
	}
	return s.strings(s.resources[m.name], m.state)
}

// objectValues are an object's attributes; none of one that is null.
func objectValues(objectType tftypes.Type, object *tfprotov6.DynamicValue) (map[string]tftypes.Value, error) {
	values := map[string]tftypes.Value{}
	if object == nil {
		return values, nil
	}
	decoded, err := object.Unmarshal(objectType)
	if err != nil || decoded.IsNull() {
		return values, err
	}
	return values, decoded.As(&values)
}
