// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestAccProvider_Arguments_FromConfigurationAndEnvironment(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"ARM_TENANT_ID": "wrong.example", "ARM_CLIENT_ID": "wrong", "ARM_CLIENT_SECRET": "wrong", "ARM_ENVIRONMENT": "mars",
		"ARM_MSGRAPH_ENDPOINT": "https://wrong.invalid", "AZURE_AUTHORITY_HOST": "https://wrong.invalid",
		"ARM_DISABLE_INSTANCE_DISCOVERY": "maybe", "TRUSTFRAMEWORK_CA_CERT_FILE": "/nowhere", "TRUSTFRAMEWORK_SETTLE_TIME": "soon",
	}
	for name, row := range map[string]struct {
		block     func(w *world) string
		variables func(w *world) map[string]string
	}{
		"environment": {
			func(*world) string { return "" },
			func(w *world) map[string]string { return w.Variables() },
		},
		"configuration beats environment": {
			func(w *world) string { return w.Provider("environment", `"global"`, "settle_time", `"30s"`) },
			func(*world) map[string]string { return wrong },
		},
		"an empty string is unset": {
			func(*world) string { return "provider \"trustframework\" {\n  client_secret = \"\"\n}\n" },
			func(w *world) map[string]string { return w.Variables() },
		},
		"domain instead of GUID": {
			func(w *world) string { return w.Provider("tenant_id", strconv.Quote(w.Domain())) },
			func(*world) map[string]string { return nil },
		},
		"trailing slashes": {
			func(w *world) string {
				return w.Provider("msgraph_endpoint", strconv.Quote(w.Server.URL()+"/"), "authority_host", strconv.Quote(w.Server.URL()+"/"))
			},
			func(*world) map[string]string { return nil },
		},
		"another cloud's scope": {
			func(w *world) string { return w.Provider() },
			func(*world) map[string]string { return map[string]string{"ARM_ENVIRONMENT": "USGovernment"} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(row.variables(w)),
				Steps:                    []resource.TestStep{{Config: row.block(w) + keySetConfig("Test")}},
			})
		})
	}
}

func TestAccProvider_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		changes   []string
		variables map[string]string
		want      string
	}{
		"no tenant":           {[]string{"tenant_id", ""}, nil, `Missing provider argument tenant_id.*ARM_TENANT_ID`},
		"no client":           {[]string{"client_id", ""}, nil, `Incomplete sign-in configuration.*client secret: lacks client_id`},
		"nothing":             {[]string{"client_secret", "", "use_cli", "false"}, nil, `No way of signing in is configured.*client certificate: lacks.*Azure CLI: lacks use_cli`},
		"OIDC for nothing":    {[]string{"client_secret", "", "use_oidc", "true"}, nil, `asks for use_oidc, so that no other.*OIDC token: lacks oidc_token or oidc_token_file_path`},
		"odd tenant":          {[]string{"tenant_id", `"a/b"`}, nil, `Invalid provider argument tenant_id.*neither a GUID nor a domain`},
		"unknown cloud":       {[]string{"environment", `"mars"`}, nil, `Invalid provider argument environment.*"mars" is not a known cloud.*usgovernmentl4.*dod`},
		"http endpoint":       {[]string{"msgraph_endpoint", `"http://graph.microsoft.com"`}, nil, `Invalid provider argument msgraph_endpoint.*Only https`},
		"http authority":      {[]string{"authority_host", `"http://login.microsoftonline.com"`}, nil, `Invalid provider argument authority_host.*Only https`},
		"http in variable":    {[]string{"msgraph_endpoint", ""}, map[string]string{"ARM_MSGRAPH_ENDPOINT": "http://x"}, `Only https.*environment variable ARM_MSGRAPH_ENDPOINT`},
		"endpoint with /beta": {[]string{"msgraph_endpoint", `"https://graph.microsoft.com/beta"`}, nil, `more than scheme, host and port`},
		"password in http":    {[]string{"msgraph_endpoint", `"http://user:canary@graph.microsoft.com"`}, nil, `"http://graph.microsoft.com" would.*Only https`},
		"endpoint of a host":  {[]string{"msgraph_endpoint", `"graph.microsoft.com"`}, nil, `is not an address`},
		"no such port":        {[]string{"msgraph_endpoint", `"https://graph.microsoft.com:99999"`}, nil, `Invalid provider argument msgraph_endpoint.*There is no port 99999`},
		"port zero":           {[]string{"authority_host", `"https://login.microsoftonline.com:0"`}, nil, `Invalid provider argument authority_host.*There is no port 0`},
		"no CA file":          {[]string{"ca_cert_file", `"/nowhere.pem"`}, nil, `Invalid provider argument ca_cert_file.*can't be read`},
		"CA file without CA":  {[]string{"ca_cert_file", strconv.Quote(file)}, nil, `no PEM certificate`},
		"odd settle time":     {[]string{"settle_time", `"soon"`}, nil, `"soon" is not a duration between 1s and 15m`},
		"no settle time":      {[]string{"settle_time", `"0s"`}, nil, `not a duration between`},
		"odd flag":            {[]string{"disable_instance_discovery", ""}, map[string]string{"ARM_DISABLE_INSTANCE_DISCOVERY": "maybe"}, `neither true nor false`},
		"unknown secret":      {[]string{"client_secret", "terraform_data.later.output"}, nil, `Unknown provider argument client_secret.*-target`},
		"unknown flag":        {[]string{"disable_instance_discovery", "terraform_data.later.output"}, nil, `Unknown provider argument disable_instance_discovery`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			later := "resource \"terraform_data\" \"later\" {\n  input = \"true\"\n}\n"
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(row.variables),
				Steps: []resource.TestStep{{
					Config:      w.Provider(row.changes...) + later + keySetConfig("Test"),
					ExpectError: regexp.MustCompile("(?s)" + strings.ReplaceAll(row.want, " ", `\s+`)),
				}},
			})
			if n := len(w.Journal()); n > 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestAccProvider_SignIn_ErrorsAreClear: Entra's own words stay, and none of the secrets is in them.
