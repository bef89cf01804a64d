// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{envTenantID: "contoso.onmicrosoft.com", envClientID: "c", envClientSecret: "s"}
	with := func(pairs ...string) map[string]string {
		env := maps.Clone(all)
		for i := 0; i < len(pairs); i += 2 {
			env[pairs[i]] = pairs[i+1]
		}
		return env
	}
	for name, test := range map[string]struct {
		env   map[string]string
		named bool
		err   string
	}{
		"nothing":        {map[string]string{}, false, ""},
		"only a report":  {map[string]string{envReport: junk}, false, ""},
		"all":            {all, true, ""},
		"no tenant":      {with(envTenantID, ""), false, "not " + envTenantID},
		"no client":      {with(envClientID, ""), false, "not " + envClientID},
		"no secret":      {with(envClientSecret, ""), false, "not " + envClientSecret},
		"only an origin": {map[string]string{envGraph: publicGraph}, false, "not " + envTenantID + ", " + envClientID + ", " + envClientSecret},
		"only a CA":      {map[string]string{envCA: junk}, false, "not " + envTenantID},
		"plain http":     {with(envGraph, "http://localhost:1"), false, envGraph},
		"a path":         {with(envAuthority, "https://login.test/x"), false, envAuthority},
		"a user":         {with(envAuthority, "https://u@login.test"), false, envAuthority},
		"no CA":          {with(envCA, junk), false, "no PEM"},
		"relative CA":    {with(envCA, "ca.pem"), false, "absolute"},
		"relative file":  {with(envReport, "report.md"), false, "absolute"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := fromEnvironment(func(name string) string { return test.env[name] })
			switch {
			case err == nil && (test.err != "" || s.named != test.named):
				t.Errorf("named %t without an error", s.named)
			case err != nil && (test.err == "" || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error %v", err)
			case err != nil && strings.Contains(err.Error(), `"s"`):
				t.Errorf("error %v has the secret", err)
			}
		})
	}
}

func TestFromEnvironment_Defaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ graph, authority, wantGraph, wantAuthority, scope string }{
		"public":  {"", "", publicGraph, publicAuthority, publicGraph + "/.default"},
		"china":   {"https://microsoftgraph.chinacloudapi.cn/", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/.default"},
		"another": {"https://127.0.0.1:8443", "https://127.0.0.1:8443/", "https://127.0.0.1:8443", "https://127.0.0.1:8443", publicGraph + "/.default"},
	} {
		env := map[string]string{envTenantID: "t", envClientID: "c", envClientSecret: "s", envGraph: test.graph, envAuthority: test.authority}
		s, err := fromEnvironment(func(name string) string { return env[name] })
		if err != nil || s.target.graph != test.wantGraph || s.target.authority != test.wantAuthority || s.target.scope() != test.scope {
			t.Errorf("%s: %+v (%v)", name, s.target, err)
		}
		if s.target.local() != (name == "another") {
			t.Errorf("%s: local %t", name, s.target.local())
		}
	}
}
