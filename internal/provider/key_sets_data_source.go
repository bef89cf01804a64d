// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"regexp"
	"strings"
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
	_ datasource.DataSource              = (*keySetsDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*keySetsDataSource)(nil)
)

func newKeySetsDataSource() datasource.DataSource { return &keySetsDataSource{} }

type keySetsDataSource struct{ data *providerData }

type keySetsData struct {
	NameRegex      types.String   `tfsdk:"name_regex"`
	IncludeBackups types.Bool     `tfsdk:"include_backups"`
	Timeouts       timeouts.Value `tfsdk:"timeouts"`
	KeySets        []listedKeySet `tfsdk:"key_sets"`
}

type listedKeySet struct {
	ID     types.String `tfsdk:"id"`
	Backup types.Bool   `tfsdk:"backup"`
	Keys   []listedKey  `tfsdk:"keys"`
}

func (m *keySetsData) set(sets []trustframework.KeySet, now time.Time, diags *diag.Diagnostics) {
	m.KeySets = make([]listedKeySet, len(sets)) // not nil, which would be null
	for i, s := range sets {
		m.KeySets[i] = listedKeySet{
			ID:     types.StringValue(s.ID),
			Backup: types.BoolValue(isBackup(s.ID)),
			Keys:   listedKeys(s, now, diags),
		}
	}
}

// wanted returns what tells which ids to list.
func (m *keySetsData) wanted() (func(id string) bool, error) {
	pattern, err := regexp.Compile(m.NameRegex.ValueString()) // that of "", which null is too, matches all
	return func(id string) bool {
		return pattern.MatchString(id) && (m.IncludeBackups.ValueBool() || !isBackup(id))
	}, err
}

func isBackup(id string) bool { return strings.HasSuffix(strings.ToLower(id), backupSuffix) }

// Metadata implements datasource.DataSource.
func (r *keySetsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_key_sets"
}

// Schema implements datasource.DataSource.
func (r *keySetsDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tenant's key sets and the public part of the keys in them, from the one listing that the provider's resources are refreshed from. " +
			"If no key set matches, the list is empty. A tenant that refuses to list its key sets is an error.\n\n" +
			"What the same configuration makes is read after it is made if the data source names it in `depends_on`.",
		Attributes: map[string]schema.Attribute{
			"name_regex": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "A regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) that the `id` of a key set must match, prefix included and with regard to case. " +
					"It may match any part: `^` and `$` stand for the ends. Left out, it matches all.",
				Validators: []validator.String{isRegexp()},
			},
			"include_backups": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to list the copies that the service keeps of deleted key sets, whose `id` ends in `" + backupSuffix + "`. " +
					"Defaults to `false`.",
			},
			"timeouts": readTimeouts(ctx, "reading the key sets"),

			"key_sets": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The key sets, sorted by `id`.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id": schema.StringAttribute{
						Computed:            true,
						MarkdownDescription: "The key set's ID in the service's spelling, such as `B2C_1A_TokenSigningKeyContainer`.",
					},
					"backup": schema.BoolAttribute{
						Computed:            true,
						MarkdownDescription: "Whether the key set is the copy of a deleted one, by its `id`.",
					},
					"keys": listedKeysAttribute(),
				}},
			},
		},
	}
}

// Configure implements datasource.DataSourceWithConfigure.
func (r *keySetsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// Read implements datasource.DataSource.
func (r *keySetsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config keySetsData
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	wanted, err := config.wanted()
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("name_regex"), "Invalid regular expression", sentence(err))
		return
	}
	ctx, cancel := r.data.startRead(ctx, config.Timeouts, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	sets, err := r.data.client.KeySets(ctx, wanted)
	if err != nil {
		addError(&resp.Diagnostics, "Unable to list key sets", path.Empty(), err)
		return
	}
	config.set(sets, r.data.clock.Now(), &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, config)...)
}
