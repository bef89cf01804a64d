// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	ours "github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// TestSchemas_AreValid says which schema is wrong, of which clients only say that the provider's is.
func TestSchemas_AreValid(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := ours.New("test")()
	var schema provider.SchemaResponse
	p.Schema(ctx, provider.SchemaRequest{}, &schema)
	if d := schema.Schema.ValidateImplementation(ctx); d.HasError() {
		t.Errorf("provider: %v", d)
	}
	for _, newResource := range p.Resources(ctx) {
		r := newResource()
		var metadata resource.MetadataResponse
		r.Metadata(ctx, resource.MetadataRequest{ProviderTypeName: "trustframework"}, &metadata)
		var schema resource.SchemaResponse
		r.Schema(ctx, resource.SchemaRequest{}, &schema)
		if d := schema.Schema.ValidateImplementation(ctx); d.HasError() {
			t.Errorf("resource %s: %v", metadata.TypeName, d)
		}
		identified, ok := r.(resource.ResourceWithIdentity)
		if !ok {
			t.Errorf("resource %s has no identity", metadata.TypeName)
			continue
		}
		var identity resource.IdentitySchemaResponse
		identified.IdentitySchema(ctx, resource.IdentitySchemaRequest{}, &identity)
		if d := identity.IdentitySchema.ValidateImplementation(ctx); d.HasError() {
			t.Errorf("identity of resource %s: %v", metadata.TypeName, d)
		}
	}
	for _, newDataSource := range p.DataSources(ctx) {
		d := newDataSource()
		var metadata datasource.MetadataResponse
		d.Metadata(ctx, datasource.MetadataRequest{ProviderTypeName: "trustframework"}, &metadata)
		var schema datasource.SchemaResponse
		d.Schema(ctx, datasource.SchemaRequest{}, &schema)
		if diags := schema.Schema.ValidateImplementation(ctx); diags.HasError() {
			t.Errorf("data source %s: %v", metadata.TypeName, diags)
		}
	}
	functions, ok := p.(provider.ProviderWithFunctions)
	if !ok {
		t.Fatal("the provider has no functions")
	}
	for _, newFunction := range functions.Functions(ctx) {
		f := newFunction()
		var metadata function.MetadataResponse
		f.Metadata(ctx, function.MetadataRequest{}, &metadata)
		var definition function.DefinitionResponse
		f.Definition(ctx, function.DefinitionRequest{}, &definition)
		var resp function.DefinitionValidateResponse
		definition.Definition.ValidateImplementation(ctx, function.DefinitionValidateRequest{FuncName: metadata.Name}, &resp)
		if resp.Diagnostics.HasError() {
			t.Errorf("function %s: %v", metadata.Name, resp.Diagnostics)
		}
	}
	actions, ok := p.(provider.ProviderWithActions)
	if !ok {
		t.Fatal("the provider has no actions")
	}
	for _, newAction := range actions.Actions(ctx) {
		a := newAction()
		var metadata action.MetadataResponse
		a.Metadata(ctx, action.MetadataRequest{ProviderTypeName: "trustframework"}, &metadata)
		var schema action.SchemaResponse
		a.Schema(ctx, action.SchemaRequest{}, &schema)
		if diags := schema.Schema.ValidateImplementation(ctx); diags.HasError() {
			t.Errorf("action %s: %v", metadata.TypeName, diags)
		}
	}
}
