// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// server speaks the protocol with the provider as a client would that is newer than the one under test.
type server struct {
	tfprotov6.ProviderServer
	t *testing.T

	provider    tftypes.Type
	schemas     map[string]*tfprotov6.Schema
	resources   map[string]tftypes.Type
	dataSources map[string]tftypes.Type
	identities  map[string]tftypes.Type
	actions     map[string]tftypes.Type
}

func newServer(t *testing.T, w *world, wrap ...func(http.RoundTripper) http.RoundTripper) *server {
	t.Helper()
	return newServerWith(t, w, w.Variables(), wrap...)
}

// newServerWith is a server that is told by the given variables which tenant to sign in to.
func newServerWith(t *testing.T, w *world, variables map[string]string, wrap ...func(http.RoundTripper) http.RoundTripper) *server {
	t.Helper()
	provider, err := w.factories(variables, wrap...)["trustframework"]()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := provider.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := provider.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		ProviderServer: provider, t: t, schemas: schemas.ResourceSchemas,
		resources: map[string]tftypes.Type{}, dataSources: map[string]tftypes.Type{}, identities: map[string]tftypes.Type{},
		actions: map[string]tftypes.Type{},
	}
	for name, schema := range schemas.ResourceSchemas {
		s.resources[name] = schema.ValueType()
	}
	for name, schema := range schemas.DataSourceSchemas {
		s.dataSources[name] = schema.ValueType()
	}
	for name, schema := range identities.IdentitySchemas {
		s.identities[name] = schema.ValueType()
	}
	for name, schema := range schemas.ActionSchemas {
		s.actions[name] = schema.Schema.ValueType()
	}
	s.provider = schemas.Provider.ValueType()
	s.configure()
	return s
}

// configure begins a command.
func (s *server) configure() {
	s.t.Helper()
	configured, err := s.ConfigureProvider(s.t.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.14.0", Config: s.value(s.provider, nil),
	})
	if err != nil || len(configured.Diagnostics) > 0 {
		s.t.Fatal(configured.Diagnostics, err)
	}
}

// value writes an object whose attributes are strings, numbers or truths or, where they aren't named, null.
func (s *server) value(objectType tftypes.Type, attributes map[string]string) *tfprotov6.DynamicValue {
	s.t.Helper()
	values := map[string]tftypes.Value{}
	for name, attributeType := range objectType.(tftypes.Object).AttributeTypes { //nolint:forcetypeassert // every schema's
		values[name] = tftypes.NewValue(attributeType, nil)
		if text, ok := attributes[name]; ok {
			values[name] = tftypes.NewValue(tftypes.String, text)
			if number, err := strconv.ParseInt(text, 10, 64); attributeType.Is(tftypes.Number) && err == nil {
				values[name] = tftypes.NewValue(tftypes.Number, number)
			}
			if truth, err := strconv.ParseBool(text); attributeType.Is(tftypes.Bool) && err == nil {
				values[name] = tftypes.NewValue(tftypes.Bool, truth)
			}
		}
	}
	value, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, values))
	if err != nil {
		s.t.Fatal(err)
	}
	return &value
}

// strings reads the attributes of an object that are strings.
func (s *server) strings(objectType tftypes.Type, value *tfprotov6.DynamicValue) map[string]string {
	s.t.Helper()
	decoded, err := value.Unmarshal(objectType)
	if err != nil {
		s.t.Fatal(err)
	}
	attributes, texts := map[string]tftypes.Value{}, map[string]string{}
	if err := decoded.As(&attributes); err != nil {
		s.t.Fatal(err)
	}
	for name, attribute := range attributes {
		var text *string
		if attribute.Type().Is(tftypes.String) && attribute.As(&text) == nil && text != nil {
			texts[name] = *text
		}
	}
	return texts
}

func (s *server) identity(name string, attributes map[string]string) *tfprotov6.ResourceIdentityData {
	s.t.Helper()
	if attributes == nil {
		return nil
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: s.value(s.identities[name], attributes)}
}

// importResource imports and reads, as an import does, and returns the identities after each of the two.
func (s *server) importResource(name, id string, identity map[string]string) (imported, read map[string]string, errors string) {
	s.t.Helper()
	answer, err := s.ImportResourceState(s.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, ID: id, Identity: s.identity(name, identity)})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range answer.Diagnostics {
		errors += d.Summary + ": " + d.Detail
	}
	if errors != "" {
		return nil, nil, errors
	}
	resource := answer.ImportedResources[0]
	after, err := s.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: name, CurrentState: resource.State, Private: resource.Private, CurrentIdentity: resource.Identity,
	})
	if err != nil || len(after.Diagnostics) > 0 {
		s.t.Fatal(after.Diagnostics, err)
	}
	return s.strings(s.identities[name], resource.Identity.IdentityData), s.strings(s.identities[name], after.NewIdentity.IdentityData), ""
}

