// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// stateIDs are the ids that a resource's state has. A state that was edited may name two key sets, or two keys: what is
// read, changed or deleted would then be another one than the user sees. Every operation checks them before it sends
// anything.
type stateIDs struct {
	resource string
	keySets  []namedID
	kids     []namedID
	wrong    []string
}

// namedID is an id, and the attribute that has it.
type namedID struct{ where, id string }

// keySet adds the name or id of a key set. One that isn't there or isn't known says nothing.
func (s *stateIDs) keySet(where string, value types.String) {
	if known(value) {
		s.keySets = append(s.keySets, namedID{where, value.ValueString()})
	}
}

// kid adds the id of a key within its set.
func (s *stateIDs) kid(where string, value types.String) {
	if known(value) {
		s.kids = append(s.kids, namedID{where, value.ValueString()})
	}
}

// lacks records that an attribute isn't there which no state is without.
func (s *stateIDs) lacks(where string, value types.String) {
	if value.IsNull() {
		s.wrong = append(s.wrong, fmt.Sprintf("It has no %s.", where))
	}
}

// identity adds the ids that an identity has; nil or one that is null has none.
func (s *stateIDs) identity(ctx context.Context, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	if identity == nil || identity.Raw.IsFullyNull() {
		return
	}
	get := func(name string) (value types.String) {
		diags.Append(identity.GetAttribute(ctx, path.Root(name), &value)...)
		return value
	}
	s.keySet("the identity's key_set_id", get("key_set_id"))
	if _, ok := identity.Schema.GetAttributes()["kid"]; ok {
		s.kid("the identity's kid", get("kid"))
	}
}

// check refuses ids that can't be ids, and those of two key sets or two keys. A prefix or a letter's case makes no
// difference between two sets.
func (s *stateIDs) check(diags *diag.Diagnostics) {
	for _, k := range s.keySets {
		if why := notAPathSegment(k.id); why != "" {
			s.wrong = append(s.wrong, fmt.Sprintf("In it %s is %q, which can't name a key set: %s.", k.where, k.id, why))
		}
	}
	for _, k := range s.kids {
		if why := notAPathSegment(k.id); why != "" {
			s.wrong = append(s.wrong, fmt.Sprintf("In it %s is %q, which can't be a kid: %s.", k.where, k.id, why))
		}
	}
	for i := 1; i < len(s.keySets) && len(s.wrong) == 0; i++ {
		if a, b := s.keySets[0], s.keySets[i]; !trustframework.SameID(a.id, b.id) {
			s.wrong = append(s.wrong, fmt.Sprintf("It names two key sets: %s is %q, but %s is %q.", a.where, a.id, b.where, b.id))
		}
	}
	for i := 1; i < len(s.kids) && len(s.wrong) == 0; i++ {
		if a, b := s.kids[0], s.kids[i]; a.id != b.id {
			s.wrong = append(s.wrong, fmt.Sprintf("It names two keys: %s is %q, but %s is %q.", a.where, a.id, b.where, b.id))
		}
	}
	if len(s.wrong) > 0 {
		addDamagedState(diags, s.resource, s.wrong...)
	}
}

// addDamagedState is the error for a state that says what can't be. Wrong are sentences.
func addDamagedState(diags *diag.Diagnostics, resource string, wrong ...string) {
	const most = 5
	if len(wrong) > most {
		wrong = append(wrong[:most:most], fmt.Sprintf("There are %d more of that kind.", len(wrong)-most))
	}
	diags.AddError("State contradicts itself",
		fmt.Sprintf("The state of this resource can't be what the provider has written. %s Nothing was sent, and nothing was changed.\n\n"+
			"The state was edited or damaged: restore a backup of it, or take the resource out of the state and import what it is to own:\n\n%s",
			strings.Join(wrong, " "), againCommands(resource)))
}

// againCommands are the commands that take a resource out of the state and import it again.
func againCommands(resource string) string {
	id := "KEY_SET_ID/KID"
	if resource == keySetType || resource == resourceTypes()[opRotateKeys] {
		id = "KEY_SET_ID"
	}
	return "  " + forgetCommand(resource) + "\n  " + importCommand(resource, id)
}

// checkState refuses a state of a key set, and an identity, that name more than one.
func (m *keySetModel) checkState(ctx context.Context, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	ids := stateIDs{resource: keySetType}
	ids.lacks("id", m.ID)
	ids.keySet("id", m.ID)
	ids.keySet("name", m.Name)
	ids.identity(ctx, identity, diags)
	ids.check(diags)
}

// checkWhole is checkState for a state that a refresh has written: right after an import there is no name yet.
func (m *keySetModel) checkWhole(ctx context.Context, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	if m.Name.IsNull() {
		addDamagedState(diags, keySetType, "It has no name.")
		return
	}
	m.checkState(ctx, identity, diags)
}

// checkState refuses a state of a key, and an identity, that name more than one.
func (m *keyModel) checkState(ctx context.Context, resource string, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	ids := stateIDs{resource: resource}
	ids.lacks("id", m.ID)
	ids.lacks("kid", m.Kid)
	ids.lacks("key_set_id", m.KeySetID)
	if known(m.ID) {
		keySetID, kid, _ := strings.Cut(m.ID.ValueString(), "/")
		ids.keySet("the first half of id", types.StringValue(keySetID))
		ids.kid("the second half of id", types.StringValue(kid))
	}
	ids.keySet("key_set_id", m.KeySetID)
	ids.kid("kid", m.Kid)
	ids.identity(ctx, identity, diags)
	ids.check(diags)
}

// checkState refuses a state of a rotation, and an identity, that name more than one key set.
func (m *keyRotationModel) checkState(ctx context.Context, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	ids := stateIDs{resource: resourceTypes()[opRotateKeys]}
	ids.lacks("id", m.ID)
	ids.lacks("key_set_id", m.KeySetID)
	ids.keySet("id", m.ID)
	ids.keySet("key_set_id", m.KeySetID)
	ids.identity(ctx, identity, diags)
	for _, k := range m.own(diags) {
		if why := notAPathSegment(k.Kid); why != "" {
			ids.wrong = append(ids.wrong, fmt.Sprintf("In it a key has the kid %q, which can't be one: %s.", k.Kid, why))
		}
	}
	ids.check(diags)
}
