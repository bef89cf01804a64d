// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ datasource.DataSource              = (*activeKeyDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*activeKeyDataSource)(nil)
)

func newActiveKeyDataSource() datasource.DataSource { return &activeKeyDataSource{} }

type activeKeyDataSource struct{ data *providerData }

type activeKeyData struct {
	KeySetID types.String   `tfsdk:"key_set_id"`
	Timeouts timeouts.Value `tfsdk:"timeouts"`
	keyData
}

// Metadata implements datasource.DataSource.
func (r *activeKeyDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_active_key"
}

// Schema implements datasource.DataSource.
func (r *activeKeyDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := keyDataAttributes()
	attributes["key_set_id"] = schema.StringAttribute{
		Required:            true,
		MarkdownDescription: "The key set: its `id`, or its name with or without the prefix `B2C_1A_`; letter case makes no difference.",
		Validators:          []validator.String{isPathSegment()},
	}
	attributes["timeouts"] = readTimeouts(ctx, "reading the key")
	resp.Schema = schema.Schema{
		MarkdownDescription: "The public part of the key of a key set that is in use, as the service says (`getActiveKey`) at the time of the read. " +
			"A key set that doesn't exist, or has no key in use, is an error. So is a destroy then, for it reads too; `-refresh=false` passes that by.\n\n" +
			"What the same configuration makes is read after it is made if the data source refers to it, or names it in `depends_on`.",
		Attributes: attributes,
	}
}

// Configure implements datasource.DataSourceWithConfigure.
func (r *activeKeyDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// Read implements datasource.DataSource.
func (r *activeKeyDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config activeKeyData
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := r.data.startRead(ctx, config.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	key, err := r.data.client.ActiveKey(ctx, config.KeySetID.ValueString())
	if err != nil {
		addError(&resp.Diagnostics, "Unable to read active key", path.Root("key_set_id"), err)
		return
	}
	config.set(config.KeySetID.ValueString(), key, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, config)...)
}
