// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"slices"
	"strings"
)

// Environment is one of Microsoft's clouds: where to sign in and where Graph is.
type Environment struct {
	// Names are azuread's spellings for `environment`, the canonical one first.
	Names []string
	// AuthorityHost is the origin of Entra ID's login endpoint.
	AuthorityHost string
	// GraphEndpoint is the origin of Microsoft Graph, without a version.
	GraphEndpoint string
}

// Scope is the permission scope that a token for this cloud's Graph is asked for, whatever address
// the requests then go to.
func (e Environment) Scope() string { return e.GraphEndpoint + "/.default" }

// Environments lists the clouds that have Microsoft Graph (source: Graph's "National cloud
// deployments"; the names are azuread's).
func Environments() []Environment {
	return []Environment{
		{
			Names:         []string{"global", "public"},
			AuthorityHost: "https://login.microsoftonline.com",
			GraphEndpoint: "https://graph.microsoft.com",
		},
		{
			Names:         []string{"usgovernmentl4", "usgovernment"},
			AuthorityHost: "https://login.microsoftonline.us",
			GraphEndpoint: "https://graph.microsoft.us",
		},
		{
			Names:         []string{"usgovernmentl5", "dod"},
			AuthorityHost: "https://login.microsoftonline.us",
			GraphEndpoint: "https://dod-graph.microsoft.us",
		},
		{
			Names:         []string{"china"},
			AuthorityHost: "https://login.chinacloudapi.cn",
			GraphEndpoint: "https://microsoftgraph.chinacloudapi.cn",
		},
	}
}

// EnvironmentNames lists every accepted spelling.
func EnvironmentNames() []string {
	var names []string
	for _, e := range Environments() {
		names = append(names, e.Names...)
	}
	return names
}

// EnvironmentByName finds a cloud by any of its names, without regard to case.
func EnvironmentByName(name string) (Environment, bool) {
	for _, e := range Environments() {
		if slices.ContainsFunc(e.Names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return e, true
		}
	}
	return Environment{}, false
}
