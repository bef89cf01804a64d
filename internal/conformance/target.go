// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// The variables that name a tenant. README.md has what each means.
const (
	envTenantID     = "TRUSTFRAMEWORK_CONFORMANCE_TENANT_ID"
	envClientID     = "TRUSTFRAMEWORK_CONFORMANCE_CLIENT_ID"
	envClientSecret = "TRUSTFRAMEWORK_CONFORMANCE_CLIENT_SECRET"
	envGraph        = "TRUSTFRAMEWORK_CONFORMANCE_MSGRAPH_ENDPOINT"
	envAuthority    = "TRUSTFRAMEWORK_CONFORMANCE_AUTHORITY_HOST"
	envCA           = "TRUSTFRAMEWORK_CONFORMANCE_CA_CERT_FILE"
	envReport       = "TRUSTFRAMEWORK_CONFORMANCE_REPORT"
)

const (
	publicGraph     = "https://graph.microsoft.com"
	publicAuthority = "https://login.microsoftonline.com"
)

// target is the tenant to ask, and how to sign in to it.
type target struct {
	tenantID, clientID, clientSecret string
	graph, authority                 string // origins
	ca                               *x509.CertPool
}

// settings is what the environment says.
type settings struct {
	target target
	named  bool   // whether it names a tenant
	report string // the file for the report; "" means none
}

// fromEnvironment reads the variables. A tenant that is named in part is an
// error that says what is missing: to fall back to the emulator would be to
// report something that wasn't asked for.
func fromEnvironment(getenv func(string) string) (settings, error) {
	s := settings{report: getenv(envReport)}
	// Tests run in their package's directory, which isn't where their caller is.
	for _, name := range []string{envReport, envCA} {
		if file := getenv(name); file != "" && !filepath.IsAbs(file) {
			return s, fmt.Errorf("%s is %q: it must be an absolute path", name, file)
		}
	}
	var set, missing []string
	for _, name := range []string{envTenantID, envClientID, envClientSecret} {
		if getenv(name) == "" {
			missing = append(missing, name)
		} else {
			set = append(set, name)
		}
	}
	for _, name := range []string{envGraph, envAuthority, envCA} {
		if getenv(name) != "" {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return s, nil
	}
	if len(missing) > 0 {
		return s, fmt.Errorf("%s set, but not %s", strings.Join(set, ", "), strings.Join(missing, ", "))
	}
	s.named = true
	s.target = target{tenantID: getenv(envTenantID), clientID: getenv(envClientID), clientSecret: getenv(envClientSecret)}
	var err error
	if s.target.graph, err = origin(cmp.Or(getenv(envGraph), publicGraph)); err != nil {
		return s, fmt.Errorf("%s: %w", envGraph, err)
	}
	if s.target.authority, err = origin(cmp.Or(getenv(envAuthority), publicAuthority)); err != nil {
		return s, fmt.Errorf("%s: %w", envAuthority, err)
	}
	if file := getenv(envCA); file != "" {
		if s.target.ca, err = poolWith(file); err != nil {
			return s, fmt.Errorf("%s: %w", envCA, err)
		}
	}
	return s, nil
}

// origin takes an https address without a path: tokens and secrets go there.
func origin(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not of the form https://host", address)
	}
	return "https://" + u.Host, nil
}

// poolWith is what the system trusts, and the certificates of a PEM file.
func poolWith(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the file that the environment names
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no PEM certificate", file)
	}
	return pool, nil
}

// cloud is the origin of Graph if it is one of Microsoft's (documented: Graph's
// national cloud deployments), or "".
func (t target) cloud() string {
	switch t.graph {
	case publicGraph, "https://graph.microsoft.us", "https://dod-graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn":
		return t.graph
	}
	return ""
}

// scope is what a token is asked for: Graph of the cloud, also where Graph is
// reached by another name.
func (t target) scope() string { return cmp.Or(t.cloud(), publicGraph) + "/.default" }

// local tells a Graph on this machine, which needs no sparing.
func (t target) local() bool {
	u, err := url.Parse(t.graph)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
