// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package acctest gives each acceptance test a Graph of its own: an emulator with one tenant, and the
// provider block that leads to it.
package acctest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// Env is a running emulator and the tenant a test works on.
type Env struct {
	*emulator.Tenant
	// Server is the emulator, for faults below HTTP.
	Server *emulator.Server

	caFile string
}

// Start runs an emulator until the test ends.
func Start(t *testing.T, config emulator.Config) *Env {
	t.Helper()
	server, err := emulator.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, server.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Env{Tenant: server.NewTenant(emulator.TenantConfig{}), Server: server, caFile: caFile}
}

// Arguments are the provider's arguments that lead to the tenant.
func (e *Env) Arguments() map[string]string {
	return map[string]string{
		"tenant_id":                  quote(e.ID()),
		"client_id":                  quote(e.ClientID()),
		"client_secret":              quote(e.ClientSecret()),
		"msgraph_endpoint":           quote(e.Server.URL()),
		"authority_host":             quote(e.Server.URL()),
		"disable_instance_discovery": "true",
		"ca_cert_file":               quote(e.caFile),
	}
}

// Variables are the environment variables that lead to the tenant.
func (e *Env) Variables() map[string]string {
	return map[string]string{
		"ARM_TENANT_ID":                  e.ID(),
		"ARM_CLIENT_ID":                  e.ClientID(),
		"ARM_CLIENT_SECRET":              e.ClientSecret(),
		"ARM_MSGRAPH_ENDPOINT":           e.Server.URL(),
		"AZURE_AUTHORITY_HOST":           e.Server.URL(),
		"ARM_DISABLE_INSTANCE_DISCOVERY": "true",
		"TRUSTFRAMEWORK_CA_CERT_FILE":    e.caFile,
	}
}

// Provider is the provider block that leads to the tenant. Each change is an argument's name and its
// new value as HCL, one after the other; an empty value leaves the argument out.
func (e *Env) Provider(changes ...string) string {
	arguments := e.Arguments()
	for i := 0; i+1 < len(changes); i += 2 {
		arguments[changes[i]] = changes[i+1]
	}
	var b strings.Builder
	b.WriteString("provider \"trustframework\" {\n")
	for name, value := range arguments {
		if value != "" {
			fmt.Fprintf(&b, "  %s = %s\n", name, value)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// Requests returns the journal's entries of the given operations, or all requests to Graph.
func (e *Env) Requests(ops ...emulator.Op) []emulator.Entry {
	var entries []emulator.Entry
	for _, entry := range e.Journal() {
		signIn := entry.Op == emulator.OpToken || entry.Op == emulator.OpDiscovery
		if len(ops) == 0 && !signIn || slices.Contains(ops, entry.Op) {
			entries = append(entries, entry)
		}
	}
	return entries
}

// Writes returns the journal's entries that were to change something.
func (e *Env) Writes() []emulator.Entry {
	var entries []emulator.Entry
	for _, entry := range e.Journal() {
		if entry.Write() {
			entries = append(entries, entry)
		}
	}
	return entries
}

// CheckRequests is a check of a step that compares how many requests there were of each operation
// since the journal was last reset, and resets it. Operations that aren't named must not occur.
func (e *Env) CheckRequests(want map[emulator.Op]int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got := map[emulator.Op]int{}
		for _, entry := range e.Requests() {
			got[entry.Op]++
		}
		e.ResetJournal()
		if !maps.Equal(got, want) {
			return fmt.Errorf("requests %v, want %v", got, want)
		}
		return nil
	}
}

// quote writes a text as HCL.
func quote(s string) string { return fmt.Sprintf("%q", s) }
