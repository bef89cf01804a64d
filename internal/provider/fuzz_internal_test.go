// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/graph"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// names are what people, portals and mistakes give for a key set or a kid.
func names() []string {
	return []string{
		"B2C_1A_TokenSigningKeyContainer", "signing", "b2c_1a_signing", "B2C_1A_", "B2C_1A_B2C_1A_A", "B2C_1A_A.bak", "B2C_1B_A", "B2C", "",
		".", "..", "...", "a/b", `a\b`, "a?b", "a#b", "a%2Fb", "a'b", "a(b)", "a;b=c", "a{b}", "{+baseurl}", "a+b", "a&b", "a=b", "a@b", "a:b",
		"a\u0085b", "a\u2028b", "a\u200bb", "\ufeffa", "a b", "\x7f", "ſ", "K", "İ", "ß", "e\u0301", "日本", "\xff", "B2C_1A_\xc3", "$count", "~", "*", `"`,
	}
}

// recorder takes requests down as a server would see them, and answers that there is no such thing.
type recorder struct{ paths []string }

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.paths = append(r.paths, req.URL.RequestURI())
	status, body := http.StatusBadRequest, `{"error":{"code":"AADB2C90073","message":"no"}}`
	if req.URL.EscapedPath() == "/beta/trustFramework/keySets" {
		status, body = http.StatusForbidden, `{"error":{"code":"AADB2C","message":"no"}}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// GetToken implements azcore.TokenCredential.
func (r *recorder) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token"}, nil
}

func (r *recorder) client(t *testing.T) *trustframework.Client {
	t.Helper()
	fake := clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	adapter, err := graph.NewAdapter(graph.Config{Endpoint: "https://graph.test", Credential: r, Transport: r, Clock: fake})
	if err != nil {
		t.Fatal(err)
	}
	return trustframework.New(trustframework.Config{Adapter: adapter, Clock: fake})
}

// checkPath holds an address against the segments that a server must find behind /beta/trustFramework/keySets.
func checkPath(t *testing.T, requestURI string, want ...string) {
	t.Helper()
	u, err := url.ParseRequestURI(requestURI)
	if err != nil || u.RawQuery != "" || u.ForceQuery {
		t.Fatalf("%q (%v)", requestURI, err)
	}
	var got []string
	for segment := range strings.SplitSeq(strings.TrimPrefix(u.EscapedPath(), "/beta/trustFramework/keySets/"), "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			t.Fatalf("%q: %v", requestURI, err)
		}
		got = append(got, plain)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q asks for %q, not %q", requestURI, got, want)
	}
}

// FuzzImportID_OfAKey: an accepted id is written back as it was, and names one key of one key set to the service.
func FuzzImportID_OfAKey(f *testing.F) {
	for _, name := range names() {
		f.Add(name)
		f.Add(name + "/kid")
		f.Add("B2C_1A_A/" + name)
	}
	f.Fuzz(func(t *testing.T, id string) {
		keySetID, kid, err := splitKeyID(id)
		if err != nil {
			if keySetID != "" || kid != "" {
				t.Fatalf("%q is refused with %q and %q", id, keySetID, kid)
			}
			return
		}
		written := keySetID
		if kid != "" {
			written = keyID(keySetID, kid)
		}
		againSet, againKid, err := splitKeyID(written)
		if written != id || againSet != keySetID || againKid != kid || err != nil {
			t.Fatalf("%q becomes %q, then %q and %q (%v)", id, written, againSet, againKid, err)
		}
		r := &recorder{}
		client := r.client(t)
		canonical := trustframework.CanonicalID(keySetID)
		if kid == "" {
			_, _ = client.KeySet(t.Context(), keySetID, false)
			checkPath(t, r.paths[len(r.paths)-1], canonical)
			return
		}
		_ = client.SetStatus(t.Context(), keySetID, kid, trustframework.StatusEnabled, false)
		for _, address := range r.paths[1:] {
			switch strings.Count(address, "/") {
			case 4:
				checkPath(t, address, canonical)
			case 5:
				checkPath(t, address, canonical, "keys_v2")
			default:
				checkPath(t, address, canonical, "keys_v2", kid)
			}
		}
	})
}

// FuzzName_OfAKeySet: a name that is accepted becomes one segment with one prefix, and equal names stay equal
// whichever way they are written.
func FuzzName_OfAKeySet(f *testing.F) {
	for i, name := range names() {
		f.Add(name, names()[(i+1)%len(names())])
		f.Add(name, "b2C_1a_"+name)
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		const prefix = "B2C_1A_"
		id := trustframework.CanonicalID(name)
		switch {
		case len(id) < len(prefix) || !strings.EqualFold(id[:len(prefix)], prefix):
			t.Fatalf("%q has no prefix", id)
		case id != name && id != prefix+name, id != name && strings.HasPrefix(strings.ToUpper(name), prefix):
			t.Fatalf("%q becomes %q", name, id)
		case trustframework.CanonicalID(id) != id:
			t.Fatalf("%q becomes %q", id, trustframework.CanonicalID(id))
		case !trustframework.SameID(name, name) || !trustframework.SameID(name, id) || !trustframework.SameID(id, name):
			t.Fatalf("%q and %q aren't the same", name, id)
		case trustframework.SameID(name, other) != trustframework.SameID(other, name), trustframework.SameID(name, other) != trustframework.SameID(id, other):
			t.Fatalf("whether %q is %q depends on who asks", name, other)
		}
		var resp validator.StringResponse
		isPathSegment().ValidateString(t.Context(), validator.StringRequest{Path: path.Root("name"), ConfigValue: types.StringValue(name)}, &resp)
		if resp.Diagnostics.HasError() != (notAPathSegment(name) != "") {
			t.Fatalf("%q: %v", name, resp.Diagnostics)
		}
		if resp.Diagnostics.HasError() {
			checkAttributeErrors(t, resp.Diagnostics)
			return
		}
		r := &recorder{}
		_, _ = r.client(t).HasKeySet(t.Context(), name, false)
		if len(r.paths) != 2 {
			t.Fatalf("asked for %q", r.paths)
		}
		checkPath(t, r.paths[1], id)
	})
}

// FuzzDates_AnySeconds: dates in range are accepted and written as they can be read again, all others are told
// what to write instead.
func FuzzDates_AnySeconds(f *testing.F) {
	for _, nbf := range []int64{0, -1, 1893456000, lastNumericDate, lastNumericDate + 1, 1893456000000, 1893456000000000, 1<<63 - 1, -1 << 63} {
		for _, exp := range []int64{0, 1, 1893456000, lastNumericDate, -1 << 63, 1<<63 - 1} {
			f.Add(nbf, exp, false, false)
		}
		f.Add(nbf, nbf, true, false)
		f.Add(nbf, nbf, false, true)
	}
	f.Fuzz(func(t *testing.T, nbf, exp int64, noNbf, noExp bool) {
		m := keyModel{Nbf: types.Int64Value(nbf), Exp: types.Int64Value(exp)}
		if noNbf {
			m.Nbf = types.Int64Null()
		}
		if noExp {
			m.Exp = types.Int64Unknown()
		}
		var diags diag.Diagnostics
		m.validate(&diags)
		if want := !noNbf && !noExp && exp <= nbf; diags.HasError() != want {
			t.Fatalf("nbf %d, exp %d: %v", nbf, exp, diags)
		}
		checkAttributeErrors(t, diags)

		var resp validator.Int64Response
		isNumericDate().ValidateInt64(t.Context(), validator.Int64Request{Path: path.Root("nbf"), ConfigValue: types.Int64Value(nbf)}, &resp)
		if want := nbf < 0 || nbf > lastNumericDate; resp.Diagnostics.HasError() != want {
			t.Fatalf("%d: %v", nbf, resp.Diagnostics)
		}
		checkAttributeErrors(t, resp.Diagnostics)
		if nbf > lastNumericDate {
			if seconds, _ := likelySeconds(nbf); seconds < 0 || seconds > lastNumericDate {
				t.Fatalf("%d instead of %d is refused as well", seconds, nbf)
			}
		}
		shown := dateValue(&nbf)
		var again time.Time
		if err := again.UnmarshalText([]byte(shown.ValueString())); !shown.IsNull() && (err != nil || again.Unix() != nbf) {
			t.Fatalf("%d is shown as %s, which is %s (%v)", nbf, shown, again, err)
		}
		if resp.Diagnostics.HasError() {
			return
		}
		if again, err := runNumericDate(t, shown.ValueString()); err != nil || again != nbf {
			t.Fatalf("%d is shown as %s, which is %d (%v)", nbf, shown, again, err)
		}
	})
}

// FuzzNumericDate_AnyText: what the function accepts is a date to everybody, and nbf and exp take what it returns.
func FuzzNumericDate_AnyText(f *testing.F) {
	for _, text := range []string{
		"2030-01-31T00:00:00Z", "2030-01-31T01:00:00+01:00", "2030-01-31t00:00:00z", "2030-01-31T1:00:00Z", "2030-01-31T00:00:00,0Z", "2030-01-31T00:00:00.000Z",
		"2030-01-31T00:00:00+24:00", "2030-01-31T00:00:00+23:60", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
		"1970-01-01T00:00:00+00:01", "1970-01-01T00:00:00-00:01", "2030-02-31T00:00:00Z", "2030-06-30T23:59:60Z", "2030-01-31", "", "soon",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seconds, err := runNumericDate(t, text)
		if err != nil {
			if err.FunctionArgument == nil || *err.FunctionArgument != 0 {
				t.Fatalf("%q: the error isn't about the argument: %v", text, err)
			}
			return
		}
		var date time.Time
		if err := date.UnmarshalText([]byte(text)); err != nil || date.Unix() != seconds || date.Nanosecond() != 0 {
			t.Fatalf("%q is taken for %d (%v)", text, seconds, err)
		}
		// The library's parser isn't strict about these.
		if len(text) < 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || strings.Contains(text, ",") || strings.HasSuffix(text, "+24:00") {
			t.Fatalf("%q isn't RFC 3339", text)
		}
		var resp validator.Int64Response
		isNumericDate().ValidateInt64(t.Context(), validator.Int64Request{ConfigValue: types.Int64Value(seconds)}, &resp)
		if resp.Diagnostics.HasError() {
			t.Fatalf("%q is %d: %v", text, seconds, resp.Diagnostics)
		}
	})
}

func runNumericDate(t *testing.T, text string) (int64, *function.FuncError) {
	t.Helper()
	resp := function.RunResponse{Result: function.NewResultData(types.Int64Unknown())}
	newNumericDateFunction().Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData([]attr.Value{types.StringValue(text)})}, &resp)
	if resp.Error != nil {
		return 0, resp.Error
	}
	seconds, ok := resp.Result.Value().(types.Int64)
	if !ok {
		t.Fatalf("the result is a %T", resp.Result.Value())
	}
	return seconds.ValueInt64(), nil
}

// FuzzProviderConfig_AnyValues: values that are accepted make a provider, every other one is an error of its
// argument, and no error repeats a secret.
func FuzzProviderConfig_AnyValues(f *testing.F) {
	const tenant, client, secret = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000", "canary-of-a-secret" //nolint:gosec // nobody's
	for _, endpoint := range []string{
		"", "https://graph.microsoft.com", "https://graph.microsoft.com/", "https://graph.microsoft.com//", "HTTPS://Graph.Microsoft.com:443", "https://[::1]:8443", "https://:443",
		"https://h?", "https://h#", "https://h/.", "https://h:", "https://h:99999", "https://u:canary-of-an-address@h", "http://canary-of-an-address@h", "https://h/?code=canary-of-an-address",
		"https:canary-of-an-address@h", "://", "//h", "h", "h:443", " https://h", "https://h\n", "https://%41", "https://h%zz", "https://ü", "https://h/beta",
	} {
		f.Add(tenant, client, secret, "global", endpoint, endpoint, "60s", "", []byte(nil))
	}
	for _, value := range []string{"", "common", "contoso.onmicrosoft.com", "a/b", "-", ".", "a\n", "ü", "soon", "1s", "15m", "15m1ns", "-1s", "1e9s", "9999999h", "usgovernmentl4", "MARS", "true", "T", "maybe"} {
		f.Add(value, client, secret, "", "", "", "", "", []byte(nil))
		f.Add(tenant, value, secret, "", "", "", "", "", []byte(nil))
		f.Add(tenant, client, secret, value, "", "", value, value, []byte(value))
	}
	f.Add(tenant, client, secret, "", "", "", "", "", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	file := filepath.Join(f.TempDir(), "ca.pem")
	f.Fuzz(func(t *testing.T, tenant, client, secret, environment, endpoint, authority, settle, flag string, ca []byte) {
		m := providerModel{
			TenantID: types.StringValue(tenant), ClientID: types.StringValue(client), ClientSecret: types.StringValue(secret), Environment: types.StringValue(environment),
			MSGraphEndpoint: types.StringValue(endpoint), AuthorityHost: types.StringValue(authority), SettleTime: types.StringValue(settle),
		}
		if len(ca) > 0 {
			if err := os.WriteFile(file, ca, 0o600); err != nil {
				t.Fatal(err)
			}
			m.CACertFile = types.StringValue(file)
		}
		var diags diag.Diagnostics
		s := m.settings(func(name string) string {
			if name == envDisableInstanceDiscovery {
				return flag
			}
			return ""
		}, &diags)
		checkAttributeErrors(t, diags)
		elsewhere := strings.Join([]string{tenant, client, environment, settle, flag, file, hostOf(endpoint), hostOf(authority)}, " ")
		for _, d := range diags {
			text := d.Summary() + d.Detail()
			for _, hidden := range []string{secret, behindTheHost(endpoint), behindTheHost(authority)} {
				// What is short, or stands elsewhere too, is no secret.
				if len(hidden) >= 12 && strings.Contains(text, hidden) && !strings.Contains(elsewhere, hidden) {
					t.Fatalf("%q is in %q", hidden, text)
				}
			}
		}
		if diags.HasError() {
			return
		}
		for _, origin := range []string{s.endpoint, s.auth.AuthorityHost} {
			if u, err := url.Parse(origin); err != nil || u.Scheme != "https" || u.Hostname() == "" || origin != "https://"+u.Host {
				t.Fatalf("%q and %q make the origin %q (%v)", endpoint, authority, origin, err)
			}
		}
		p := &trustFrameworkProvider{clock: clock.Real{}, getenv: func(string) string { return "" }, wrapTransport: func(t http.RoundTripper) http.RoundTripper { return t }}
		if data := p.newData(t.Context(), s, "1.11.0", &diags); data == nil || diags.HasError() {
			t.Fatalf("accepted, and then: %v", diags)
		}
	})
}

// behindTheHost is what of an address may be a secret: the user's name and password, and a query.
func behindTheHost(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return address
	case u.User != nil:
		if password, ok := u.User.Password(); ok {
			return password
		}
		return u.User.Username()
	default:
		return u.RawQuery
	}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// checkAttributeErrors refuses errors that don't say which argument they are about.
func checkAttributeErrors(t *testing.T, diags diag.Diagnostics) {
	t.Helper()
	for _, d := range diags {
		if located, ok := d.(diag.DiagnosticWithPath); !ok || located.Path().Equal(path.Empty()) {
			t.Fatalf("no argument is named: %v", d)
		}
	}
}
