// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// damagedWorld has a tenant with two key sets, and a resource of each type of key in the first one, as a client keeps them.
func damagedWorld(t *testing.T, s *server, w *world) map[string]managed {
	t.Helper()
	w.AddKeySet("B2C_1A_Signing")
	w.AddKeySet("B2C_1A_Other")
	w.AddKey("B2C_1A_Other", emulator.KeySpec{})
	resources := map[string]managed{}
	for name, id := range map[string]string{
		"trustframework_key_set":              "B2C_1A_Signing",
		"trustframework_generated_key":        "B2C_1A_Signing/" + w.AddKey("B2C_1A_Signing", emulator.KeySpec{}),
		"trustframework_uploaded_certificate": "B2C_1A_Signing/" + w.AddKey("B2C_1A_Signing", emulator.KeySpec{}),
		"trustframework_uploaded_pkcs12":      "B2C_1A_Signing/" + w.AddKey("B2C_1A_Signing", emulator.KeySpec{}),
		"trustframework_key_rotation":         "B2C_1A_Signing/" + w.AddKey("B2C_1A_Signing", emulator.KeySpec{}),
	} {
		resources[name] = s.imported(name, id)
	}
	w.AddKeySet("B2C_1A_Secrets")
	secret := w.AddKey("B2C_1A_Secrets", emulator.KeySpec{Kty: "oct"})
	resources["trustframework_uploaded_secret"] = s.imported("trustframework_uploaded_secret", "B2C_1A_Secrets/"+secret)
	return resources
}

// imported is a resource after its import and the read that follows.
func (s *server) imported(name, id string) managed {
	s.t.Helper()
	answer, err := s.ImportResourceState(s.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, ID: id})
	if err != nil || len(answer.Diagnostics) > 0 {
		s.t.Fatal(said(answer.Diagnostics), err)
	}
	one := answer.ImportedResources[0]
	after, said := s.refresh(managed{name: name, state: one.State, private: one.Private, identity: one.Identity})
	if len(said) > 0 {
		s.t.Fatal(said)
	}
	return after
}

// edited is a resource some of whose strings were edited in its state; "" makes one null.
func (s *server) edited(m managed, attributes map[string]string) managed {
	s.t.Helper()
	values, err := objectValues(s.resources[m.name], m.state)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, text := range attributes {
		values[name] = tftypes.NewValue(tftypes.String, text)
		if text == "" {
			values[name] = tftypes.NewValue(tftypes.String, nil)
		}
	}
	state, err := tfprotov6.NewDynamicValue(s.resources[m.name], tftypes.NewValue(s.resources[m.name], values))
	if err != nil {
		s.t.Fatal(err)
	}
	m.state = &state
	return m
}

// identified is a resource some of whose identity was edited.
func (s *server) identified(m managed, attributes map[string]string) managed {
	s.t.Helper()
	identity := s.strings(s.identities[m.name], m.identity.IdentityData)
	maps.Copy(identity, attributes)
	m.identity = s.identity(m.name, identity)
	return m
}

// operations are all that a client asks for of a resource in its state: each returns what was said, and what the client
// keeps.
func (s *server) operations() map[string]func(managed) (said, managed) {
	config := func(m managed) *tfprotov6.DynamicValue {
		values, err := objectValues(s.resources[m.name], m.state)
		if err != nil {
			s.t.Error(err)
		}
		attributes := map[string]string{}
		for name, value := range values {
			var text string
			configured := slices.ContainsFunc(s.schemas[m.name].Block.Attributes, func(a *tfprotov6.SchemaAttribute) bool { return a.Name == name && a.Required })
			if configured && value.IsKnown() && !value.IsNull() && value.As(&text) == nil {
				attributes[name] = text
			}
		}
		if m.name == "trustframework_key_rotation" {
			attributes["rotation_days"] = "90"
		}
		return s.value(s.resources[m.name], attributes)
	}
	return map[string]func(managed) (said, managed){
		"read": func(m managed) (said, managed) {
			after, said := s.refresh(m)
			return said, after
		},
		"plan": func(m managed) (said, managed) {
			given := config(m)
			proposed, err := s.proposed(m, given)
			if err != nil {
				s.t.Error(err)
			}
			planned, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: m.name, PriorState: m.state, ProposedNewState: proposed, Config: given, PriorPrivate: m.private, PriorIdentity: m.identity,
			})
			if err != nil {
				s.t.Fatal(err)
			}
			return planned.Diagnostics, m
		},
		"plan of the end": func(m managed) (said, managed) {
			_, planned, err := s.plan(m, nil)
			if err != nil {
				s.t.Fatal(err)
			}
			return planned.Diagnostics, m
		},
		"update": func(m managed) (said, managed) {
			given := config(m)
			applied, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
				TypeName: m.name, PriorState: m.state, PlannedState: m.state, Config: given, PlannedPrivate: m.private, PlannedIdentity: m.identity,
			})
			if err != nil {
				s.t.Fatal(err)
			}
			return applied.Diagnostics, s.kept(m.name, applied.NewState, applied.Private, applied.NewIdentity)
		},
		"delete": func(m managed) (said, managed) {
			after, said := s.destroy(m)
			return said, after
		},
	}
}

