// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// environment is the lines of a POSIX shell that point a client at the
// emulator. They contain the client secret, which dies with the process.
func environment(s *emulator.Server, t *emulator.Tenant, caFile string) string {
	var b strings.Builder
	for _, v := range []struct{ name, value string }{
		{"ARM_TENANT_ID", t.ID()},
		{"ARM_CLIENT_ID", t.ClientID()},
		{"ARM_CLIENT_SECRET", t.ClientSecret()},
		{"ARM_MSGRAPH_ENDPOINT", s.URL()},
		{"AZURE_AUTHORITY_HOST", s.URL()},
		{"ARM_DISABLE_INSTANCE_DISCOVERY", "true"},
		{"TRUSTFRAMEWORK_CA_CERT_FILE", caFile},
	} {
		b.WriteString("export " + v.name + "=" + quote(v.value) + "\n")
	}
	return b.String()
}

// quote makes one word of a POSIX shell out of any text.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
