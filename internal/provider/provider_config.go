// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/base64"
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
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// The environment variables behind the arguments: azuread's and Azure's names where they have one.
const (
	envTenantID                 = "ARM_TENANT_ID"
	envClientID                 = "ARM_CLIENT_ID"
	envClientIDFilePath         = "ARM_CLIENT_ID_FILE_PATH"
	envClientSecret             = "ARM_CLIENT_SECRET"           //nolint:gosec // the variable's name
	envClientSecretFilePath     = "ARM_CLIENT_SECRET_FILE_PATH" //nolint:gosec // the variable's name
	envClientCertificate        = "ARM_CLIENT_CERTIFICATE"
	envClientCertificatePath    = "ARM_CLIENT_CERTIFICATE_PATH"
	envCertificatePassword      = "ARM_CLIENT_CERTIFICATE_PASSWORD" //nolint:gosec // the variable's name
	envUseOIDC                  = "ARM_USE_OIDC"
	envOIDCToken                = "ARM_OIDC_TOKEN"           //nolint:gosec // the variable's name
	envOIDCTokenFilePath        = "ARM_OIDC_TOKEN_FILE_PATH" //nolint:gosec // the variable's name
	envUseAKSWorkloadIdentity   = "ARM_USE_AKS_WORKLOAD_IDENTITY"
	envUseMSI                   = "ARM_USE_MSI"
	envUseCLI                   = "ARM_USE_CLI"
	envAKSClientID              = "AZURE_CLIENT_ID"
	envAKSTenantID              = "AZURE_TENANT_ID"
	envAKSTokenFile             = "AZURE_FEDERATED_TOKEN_FILE"
	envEnvironment              = "ARM_ENVIRONMENT"
	envMSGraphEndpoint          = "ARM_MSGRAPH_ENDPOINT"
	envAuthorityHost            = "AZURE_AUTHORITY_HOST"
	envDisableInstanceDiscovery = "ARM_DISABLE_INSTANCE_DISCOVERY"
	envCACertFile               = "TRUSTFRAMEWORK_CA_CERT_FILE"
	envAppendUserAgent          = "TF_APPEND_USER_AGENT"
	envSettleTime               = "TRUSTFRAMEWORK_SETTLE_TIME"
)

// What several CI services call the same. The first that is set is taken.
func envOIDCRequestURL() []string {
	return []string{"ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"}
}

func envOIDCRequestToken() []string {
	return []string{"ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"}
}

func envServiceConnectionID() []string {
	return []string{"ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID"}
}

const (
	minSettleTime = time.Second
	maxSettleTime = 15 * time.Minute
)

// tenantForm is what Entra ID's client library accepts: a GUID or a domain name.
var tenantForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

type providerModel struct {
	TenantID                 types.String `tfsdk:"tenant_id"`
	ClientID                 types.String `tfsdk:"client_id"`
	ClientIDFilePath         types.String `tfsdk:"client_id_file_path"`
	ClientSecret             types.String `tfsdk:"client_secret"`
	ClientSecretFilePath     types.String `tfsdk:"client_secret_file_path"`
	ClientCertificate        types.String `tfsdk:"client_certificate"`
	ClientCertificatePath    types.String `tfsdk:"client_certificate_path"`
	CertificatePassword      types.String `tfsdk:"client_certificate_password"`
	UseOIDC                  types.Bool   `tfsdk:"use_oidc"`
	OIDCToken                types.String `tfsdk:"oidc_token"`
	OIDCTokenFilePath        types.String `tfsdk:"oidc_token_file_path"`
	OIDCRequestURL           types.String `tfsdk:"oidc_request_url"`
	OIDCRequestToken         types.String `tfsdk:"oidc_request_token"`
	ServiceConnectionID      types.String `tfsdk:"ado_pipeline_service_connection_id"`
	UseAKSWorkloadIdentity   types.Bool   `tfsdk:"use_aks_workload_identity"`
	UseMSI                   types.Bool   `tfsdk:"use_msi"`
	UseCLI                   types.Bool   `tfsdk:"use_cli"`
	Environment              types.String `tfsdk:"environment"`
	MSGraphEndpoint          types.String `tfsdk:"msgraph_endpoint"`
	AuthorityHost            types.String `tfsdk:"authority_host"`
	DisableInstanceDiscovery types.Bool   `tfsdk:"disable_instance_discovery"`
	CACertFile               types.String `tfsdk:"ca_cert_file"`
	SettleTime               types.String `tfsdk:"settle_time"`
}