// refuses checks that every operation on a resource is refused with an error that has all texts, before anything is sent,
// and that the client keeps what it had.
func (s *server) refuses(t *testing.T, w *world, name string, m managed, texts ...string) {
	t.Helper()
	for operation, do := range s.operations() {
		w.ResetJournal()
		s.configure()
		said, after := do(m)
		text := said.String()
		if !said.failed() || len(missingFrom(text, append(texts, "Nothing was sent", "terraform state rm "+m.name+".NAME", "terraform import "+m.name+".NAME KEY_SET_ID"))) > 0 {
			t.Errorf("%s, %s: said %q, want an error with %q", name, operation, text, texts)
		}
		if n := len(w.Journal()); n > 0 {
			t.Errorf("%s, %s: %d requests, want none", name, operation, n)
		}
		if !s.same(m.name, after.state, m.state) || string(after.private) != string(m.private) {
			t.Errorf("%s, %s: the client doesn't keep what it had", name, operation)
		}
		if strings.ContainsAny(text, "\x1b\a\r") {
			t.Errorf("%s, %s: control characters in %q", name, operation, text)
		}
	}
}

// TestProtocol_PrivateState_Unreadable: private state that was edited says nothing of the tenant or of what is in doubt. No
// operation takes it for none.
func TestProtocol_PrivateState_Unreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	s := newServer(t, w)
	inside := func(made string) string {
		return fmt.Sprintf(`{"made":%q}`, base64.StdEncoding.EncodeToString([]byte(made)))
	}
	damages := map[string]string{
		"no JSON":                  `{"made":`,
		"cut":                      `{"made":"eyJ0ZW5hbnRfaWQ`,
		"another type":             `[1]`,
		"null":                     `null`,
		"empty":                    `{}`,
		"a number":                 `{"made":5}`,
		"an object in the clear":   `{"made":{"tenant_id":"11111111-2222-3333-4444-555555555555"}}`,
		"somebody else's":          fmt.Sprintf(`{"schema_version":%q}`, base64.StdEncoding.EncodeToString([]byte("1"))),
		"inside, no JSON":          inside(`{"tenant_id":`),
		"inside, null":             inside(`null`),
		"inside, a list":           inside(`[]`),
		"inside, a wrong type":     inside(`{"tenant_id":5}`),
		"inside, a wrong date":     inside(`{"at":"yesterday"}`),
		"inside, a wrong doubt":    inside(`{"doubt":"none"}`),
		"inside, an unknown name":  inside(`{"tenant":"11111111-2222-3333-4444-555555555555"}`),
		"inside, no tenant's GUID": inside(`{"tenant_id":"contoso\u001b[2J"}`),
		"inside, half of it":       inside(`{"tenant_id":"11111111-2222-3333`),
		"inside, binary":           fmt.Sprintf(`{"made":%q}`, base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe, 0})),
		"inside, nothing":          `{"made":""}`,
	}
	for resource, m := range damagedWorld(t, s, w) {
		for name, private := range damages {
			m.private = []byte(private)
			s.refuses(t, w, resource+", "+name, m, "Unable to read private state", "restore a backup")
		}
		// None at all is no damage: what was written by hand has none. The identity still guards the tenant.
		m.private = nil
		s.configure()
		if _, said := s.refresh(m); len(said) > 0 {
			t.Errorf("%s without private state: %v", resource, said)
		}
		s.refuses(t, w, resource+" without private state, of another tenant", s.identified(m, map[string]string{"tenant_id": "contoso"}), "State contradicts itself")
	}
}

