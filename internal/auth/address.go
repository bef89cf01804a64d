// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

const (
	// discoveryHost and discoveryPath are where Microsoft's list of login hosts is asked about an authority that isn't in
	// MSAL's own (source: MSAL's aadInstanceDiscoveryEndpoint).
	discoveryHost = "login.microsoftonline.com"
	discoveryPath = "/common/discovery/instance"

	// maxAddress is how many bytes of path and query an address may have.
	maxAddress = 2048
)

// lastingError is a failure that comes again, so that azcore tries no second time.
type lastingError struct{ error }

// NonRetriable is what azcore's retry policy looks for.
func (lastingError) NonRetriable() {}

// lasting returns an error that is told at once.
func lasting(text string) error { return lastingError{errors.New(text)} }

// atOrigin returns the address of a request at a configured origin. MSAL takes addresses from answers (the OpenID
// document's token_endpoint, instance discovery's tenant_discovery_endpoint) and makes one of a region that
// AZURE_REGIONAL_AUTHORITY_NAME or MSAL_FORCE_REGION names. All of them are at the configured origin or nowhere: an answer
// that a proxy forwards names Microsoft's hosts, and one that lies another's. The path and the query are kept.
func atOrigin(origin string, address *url.URL) (*url.URL, error) {
	base, err := url.Parse(origin)
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, lasting("the configured address is not an https origin, so that nothing is sent to it")
	}
	if !sane(address) {
		return nil, lasting("an answer names an address that none of Entra ID's can be, so that nothing is sent to it")
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: address.Path, RawPath: address.RawPath, RawQuery: address.RawQuery}, nil
}

// ValidPort reports whether an address names no port, or one that there can be.
func ValidPort(address *url.URL) bool {
	if address.Port() == "" {
		return true
	}
	port, err := strconv.ParseUint(address.Port(), 10, 16)
	return err == nil && port > 0
}

// sane reports whether path and query of an address mean the same to everybody who reads them.
func sane(address *url.URL) bool {
	query, err := url.QueryUnescape(address.RawQuery)
	odd := func(r rune) bool { return r == '\\' || unicode.IsControl(r) || r == unicode.ReplacementChar }
	return err == nil && address.Opaque == "" && (address.Path == "" || address.Path[0] == '/') && len(address.RequestURI()) <= maxAddress &&
		!strings.ContainsFunc(address.Path, odd) && !strings.ContainsFunc(query, odd) &&
		!slices.ContainsFunc(strings.Split(address.Path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}

// isInstanceDiscovery reports whether a request asks Microsoft's list of login hosts. It carries the configured host and
// tenant, and nothing secret.
func isInstanceDiscovery(req *http.Request) bool {
	return req.Method == http.MethodGet && (req.Body == nil || req.Body == http.NoBody) && req.Header.Get("Authorization") == "" &&
		req.URL.Scheme == "https" && req.URL.Host == discoveryHost && req.URL.Path == discoveryPath && req.URL.User == nil
}

// direct returns Transport without the redirects that an *http.Client follows: some would carry the secret elsewhere.
func (c Config) direct() policy.Transporter {
	client, ok := c.Transport.(*http.Client)
	if !ok {
		return c.Transport
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &direct
}

// checkLocal checks where a managed identity's secret would be sent. The address is from the machine's environment
// (IDENTITY_ENDPOINT, MSI_ENDPOINT) and no argument of the provider, and usually http. In the clear a secret goes to this
// machine and its own network only. Azure Arc's, which is read from a file that only some may read, stays on the machine.
func checkLocal(req *http.Request) error {
	arc := req.Header.Get("Authorization") != ""
	secret := arc || req.Header.Get("X-Identity-Header") != "" || req.Header.Get("Secret") != ""
	host := strings.ToLower(req.URL.Hostname())
	switch {
	case arc && !onMachine(host):
		return lasting("IDENTITY_ENDPOINT would lead the key of Azure Arc's agent to another machine, so that nothing is sent to it")
	case secret && req.URL.Scheme != "https" && !onMachine(host) && !inOwnNetwork(host):
		return lasting("the environment (IDENTITY_ENDPOINT, MSI_ENDPOINT) would lead the managed identity's secret out of the machine's network in the clear, so that nothing is sent to it")
	}
	return nil
}

func onMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// inOwnNetwork reports whether a host is one of a private network by its form: an address that isn't routed on the
// internet, or a name that has no meaning there.
func inOwnNetwork(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		shared := net.IPNet{IP: net.IPv4(100, 64, 0, 0), Mask: net.CIDRMask(10, 32)} // RFC 6598
		return ip.Unmap().IsLinkLocalUnicast() || ip.Unmap().IsPrivate() || shared.Contains(net.IP(ip.Unmap().AsSlice()))
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".localhost")
}
