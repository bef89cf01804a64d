// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/graph"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// The environment variables behind the arguments: azuread's and Azure's names where they have one.
const (
	envTenantID                 = "ARM_TENANT_ID"
	envClientID                 = "ARM_CLIENT_ID"
	envClientSecret             = "ARM_CLIENT_SECRET" //nolint:gosec // the variable's name
	envEnvironment              = "ARM_ENVIRONMENT"
	envMSGraphEndpoint          = "ARM_MSGRAPH_ENDPOINT"
	envAuthorityHost            = "AZURE_AUTHORITY_HOST"
	envDisableInstanceDiscovery = "ARM_DISABLE_INSTANCE_DISCOVERY"
	envCACertFile               = "TRUSTFRAMEWORK_CA_CERT_FILE"
	envSettleTime               = "TRUSTFRAMEWORK_SETTLE_TIME"
)

const (
	minSettleTime = time.Second
	maxSettleTime = 15 * time.Minute
)

// tenantForm is what Entra ID's client library accepts: a GUID or a domain name.
var tenantForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

type providerModel struct {
	TenantID                 types.String `tfsdk:"tenant_id"`
	ClientID                 types.String `tfsdk:"client_id"`
	ClientSecret             types.String `tfsdk:"client_secret"`
	Environment              types.String `tfsdk:"environment"`
	MSGraphEndpoint          types.String `tfsdk:"msgraph_endpoint"`
	AuthorityHost            types.String `tfsdk:"authority_host"`
	DisableInstanceDiscovery types.Bool   `tfsdk:"disable_instance_discovery"`
	CACertFile               types.String `tfsdk:"ca_cert_file"`
	SettleTime               types.String `tfsdk:"settle_time"`
}

func providerAttributes() map[string]schema.Attribute {
	env := func(name string) string { return " Can also be set with the environment variable `" + name + "`." }
	return map[string]schema.Attribute{
		"tenant_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The B2C tenant: its GUID or one of its domain names, such as `contoso.onmicrosoft.com`." + env(envTenantID),
		},
		"client_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The application (client) ID to sign in with. The application is registered in the B2C tenant itself." + env(envClientID),
		},
		"client_secret": schema.StringAttribute{
			Optional:            true,
			Sensitive:           true,
			MarkdownDescription: "The application's client secret." + env(envClientSecret),
		},

		"environment": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The cloud of the tenant: " + listOf(auth.EnvironmentNames()) +
				", as in the azuread provider. Defaults to `global`." + env(envEnvironment),
		},
		"msgraph_endpoint": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The https origin to send Graph requests to instead of the cloud's own, without `/beta`, such as " +
				"`https://graph.proxy.example`. Tokens are still asked for the cloud's Graph." + env(envMSGraphEndpoint),
		},
		"authority_host": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The https origin to sign in at instead of the cloud's own." + env(envAuthorityHost),
		},
		"disable_instance_discovery": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Trust `authority_host` without asking Microsoft's list of login hosts. Defaults to `false`." +
				env(envDisableInstanceDiscovery),
		},
		"ca_cert_file": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "A PEM file of certificate authorities to trust beside the system's." + env(envCACertFile),
		},
		"settle_time": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("How long a write may stay invisible, as a duration such as `90s`. When the answer to a request "+
				"that makes a key is lost, the provider looks for the key this long before it asks for another. Between %s and %s, defaults to `%s`.",
				minSettleTime, maxSettleTime, trustframework.DefaultSettleTime) + env(envSettleTime),
		},
	}
}

// settings are the provider's arguments with the environment and the defaults filled in.
type settings struct {
	auth       auth.Config
	endpoint   string
	scope      string
	caPEM      []byte
	settleTime time.Duration
}

// settings resolves the arguments: configuration, then environment variable, then default.
func (m providerModel) settings(getenv func(string) string, diags *diag.Diagnostics) settings {
	r := resolver{getenv: getenv, diags: diags}
	var s settings

	tenant := r.required("tenant_id", m.TenantID, envTenantID, "the GUID or a domain name of the B2C tenant")
	if tenant.value != "" && !tenantForm.MatchString(tenant.value) {
		r.invalid(tenant, "It is neither a GUID nor a domain name.")
	}
	s.auth.TenantID = tenant.value
	s.auth.ClientID = r.required("client_id", m.ClientID, envClientID, "the application (client) ID to sign in with").value
	s.auth.ClientSecret = r.required("client_secret", m.ClientSecret, envClientSecret, "the application's client secret").value

	name := r.text("environment", m.Environment, envEnvironment)
	cloud, ok := auth.EnvironmentByName(name.or("global"))
	if !ok {
		r.invalid(name, fmt.Sprintf("%q is not a known cloud. Use one of %s.", name.value, strings.Join(auth.EnvironmentNames(), ", ")))
	}
	s.scope = cloud.Scope()
	s.endpoint = r.origin(r.text("msgraph_endpoint", m.MSGraphEndpoint, envMSGraphEndpoint), cloud.GraphEndpoint)
	s.auth.AuthorityHost = r.origin(r.text("authority_host", m.AuthorityHost, envAuthorityHost), cloud.AuthorityHost)
	s.auth.DisableInstanceDiscovery = r.flag("disable_instance_discovery", m.DisableInstanceDiscovery, envDisableInstanceDiscovery)

	if file := r.text("ca_cert_file", m.CACertFile, envCACertFile); file.value != "" {
		pem, err := os.ReadFile(file.value)
		if err != nil {
			r.invalid(file, fmt.Sprintf("The file can't be read: %v.", err))
		} else if _, err := graph.NewHTTPTransport(pem); err != nil {
			r.invalid(file, fmt.Sprintf("The file %q is of no use: %v.", file.value, err))
		}
		s.caPEM = pem
	}

	s.settleTime = trustframework.DefaultSettleTime
	if text := r.text("settle_time", m.SettleTime, envSettleTime); text.value != "" {
		d, err := time.ParseDuration(text.value)
		if err != nil || d < minSettleTime || d > maxSettleTime {
			r.invalid(text, fmt.Sprintf("%q is not a duration between %s and %s. Write it like \"90s\" or \"2m\".", text.value, minSettleTime, maxSettleTime))
		}
		s.settleTime = d
	}
	return s
}