// TestProtocol_State_ContradictsItself: a state that names two key sets or two keys, or what can't be one, is refused by every
// operation. The spelling of a key set makes no difference.
func TestProtocol_State_ContradictsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	s := newServer(t, w)
	const tenant = "11111111-2222-3333-4444-555555555555"
	for resource, m := range damagedWorld(t, s, w) {
		attributes := s.attributes(m)
		refuses := func(name string, edit map[string]string, texts ...string) {
			t.Helper()
			s.refuses(t, w, resource+", "+name, s.edited(m, edit), append(texts, "State contradicts itself")...)
		}
		refusesIdentity := func(name string, edit map[string]string, texts ...string) {
			t.Helper()
			s.refuses(t, w, resource+", identity, "+name, s.identified(m, edit), append(texts, "State contradicts itself")...)
		}
		set, _, _ := strings.Cut(attributes["id"], "/")
		where, kid := "key_set_id", attributes["kid"]
		if resource == "trustframework_key_set" {
			where = "name"
		}
		otherID := "B2C_1A_Other"
		if kid != "" {
			otherID += "/" + kid
		}
		refuses("id of another set", map[string]string{"id": otherID}, "two key sets", `"B2C_1A_Other"`)
		refuses("another set", map[string]string{where: "Other"}, "two key sets", `"Other"`)
		refuses("no id", map[string]string{"id": ""}, "has no id")
		if resource == "trustframework_key_set" {
			// Right after an import the refresh has yet to find out the name.
			operations := s.operations()
			delete(operations, "read")
			for operation, do := range operations {
				w.ResetJournal()
				if said, _ := do(s.edited(m, map[string]string{"name": ""})); !said.failed() || !strings.Contains(said.String(), "has no name") || len(w.Journal()) > 0 {
					t.Errorf("no name, %s: said %q after %d requests, want an error before any", operation, said, len(w.Journal()))
				}
			}
		}
		refusesIdentity("another set", map[string]string{"key_set_id": "B2C_1A_Other"}, "two key sets", `"B2C_1A_Other"`)
		refusesIdentity("another tenant", map[string]string{"tenant_id": tenant}, tenant, w.ID())
		refusesIdentity("no tenant", map[string]string{"tenant_id": "a\x1b[2Jb"}, "isn't a GUID")
		for _, bad := range []string{"..", ".", "a/b", "a b", "a\x1b[2Jb", "a\nb", "a?b", "a%2fb"} {
			id := bad
			if kid != "" {
				id += "/" + kid
			}
			refuses(fmt.Sprintf("id %q", bad), map[string]string{"id": id}, "In it ")
			refuses(fmt.Sprintf("%s %q", where, bad), map[string]string{where: bad}, "can't name a key set")
			refusesIdentity(fmt.Sprintf("%q", bad), map[string]string{"key_set_id": bad}, "can't name a key set")
			if kid != "" {
				refuses(fmt.Sprintf("kid %q", bad), map[string]string{"kid": bad}, "can't be a kid")
				refusesIdentity(fmt.Sprintf("kid %q", bad), map[string]string{"kid": bad}, "can't be a kid")
			}
		}
		if kid != "" {
			refuses("kid of another key", map[string]string{"kid": "other"}, "two keys", `"other"`)
			refuses("id of another key", map[string]string{"id": set + "/other"}, "two keys", `"other"`)
			refuses("no kid", map[string]string{"kid": ""}, "has no kid")
			refuses("id of a set", map[string]string{"id": set}, "can't be a kid")
			refusesIdentity("another key", map[string]string{"kid": "other"}, "two keys", `"other"`)
		}
		if resource == "trustframework_key_set" {
			continue
		}
		if _, said := s.refresh(s.edited(m, map[string]string{"key_set_id": strings.ToLower(strings.TrimPrefix(set, "B2C_1A_"))})); len(said) > 0 {
			t.Errorf("%s in another spelling: %v", resource, said)
		}
	}
}

// TestProtocol_State_RotationWithBadKids: a kid in a list is one, too.
func TestProtocol_State_RotationWithBadKids(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	s := newServer(t, w)
	const name = "trustframework_key_rotation"
	m := damagedWorld(t, s, w)[name]
	for _, bad := range []any{"..", "a/b", "a\x1b[2Jb", nil} {
		values, err := objectValues(s.resources[name], m.state)
		if err != nil {
			t.Fatal(err)
		}
		var keys []tftypes.Value
		if err := values["keys"].As(&keys); err != nil || len(keys) != 1 {
			t.Fatal(keys, err)
		}
		key := map[string]tftypes.Value{}
		if err := keys[0].As(&key); err != nil {
			t.Fatal(err)
		}
		key["kid"] = tftypes.NewValue(tftypes.String, bad)
		values["keys"] = tftypes.NewValue(values["keys"].Type(), []tftypes.Value{tftypes.NewValue(keys[0].Type(), key)})
		state, err := tfprotov6.NewDynamicValue(s.resources[name], tftypes.NewValue(s.resources[name], values))
		if err != nil {
			t.Fatal(err)
		}
		damaged := m
		damaged.state = &state
		s.refuses(t, w, fmt.Sprintf("%v", bad), damaged, "State contradicts itself", "can't be one")
	}
}
