// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package provider is the Terraform side: schemas, plans and diagnostics. What the service is asked and
// what its answers mean is the business of package trustframework.
package provider

import (
	"context"
	"net/http"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
)

var (
	_ provider.Provider              = (*trustFrameworkProvider)(nil)
	_ provider.ProviderWithFunctions = (*trustFrameworkProvider)(nil)
	_ provider.ProviderWithActions   = (*trustFrameworkProvider)(nil)
)

// Option changes what a provider is built on.
type Option func(*trustFrameworkProvider)

// WithClock replaces the system's clock.
func WithClock(c clock.Clock) Option {
	return func(p *trustFrameworkProvider) { p.clock = c }
}

// WithTransport wraps the transport below every request to Graph.
func WithTransport(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(p *trustFrameworkProvider) { p.wrapTransport = wrap }
}

// WithEnvironment replaces os.Getenv.
func WithEnvironment(getenv func(name string) string) Option {
	return func(p *trustFrameworkProvider) { p.getenv = getenv }
}

// New returns a factory of providers. The version is that of the release, or "dev".
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &trustFrameworkProvider{
			version:       version,
			clock:         clock.Real{},
			getenv:        os.Getenv, //nolint:forbidigo // the one place
			wrapTransport: func(t http.RoundTripper) http.RoundTripper { return t },
		}
		for _, option := range options {
			option(p)
		}
		return p
	}
}

type trustFrameworkProvider struct {
	version       string
	clock         clock.Clock
	getenv        func(string) string
	wrapTransport func(http.RoundTripper) http.RoundTripper
}

// Metadata implements provider.Provider.
func (p *trustFrameworkProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "trustframework"
	resp.Version = p.version
}

// Schema implements provider.Provider.
func (p *trustFrameworkProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages the Identity Experience Framework of Azure AD B2C through Microsoft Graph beta " +
			"`/trustFramework`: key sets and the keys in them.",
		Attributes: providerAttributes(),
	}
}

// Configure implements provider.Provider.
func (p *trustFrameworkProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings := config.settings(p.getenv, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	data := p.newData(ctx, settings, req.TerraformVersion, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.DataSourceData = data
	resp.ResourceData = data
	resp.EphemeralResourceData = data
	resp.ActionData = data
	resp.ListResourceData = data
}

// Resources implements provider.Provider.
func (p *trustFrameworkProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newKeySetResource, newGeneratedKeyResource, newKeyRotationResource,
		newUploadedSecretResource, newUploadedCertificateResource, newUploadedPKCS12Resource,
	}
}

// DataSources implements provider.Provider.
func (p *trustFrameworkProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newKeySetDataSource, newKeySetsDataSource, newActiveKeyDataSource}
}

// Functions implements provider.ProviderWithFunctions.
func (p *trustFrameworkProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newNumericDateFunction}
}

// Actions implements provider.ProviderWithActions.
func (p *trustFrameworkProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newSetKeyStatusAction}
}