func TestAccProvider_SignIn_ErrorsAreClear(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		changes []string
		roles   []string
		summary string
		texts   []string
	}{
		"wrong secret":   {[]string{"client_secret", `"canary-secret"`}, nil, "Unable to sign in", []string{"AADSTS7000215: Invalid client secret", "Check client_secret (ARM_CLIENT_SECRET)", "Code: AADSTS7000215", "Trace ID: ", "Correlation ID: "}},
		"wrong client":   {[]string{"client_id", `"11111111-2222-3333-4444-555555555555"`}, nil, "Unable to sign in", []string{"AADSTS700016", "Check client_id"}},
		"wrong tenant":   {[]string{"tenant_id", `"11111111-2222-3333-4444-555555555555"`}, nil, "Unable to sign in", []string{"AADSTS90002", "Check tenant_id", "11111111-2222-3333-4444-555555555555"}},
		"no role at all": {nil, []string{"Directory.Read.All"}, "Unable to create key set", []string{"TrustFrameworkKeySet.Read", "Status: 403", "Request ID: "}},
		"only read role": {nil, []string{emulator.RoleRead}, "Unable to create key set", []string{"permissions (TrustFrameworkKeySet.ReadWrite.All)", "Its application permissions: TrustFrameworkKeySet.Read.All.", "az ad app permission admin-consent", "Status: 403"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			if row.roles != nil {
				w.SetRoles(row.roles...)
			}
			tf := w.inProcess(t, w.Provider(row.changes...)+keySetConfig("Test"))
			o := tf.apply(false)
			if !o.has("error", row.summary, row.texts...) {
				t.Errorf("got %v", o.diagnostics)
			}
			for _, secret := range []string{w.ClientSecret(), "canary-secret"} {
				if strings.Contains(o.stdout+o.stderr, secret) {
					t.Error("the secret is in the output")
				}
			}
			if len(w.KeySets()) > 0 {
				t.Error("a key set was made")
			}
		})
	}
}

// TestAccProvider_SignIn_FailsOnceForAll: a hundred resources don't each ask Entra in vain.
func TestAccProvider_SignIn_FailsOnceForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	config := "resource \"trustframework_key_set\" \"test\" {\n  count = 20\n  name  = \"Set${count.index}\"\n}\n"
	tf := w.inProcess(t, w.Provider()+config)
	tf.apply(true)
	tf.configure(w.Provider("client_secret", `"canary-secret"`) + config)
	w.ResetJournal()
	if o := tf.expect(false, "plan"); !o.has("error", "Unable to sign in", "AADSTS7000215") {
		t.Errorf("got %v", o.diagnostics)
	}
	if n := len(w.Requests(emulator.OpToken)); n != 1 {
		t.Errorf("%d requests for a token", n)
	}
}

