// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestResolveTenant(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		tenantID  func(*emulator.Tenant) string
		wantError bool
		requests  int
	}{
		"a GUID is what it is":      {(*emulator.Tenant).ID, false, 0},
		"a domain is looked up":     {(*emulator.Tenant).Domain, false, 1},
		"an unknown one is refused": {func(*emulator.Tenant) string { return "nobody.example" }, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, config := newTenant(t)
			config.TenantID = row.tenantID(tenant)
			got, err := auth.ResolveTenant(t.Context(), config)
			if (err != nil) != row.wantError || err == nil && got != tenant.ID() {
				t.Errorf("got %q, %v", got, err)
			}
			if n := len(tenant.Journal()); n != row.requests {
				t.Errorf("%d requests", n)
			}
			for _, e := range tenant.Journal() {
				if e.Op != emulator.OpDiscovery {
					t.Errorf("%v", e)
				}
			}
		})
	}
}
