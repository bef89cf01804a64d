// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

var (
	_ datasource.DataSource              = (*keySetDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*keySetDataSource)(nil)
)

func newKeySetDataSource() datasource.DataSource { return &keySetDataSource{} }

type keySetDataSource struct{ data *providerData }

type keySetData struct {
	Name     types.String   `tfsdk:"name"`
	Timeouts timeouts.Value `tfsdk:"timeouts"`
	ID       types.String   `tfsdk:"id"`
	Keys     []listedKey    `tfsdk:"keys"`
	JWKS     types.String   `tfsdk:"jwks"`
}

func (m *keySetData) set(s trustframework.KeySet, now time.Time, diags *diag.Diagnostics) {
	m.ID = types.StringValue(s.ID)
	m.Keys = listedKeys(s, now, diags)
	jwks, err := s.JWKS()
	if err != nil {
		diags.AddError("Unable to show public keys", err.Error()+"\n\nThis is a bug in the provider; please report it.")
	}
	m.JWKS = types.StringValue(jwks)
}

// Metadata implements datasource.DataSource.
func (r *keySetDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_key_set"
}

// Schema implements datasource.DataSource.
func (r *keySetDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A key set and the public part of the keys in it. One that doesn't exist is an error.\n\n" +
			"What the same configuration makes is read after it is made if the data source refers to it, or names it in `depends_on`.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The key set's name, with or without the prefix `B2C_1A_`, or its `id`; letter case makes no difference.",
				Validators:          []validator.String{isPathSegment()},
			},

			"timeouts": readTimeouts(ctx, "reading the key set"),

			"id": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The key set's ID in the service's spelling, such as `B2C_1A_TokenSigningKeyContainer`.",
			},
			"keys": listedKeysAttribute(),
			"jwks": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "The public halves of the set's keys as a JSON Web Key Set (RFC 7517), in the service's order: those that aren't in use yet, and those " +
					"that no longer are, too. Symmetric keys have no public half; a set of them gives `{\"keys\":[]}`.",
			},
		},
	}
}

// Configure implements datasource.DataSourceWithConfigure.
func (r *keySetDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// Read implements datasource.DataSource.
func (r *keySetDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config keySetData
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.startRead(ctx, config.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	set, err := r.data.client.CurrentKeySet(ctx, config.Name.ValueString())
	if err != nil {
		addError(&resp.Diagnostics, "Unable to read key set", path.Root("name"), err)
		return
	}
	config.set(set, r.data.clock.Now(), &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, config)...)
}