// TestAccProvider_Plan_NeedsOnlyTheReadRole: what a plan doesn't need isn't asked for.
func TestAccProvider_Plan_NeedsOnlyTheReadRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keyConfig())
	tf.apply(true)
	w.SetRoles(emulator.RoleRead)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
}

// TestAccProvider_AProcess_AsksForOneToken counts what a provider that runs as a process of its own asks
// Entra ID for, however many resources want one at once.
func TestAccProvider_AProcess_AsksForOneToken(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	w.AddKeySet("B2C_1A_Signing")
	config := "provider \"trustframework\" {}\n"
	for i := range 20 {
		name := fmt.Sprintf("key%d", i)
		id := "B2C_1A_Signing/" + w.AddKey("B2C_1A_Signing", emulator.KeySpec{Kty: "oct"})
		config += strings.Replace(statusConfig(`kty = "oct"`), `"test"`, strconv.Quote(name), 1) +
			importBlock("trustframework_generated_key."+name, fmt.Sprintf("id = %q", id))
	}
	ownProcess(t, config, w.Variables()).plan()
	got := map[emulator.Op]int{}
	for _, e := range w.Journal() {
		got[e.Op]++
	}
	if want := (map[emulator.Op]int{emulator.OpDiscovery: 1, emulator.OpToken: 1, emulator.OpList: 1}); !maps.Equal(got, want) {
		t.Errorf("requests %v, want %v", got, want)
	}
}

// TestAccProvider_Trace_HoldsNoSecret runs the provider as a process of its own with everything logged,
// and looks for the client secret and for tokens in all that comes out. The control leaks the secret on
// purpose, to show that the search finds it.
func TestAccProvider_Trace_HoldsNoSecret(t *testing.T) {
	t.Parallel()
	for _, leak := range []bool{false, true} {
		t.Run("leak "+strconv.FormatBool(leak), func(t *testing.T) {
			t.Parallel()
			w := newRealWorld(t)
			config := "provider \"trustframework\" {}\n" + strings.ReplaceAll(keyConfig(), `"RSA"`, `"oct"`)
			log := filepath.Join(t.TempDir(), "trace.log")
			variables := maps.Clone(w.Variables())
			variables["TF_LOG"], variables["TF_LOG_PATH"] = "TRACE", log
			variables["TRUSTFRAMEWORK_SETTLE_TIME"] = "1s"
			if leak {
				config += "output \"leak\" {\n  value = \"" + w.ClientSecret() + "\"\n}\n"
			}
			tf := ownProcess(t, config, variables)
			w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey))
			o := tf.apply(true)
			p, _ := tf.plan("-out", "saved.plan")
			d := tf.apply(true, "-destroy")
			trace, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"Graph answered", "generateKey", "looking for what it made"} {
				if !strings.Contains(string(trace), want) {
					t.Errorf("the log lacks %q: is it the provider's?", want)
				}
			}
			state, err := os.ReadFile(filepath.Join(tf.dir, "terraform.tfstate.backup"))
			if err != nil {
				t.Fatal(err)
			}
			all := string(trace) + string(state) + o.stdout + o.stderr + p.stdout + d.stdout
			tokens := regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.`)
			if found := strings.Contains(all, w.ClientSecret()) || tokens.MatchString(all); found != leak {
				t.Errorf("found: %t, want %t", found, leak)
			}
		})
	}
}

// TestAccProvider_UserAgent_NamesProviderAndTerraform in each request to Graph and to Entra ID.
func TestAccProvider_UserAgent_NamesProviderAndTerraform(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	variables := maps.Clone(w.Variables())
	variables["TF_APPEND_USER_AGENT"] = " pipeline/7\n"
	ownProcess(t, "provider \"trustframework\" {}\n"+keySetConfig("Test"), variables).apply(true)
	for _, op := range []emulator.Op{emulator.OpToken, emulator.OpList, emulator.OpCreate} {
		if len(w.Requests(op)) == 0 {
			t.Errorf("no request of kind %s", op)
		}
	}
	for _, e := range w.Journal() {
		if !regexp.MustCompile(`^terraform-provider-trustframework/\S+ Terraform/\d+\.\d+\S* pipeline/7( azsdk-go-\S+ .*)?$`).MatchString(e.UserAgent) {
			t.Errorf("%s %s by %q", e.Method, e.Path, e.UserAgent)
		}
		if e.ContentEncoding != "" {
			t.Errorf("%s %s with a body in %q", e.Method, e.Path, e.ContentEncoding)
		}
	}
}