func providerAttributes() map[string]schema.Attribute {
	env := func(names ...string) string {
		if len(names) > 1 {
			return " Can also be set with the environment variables " + listOf(names) + "."
		}
		return " Can also be set with the environment variable `" + names[0] + "`."
	}
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	sensitive := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: description}
	}
	flag := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"tenant_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The B2C tenant: its GUID or one of its domain names, such as `contoso.onmicrosoft.com`." + env(envTenantID),
		},
		"client_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The application (client) ID to sign in with. The application is registered in the B2C tenant itself." + env(envClientID),
		},
		"client_id_file_path":     text("The path of a file that holds the application (client) ID." + env(envClientIDFilePath)),
		"client_secret":           sensitive("The application's client secret." + env(envClientSecret)),
		"client_secret_file_path": text("The path of a file that holds the application's client secret." + env(envClientSecretFilePath)),
		"client_certificate": sensitive("The certificate to sign in with and its private key: a PKCS#12 file in base64, as `filebase64()` reads it." +
			env(envClientCertificate)),
		"client_certificate_path": text("The path of the certificate to sign in with and its private key: a PKCS#12 file, or PEM with an unencrypted key." +
			env(envClientCertificatePath)),
		"client_certificate_password": sensitive("The password of the PKCS#12 file." + env(envCertificatePassword)),
		"use_oidc":                    flag("Sign in with an ID token that the application trusts. Defaults to `false`." + env(envUseOIDC)),
		"oidc_token":                  sensitive("The ID token to sign in with." + env(envOIDCToken)),
		"oidc_token_file_path":        text("The path of a file that holds the ID token to sign in with." + env(envOIDCTokenFilePath)),
		"oidc_request_url":            text("The https address that is asked for an ID token." + env(envOIDCRequestURL()...)),
		"oidc_request_token":          sensitive("The bearer token for `oidc_request_url`." + env(envOIDCRequestToken()...)),
		"ado_pipeline_service_connection_id": text("The ID of the Azure DevOps service connection whose ID token is asked for." +
			env(envServiceConnectionID()...)),
		"use_aks_workload_identity": flag("Sign in with the workload identity of a pod in AKS. Defaults to `false`." + env(envUseAKSWorkloadIdentity)),
		"use_msi":                   flag("Sign in with the machine's managed identity; `client_id` names a user-assigned one. Defaults to `false`." + env(envUseMSI)),
		"use_cli":                   flag("Sign in as the Azure CLI is, if nothing else is configured. Defaults to `true`." + env(envUseCLI)),

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
				"that makes a key is lost, the provider looks for the key this long before it asks for another. With more than 10 minutes, reads that have no timeout of their own may take "+
				"5 minutes longer than that. Between %s and %s, defaults to `%s`.",
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
	userAgent  string // what is appended to the provider's own
}