// setting is a resolved argument and where it came from.
type setting struct {
	attribute string
	value     string
	source    string
}

func (s setting) or(fallback string) string {
	if s.value == "" {
		return fallback
	}
	return s.value
}

type resolver struct {
	getenv func(string) string
	diags  *diag.Diagnostics
}

// text resolves an optional argument; an empty string counts as unset, as in azuread.
func (r resolver) text(attribute string, value types.String, env string) setting {
	s := setting{attribute: attribute, source: "the provider argument " + attribute}
	switch {
	case value.IsUnknown():
		r.unknown(attribute, env)
	case value.ValueString() != "":
		s.value = value.ValueString()
	default:
		s.value, s.source = r.getenv(env), "the environment variable "+env
	}
	return s
}

func (r resolver) required(attribute string, value types.String, env, meaning string) setting {
	s := r.text(attribute, value, env)
	if s.value == "" && !value.IsUnknown() {
		r.diags.AddAttributeError(path.Root(attribute), "Missing provider argument "+attribute,
			fmt.Sprintf("The provider can't sign in without it. Set the provider argument %s or the environment variable %s to %s.", attribute, env, meaning))
	}
	return s
}

func (r resolver) flag(attribute string, value types.Bool, env string) bool {
	if value.IsUnknown() {
		r.unknown(attribute, env)
		return false
	}
	if !value.IsNull() {
		return value.ValueBool()
	}
	text := r.getenv(env)
	if text == "" {
		return false
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		r.invalid(setting{attribute: attribute, source: "the environment variable " + env}, fmt.Sprintf("%q is neither true nor false.", text))
	}
	return on
}

// origin checks an address that tokens or secrets are sent to.
func (r resolver) origin(s setting, fallback string) string {
	if s.value == "" {
		return fallback
	}
	u, err := url.Parse(s.value)
	// Only the origin is repeated: anything else may be a password.
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "":
		r.invalid(s, fmt.Sprintf("It is not an address. Write it like %q.", fallback))
		return ""
	case u.Scheme != "https":
		r.invalid(s, fmt.Sprintf("%q would carry credentials in the clear. Only https is allowed.", u.Scheme+"://"+u.Host))
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		r.invalid(s, fmt.Sprintf("It has more than scheme, host and port. Leave out all but %q, \"/beta\" too.", "https://"+u.Host))
	}
	return "https://" + u.Host
}

func (r resolver) unknown(attribute, env string) {
	r.diags.AddAttributeError(path.Root(attribute), "Unknown provider argument "+attribute,
		fmt.Sprintf("Its value depends on something that is known only after apply, but the provider needs it to plan. "+
			"Give %s a value that is known, set the environment variable %s instead, or apply what it depends on first with -target.", attribute, env))
}

func (r resolver) invalid(s setting, why string) {
	r.diags.AddAttributeError(path.Root(s.attribute), "Invalid provider argument "+s.attribute, fmt.Sprintf("%s\n\nThe value comes from %s.", why, s.source))
}

// newData builds what resources work with. Nothing is sent yet.
func (p *trustFrameworkProvider) newData(s settings, terraformVersion string, diags *diag.Diagnostics) *providerData {
	transport, err := graph.NewHTTPTransport(s.caPEM)
	if err != nil {
		diags.AddError("Unable to configure the provider", err.Error())
		return nil
	}
	s.auth.Transport = &http.Client{
		Transport: transport,
		// Some redirects would carry the client secret to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	credential, err := auth.NewCredential(s.auth)
	if err != nil {
		diags.AddError("Unable to configure the provider", err.Error())
		return nil
	}
	logger := slog.New(logHandler{})
	adapter, err := graph.NewAdapter(graph.Config{
		Endpoint:   s.endpoint,
		Credential: credential,
		Scope:      s.scope,
		Transport:  p.wrapTransport(transport),
		Clock:      p.clock,
		Logger:     logger,
		UserAgent:  fmt.Sprintf("terraform-provider-trustframework/%s Terraform/%s", p.version, terraformVersion),
	})
	if err != nil {
		diags.AddError("Unable to configure the provider", err.Error())
		return nil
	}
	return &providerData{
		client: trustframework.New(trustframework.Config{Adapter: adapter, Clock: p.clock, SettleTime: s.settleTime, Logger: logger}),
		clock:  p.clock,
		tenant: newSignedIn(p.clock, func(ctx context.Context) (string, error) {
			tenant, err := adapter.TenantID(ctx)
			if err != nil || tenant != "" {
				return tenant, err
			}
			// A token that can't be parsed is nobody's mistake. The lookup isn't the credential's, whose
			// library would repeat it.
			const tries = 4
			for try := 1; ; try++ {
				if tenant, err = auth.ResolveTenant(ctx, s.auth); err == nil {
					return tenant, nil
				}
				logger.WarnContext(ctx, "The token doesn't tell which tenant this is, nor does the OpenID document", "error", err.Error())
				if try == tries || p.clock.Sleep(ctx, time.Second<<try) != nil {
					return "", &unknownTenant{err: err}
				}
			}
		}),
	}
}
