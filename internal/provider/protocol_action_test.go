// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// actionServer finds the methods for actions as the one does that speaks to clients: by a type assertion.
func (s *server) actionServer() tfprotov6.ActionServer {
	s.t.Helper()
	actions, ok := s.ProviderServer.(tfprotov6.ActionServer)
	if !ok {
		s.t.Fatal("the server has no actions")
	}
	return actions
}

// with is an object with other values for some of its attributes.
func (s *server) with(objectType tftypes.Type, object *tfprotov6.DynamicValue, changes map[string]tftypes.Value) *tfprotov6.DynamicValue {
	s.t.Helper()
	values, err := objectValues(objectType, object)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range changes {
		values[name] = value
	}
	changed, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, values))
	if err != nil {
		s.t.Fatal(err)
	}
	return &changed
}

// validateAction validates a configuration of the action.
func (s *server) validateAction(config *tfprotov6.DynamicValue) said {
	s.t.Helper()
	answer, err := s.actionServer().ValidateActionConfig(s.t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: statusAction, Config: config})
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.Diagnostics
}

// planAction plans the action.
func (s *server) planAction(config *tfprotov6.DynamicValue) said {
	s.t.Helper()
	answer, err := s.actionServer().PlanAction(s.t.Context(), &tfprotov6.PlanActionRequest{ActionType: statusAction, Config: config})
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.Diagnostics
}

// invoke invokes the action, and returns what it told on the way and what it said in the end.
func (s *server) invoke(config *tfprotov6.DynamicValue) (progress []string, end said) {
	s.t.Helper()
	stream, err := s.actionServer().InvokeAction(s.t.Context(), &tfprotov6.InvokeActionRequest{ActionType: statusAction, Config: config})
	if err != nil {
		s.t.Fatal(err)
	}
	ended := false
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, event.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			end, ended = event.Diagnostics, true
		}
	}
	if !ended {
		s.t.Error("the action hasn't ended")
	}
	return progress, end
}

// TestServer_HidesNothing: whatever the framework's server can do, ours can.
func TestServer_HidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	ours := reflect.TypeOf(newServer(t, w).ProviderServer)
	framework := reflect.TypeOf(providerserver.NewProtocol6(provider.New("test")())())
	if framework.NumMethod() == 0 {
		t.Fatal("the framework's server has no methods")
	}
	for i := range framework.NumMethod() {
		name := framework.Method(i).Name
		if _, ok := ours.MethodByName(name); !ok {
			t.Errorf("%s is hidden", name)
		}
	}
}