// TestProtocol_Identity_Import: whatever a key or a key set is imported by, its identity is whole, and in
// the service's spelling, at once and after the read.
func TestProtocol_Identity_Import(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
	wholeSet := map[string]string{"tenant_id": w.ID(), "key_set_id": "B2C_1A_Signing"}
	wholeKey := map[string]string{"tenant_id": w.ID(), "key_set_id": "B2C_1A_Signing", "kid": kid}
	const other = "11111111-2222-3333-4444-555555555555"
	for name, row := range map[string]struct {
		resource, id string
		identity     map[string]string
		want         map[string]string
		fails        string
	}{
		"a set by id":                {"trustframework_key_set", "signing", nil, wholeSet, ""},
		"a set by identity":          {"trustframework_key_set", "", map[string]string{"key_set_id": "SIGNING"}, wholeSet, ""},
		"a set by all of it":         {"trustframework_key_set", "", wholeSet, wholeSet, ""},
		"a key by id":                {"trustframework_generated_key", "signing/" + kid, nil, wholeKey, ""},
		"a key by identity":          {"trustframework_generated_key", "", map[string]string{"key_set_id": "signing", "kid": kid}, wholeKey, ""},
		"a key by all of it":         {"trustframework_generated_key", "", wholeKey, wholeKey, ""},
		"a rotation by id":           {"trustframework_key_rotation", "signing/" + kid, nil, wholeSet, ""},
		"a rotation by identity":     {"trustframework_key_rotation", "", map[string]string{"key_set_id": "SIGNING"}, wholeSet, ""},
		"a rotation elsewhere":       {"trustframework_key_rotation", "", map[string]string{"tenant_id": other, "key_set_id": "signing"}, nil, "another tenant"},
		"a key of another tenant":    {"trustframework_generated_key", "", map[string]string{"tenant_id": other, "key_set_id": "signing", "kid": kid}, nil, "another tenant"},
		"a set of another tenant":    {"trustframework_key_set", "", map[string]string{"tenant_id": other, "key_set_id": "signing"}, nil, "another tenant"},
		"a key that isn't there":     {"trustframework_generated_key", "", map[string]string{"key_set_id": "signing", "kid": "none"}, nil, kid},
		"a set that isn't there":     {"trustframework_key_set", "", map[string]string{"key_set_id": "none"}, nil, "AADB2C90073"},
		"a kid that can't be one":    {"trustframework_generated_key", "", map[string]string{"key_set_id": "signing", "kid": "a/b"}, nil, "can't be a kid"},
		"a name that can't be one":   {"trustframework_key_set", "", map[string]string{"key_set_id": "a/b"}, nil, "can't name a key set"},
		"a tenant that can't be one": {"trustframework_key_set", "", map[string]string{"tenant_id": "contoso", "key_set_id": "signing"}, nil, "isn't a tenant's GUID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			imported, read, errors := newServer(t, w).importResource(row.resource, row.id, row.identity)
			if !maps.Equal(imported, row.want) || !maps.Equal(read, row.want) {
				t.Errorf("imported %v, read %v, want %v", imported, read, row.want)
			}
			if (errors != "") != (row.fails != "") || !strings.Contains(errors, row.fails) {
				t.Errorf("errors %q, want %q", errors, row.fails)
			}
		})
	}
}

// TestProtocol_Identity_Read fills in an identity that an older client didn't store, and never changes one
// that is stored.
func TestProtocol_Identity_Read(t *testing.T) {
	t.Parallel()
	const resource = "trustframework_generated_key"
	for name, row := range map[string]struct {
		switches emulator.Switches
		stored   func(whole map[string]string) map[string]string
		want     func(whole map[string]string) map[string]string
	}{
		"none is stored": {stored: func(map[string]string) map[string]string { return nil }},
		"all is stored":  {stored: maps.Clone[map[string]string]},
		"one without a tenant is stored": {
			stored: func(whole map[string]string) map[string]string { delete(whole, "tenant_id"); return whole },
			want:   func(whole map[string]string) map[string]string { delete(whole, "tenant_id"); return whole },
		},
		"in another spelling": {
			stored: func(whole map[string]string) map[string]string { whole["key_set_id"] = "B2C_1A_SIGNING"; return whole },
			want:   func(whole map[string]string) map[string]string { whole["key_set_id"] = "B2C_1A_SIGNING"; return whole },
		},
		"the token can't be parsed": {
			switches: emulator.Switches{OpaqueTokens: true},
			stored:   func(map[string]string) map[string]string { return nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.AddKeySet("B2C_1A_Signing")
			kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			whole := map[string]string{"tenant_id": w.ID(), "key_set_id": "B2C_1A_Signing", "kid": kid}
			want := maps.Clone(whole)
			if row.want != nil {
				want = row.want(want)
			}
			s := newServer(t, w)
			answer, err := s.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: resource,
				CurrentState: s.value(s.resources[resource], map[string]string{
					"id": "B2C_1A_Signing/" + kid, "key_set_id": "signing", "kid": kid, "use": "sig", "kty": "RSA",
				}),
				CurrentIdentity: s.identity(resource, row.stored(whole)),
			})
			if err != nil || len(answer.Diagnostics) > 0 {
				t.Fatal(answer.Diagnostics, err)
			}
			if got := s.strings(s.identities[resource], answer.NewIdentity.IdentityData); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
