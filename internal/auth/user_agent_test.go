// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestUserAgent_IsBeforeAzidentitysOwn, whose version stays for Microsoft's support.
func TestUserAgent_IsBeforeAzidentitysOwn(t *testing.T) {
	t.Parallel()
	tenant, config := newTenant(t)
	config.UserAgent, config.TenantID = "ours/1 Terraform/2", tenant.Domain()
	if _, err := getToken(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	seen := map[emulator.Op]bool{}
	for _, e := range tenant.Journal() {
		seen[e.Op] = true
		if !strings.HasPrefix(e.UserAgent, "ours/1 Terraform/2 azsdk-go-azidentity/") {
			t.Errorf("%s by %q", e.Path, e.UserAgent)
		}
	}
	if !seen[emulator.OpDiscovery] || !seen[emulator.OpToken] {
		t.Errorf("only %v", seen)
	}
}

func TestUserAgent_IsOnRequestsThatAzidentityDoesNotSend(t *testing.T) {
	t.Parallel()
	tenant, config := newTenant(t)
	config.UserAgent, config.TenantID = "ours/1", tenant.Domain()
	if _, err := auth.ResolveTenant(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	journal := tenant.Journal()
	if len(journal) != 1 || journal[0].UserAgent != "ours/1" {
		t.Errorf("got %v", journal)
	}

	e := newEntra(t, tenantID)
	config = e.config()
	config.UserAgent, config.UseOIDC, config.OIDCRequestURL, config.OIDCRequestToken = "ours/1", true, e.URL+"/request", "canary-request"
	if _, err := getToken(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if len(e.requests) != 1 || !strings.HasPrefix(e.requests[0].UserAgent(), "ours/1 azsdk-go-auth") {
		t.Errorf("%d requests, the first by %q", len(e.requests), e.requests[0].UserAgent())
	}
}