// settings resolves the arguments: configuration, then environment variable, then default.
func (m providerModel) settings(getenv func(string) string, diags *diag.Diagnostics) settings {
	r := resolver{getenv: getenv, diags: diags}
	var s settings

	r.signIn(m, &s.auth)
	if !diags.HasError() {
		if _, err := auth.Select(s.auth); err != nil {
			addSignInProblem(diags, err)
		}
	}

	name := r.text("environment", m.Environment, envEnvironment)
	cloud, ok := auth.EnvironmentByName(name.or("global"))
	if !ok {
		r.invalid(name, fmt.Sprintf("%q is not a known cloud. Use one of %s.", name.value, strings.Join(auth.EnvironmentNames(), ", ")))
	}
	s.scope = cloud.Scope()
	s.endpoint = r.origin(r.text("msgraph_endpoint", m.MSGraphEndpoint, envMSGraphEndpoint), cloud.GraphEndpoint)
	s.auth.AuthorityHost = r.origin(r.text("authority_host", m.AuthorityHost, envAuthorityHost), cloud.AuthorityHost)
	s.auth.DisableInstanceDiscovery = r.flag("disable_instance_discovery", m.DisableInstanceDiscovery, envDisableInstanceDiscovery, false)

	if file := r.text("ca_cert_file", m.CACertFile, envCACertFile); file.value != "" {
		pem, err := os.ReadFile(file.value)
		if err != nil {
			r.invalid(file, fmt.Sprintf("The file can't be read: %v.", err))
		} else if _, err := graph.NewHTTPTransport(pem); err != nil {
			r.invalid(file, fmt.Sprintf("The file %q is of no use: %v.", file.value, err))
		}
		s.caPEM = pem
	}

	s.userAgent = r.getenv(envAppendUserAgent)
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

// signIn resolves what says how to sign in. Whether it is enough is package auth's to say.
func (r resolver) signIn(m providerModel, into *auth.Config) {
	into.UseOIDC = r.flag("use_oidc", m.UseOIDC, envUseOIDC, false)
	into.UseAKSWorkloadIdentity = r.flag("use_aks_workload_identity", m.UseAKSWorkloadIdentity, envUseAKSWorkloadIdentity, false)
	into.UseMSI = r.flag("use_msi", m.UseMSI, envUseMSI, false)
	into.UseCLI = r.flag("use_cli", m.UseCLI, envUseCLI, true)

	tenant, client := r.text("tenant_id", m.TenantID, envTenantID), r.text("client_id", m.ClientID, envClientID)
	if into.UseAKSWorkloadIdentity {
		// As azuread does: the pod's service account decides.
		tenant, client = r.same(tenant, envAKSTenantID), r.same(client, envAKSClientID)
		into.FederatedTokenFile = r.getenv(envAKSTokenFile)
	}
	switch {
	case tenant.value == "" && !m.TenantID.IsUnknown():
		r.diags.AddAttributeError(path.Root("tenant_id"), "Missing provider argument tenant_id",
			fmt.Sprintf("The provider can't sign in without it. Set the provider argument tenant_id or the environment variable %s to the GUID or a domain name of the B2C tenant.", envTenantID))
	case tenant.value != "" && !tenantForm.MatchString(tenant.value):
		r.invalid(tenant, "It is neither a GUID nor a domain name.")
	}
	into.TenantID = tenant.value
	into.ClientID = auth.Text{Value: client.value, Path: r.text("client_id_file_path", m.ClientIDFilePath, envClientIDFilePath).value}
	into.ClientSecret = auth.Text{
		Value: r.text("client_secret", m.ClientSecret, envClientSecret).value,
		Path:  r.text("client_secret_file_path", m.ClientSecretFilePath, envClientSecretFilePath).value,
	}
	into.Certificate = auth.Text{
		Value: r.text("client_certificate", m.ClientCertificate, envClientCertificate).value,
		Path:  r.text("client_certificate_path", m.ClientCertificatePath, envClientCertificatePath).value,
	}
	into.CertificatePassword = r.text("client_certificate_password", m.CertificatePassword, envCertificatePassword).value
	into.OIDCToken = auth.Text{
		Value: r.text("oidc_token", m.OIDCToken, envOIDCToken).value,
		Path:  r.text("oidc_token_file_path", m.OIDCTokenFilePath, envOIDCTokenFilePath).value,
	}
	into.OIDCRequestURL = r.text("oidc_request_url", m.OIDCRequestURL, envOIDCRequestURL()...).value
	into.OIDCRequestToken = r.text("oidc_request_token", m.OIDCRequestToken, envOIDCRequestToken()...).value
	into.ServiceConnectionID = r.text("ado_pipeline_service_connection_id", m.ServiceConnectionID, envServiceConnectionID()...).value
}

// same fills a setting from another variable, and refuses two that differ.
func (r resolver) same(s setting, env string) setting {
	switch other := r.getenv(env); {
	case s.value == "":
		s.value, s.source = other, "the environment variable "+env
	case other != "" && !strings.EqualFold(other, s.value):
		r.invalid(s, fmt.Sprintf("The environment variable %s has another value, %q. Remove one of them, or turn use_aks_workload_identity off.", env, other))
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
func (r resolver) text(attribute string, value types.String, env ...string) setting {
	s := setting{attribute: attribute, source: "the provider argument " + attribute}
	switch {
	case value.IsUnknown():
		r.unknown(attribute, env[0])
	case value.ValueString() != "":
		s.value = value.ValueString()
	default:
		for _, name := range env {
			if s.value = r.getenv(name); s.value != "" {
				s.source = "the environment variable " + name
				break
			}
		}
	}
	return s
}

func (r resolver) flag(attribute string, value types.Bool, env string, fallback bool) bool {
	if value.IsUnknown() {
		r.unknown(attribute, env)
		return fallback
	}
	if !value.IsNull() {
		return value.ValueBool()
	}
	text := r.getenv(env)
	if text == "" {
		return fallback
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
	case !auth.ValidPort(u):
		r.invalid(s, fmt.Sprintf("There is no port %s. Ports go from 1 to 65535.", u.Port()))
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

// proxySecrets are the passwords in the variables that name a proxy, as net/http reads them, in the form in which they are sent too.
func proxySecrets(getenv func(string) string) []string {
	var secrets []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		address, err := url.Parse(getenv(name))
		if err != nil || address.User == nil {
			continue
		}
		password, _ := address.User.Password()
		secrets = append(secrets, password, base64.StdEncoding.EncodeToString([]byte(address.User.Username()+":"+password)))
	}
	return secrets
}

// newData builds what resources work with. Nothing is sent yet.
func (p *trustFrameworkProvider) newData(ctx context.Context, s settings, terraformVersion string, diags *diag.Diagnostics) *providerData {
	transport, err := graph.NewHTTPTransport(s.caPEM)
	if err != nil {
		diags.AddError("Unable to configure the provider", err.Error())
		return nil
	}
	s.auth.Transport = &http.Client{
		Transport: graph.MarkLasting(transport),
		// Some redirects would carry the client secret to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.auth.LocalTransport = auth.LocalClient(transport)
	secrets := &redact.Secrets{}
	secrets.Add(proxySecrets(p.getenv)...)
	s.auth.Secrets = secrets
	s.auth.UserAgent = graph.UserAgent(p.version, terraformVersion, s.userAgent)
	credential, method, err := auth.NewCredential(s.auth)
	if err != nil {
		addSignInProblem(diags, err)
		return nil
	}
	logger := slog.New(logHandler{})
	logger.InfoContext(ctx, "Signing in", "method", string(method), "tenant_id", s.auth.TenantID)
	adapter, err := graph.NewAdapter(graph.Config{
		Endpoint:   s.endpoint,
		Credential: credential,
		Scope:      s.scope,
		Transport:  p.wrapTransport(transport),
		Clock:      p.clock,
		Logger:     logger,
		UserAgent:  s.auth.UserAgent,
		Secrets:    secrets,
	})
	if err != nil {
		diags.AddError("Unable to configure the provider", err.Error())
		return nil
	}
	return &providerData{
		client: trustframework.New(trustframework.Config{Adapter: adapter, Clock: p.clock, SettleTime: s.settleTime, Logger: logger, Secrets: secrets}),
		clock:  p.clock,
		tenant: newSignedIn(p.clock, func(ctx context.Context) (string, error) {
			tenant, err := adapter.TenantID(ctx)
			if err != nil || auth.IsGUID(tenant) {
				return tenant, err
			}
			// A token that can't be parsed, or names something else than a GUID, is nobody's mistake. The lookup isn't the credential's, whose
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
