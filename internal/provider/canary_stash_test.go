// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// serveStash serves the provider of ephemeral secrets from this process, and returns how clients find it.
func serveStash(t *testing.T, r *canaryRun) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	configs, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	address := os.Getenv(hostVariable) + "/hashicorp/stash"
	go func() {
		err := tf6server.Serve(address, func() tfprotov6.ProviderServer { return providerserver.NewProtocol6(stashProvider{run: r})() },
			tf6server.WithDebug(ctx, configs, closed), tf6server.WithoutLogStderrOverride(), tf6server.WithLoggingSink(t),
			tf6server.WithGoPluginLogger(hclog.New(&hclog.LoggerOptions{Output: io.Discard})))
		if err != nil {
			t.Error(err)
		}
	}()
	reattach := <-configs
	t.Cleanup(func() {
		cancel()
		<-closed
	})
	value, err := json.Marshal(map[string]any{address: map[string]any{
		"Protocol":        string(reattach.Protocol),
		"ProtocolVersion": reattach.ProtocolVersion,
		"Pid":             reattach.Pid,
		"Test":            true,
		"Addr":            map[string]string{"Network": reattach.Addr.Network(), "String": reattach.Addr.String()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

// stashProvider stands for Vault, Key Vault and their like: it has one ephemeral resource, stash_secret.
type stashProvider struct{ run *canaryRun }

// Metadata implements provider.Provider.
func (stashProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "stash"
}

// Schema implements provider.Provider. There is nothing to configure.
func (stashProvider) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {
}

// Configure implements provider.Provider. There is nothing to configure.
func (stashProvider) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
}

// Resources implements provider.Provider.
func (stashProvider) Resources(context.Context) []func() resource.Resource { return nil }

// DataSources implements provider.Provider.
func (stashProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

// EphemeralResources implements provider.ProviderWithEphemeralResources.
func (p stashProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{func() ephemeral.EphemeralResource { return stashSecret(p) }}
}

type stashSecret struct{ run *canaryRun }

// Metadata implements ephemeral.EphemeralResource.
func (stashSecret) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_secret"
}

// Schema implements ephemeral.EphemeralResource.
func (stashSecret) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"name":  schema.StringAttribute{Required: true},
		"value": schema.StringAttribute{Computed: true}, // not marked as sensitive: ephemeral is enough
	}}
}

// Open implements ephemeral.EphemeralResource.
func (s stashSecret) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var secret struct {
		Name  types.String `tfsdk:"name"`
		Value types.String `tfsdk:"value"`
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &secret)...)
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	value, ok := s.run.stash[secret.Name.ValueString()]
	if !ok {
		resp.Diagnostics.AddError("No such secret", secret.Name.ValueString())
		return
	}
	secret.Value = types.StringValue(value)
	resp.Diagnostics.Append(resp.Result.Set(ctx, &secret)...)
}
