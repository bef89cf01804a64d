// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// The default timeouts. A create has room for a lost answer.
const (
	defaultCreateTimeout = 20 * time.Minute
	defaultReadTimeout   = 10 * time.Minute
	defaultUpdateTimeout = 10 * time.Minute
	defaultDeleteTimeout = 10 * time.Minute
)

// timeoutText describes a timeout.
func timeoutText(what string, fallback time.Duration) string {
	return fmt.Sprintf("How long %s may take, as a duration such as `90s` or `1h30m`. Defaults to `%s`.", what, strings.TrimSuffix(fallback.String(), "0s"))
}

// providerData is what a configured provider hands to everything in it.
type providerData struct {
	client *trustframework.Client
	clock  clock.Clock
	tenant *signedIn
}

// sameTenant refuses a resource that was made or imported in another tenant than the one signed in to:
// there it would seem to be gone, or be another one of the same name. It returns the tenant's GUID.
// Where nothing tells either there is nothing to refuse; a tenant that is known and can't be compared
// is an error.
func (d *providerData) sameTenant(ctx context.Context, id string, made madeState, diags *diag.Diagnostics) string {
	ctx, cancel := d.clock.WithTimeout(ctx, signInTimeout)
	defer cancel()
	tenant, err := d.tenant.id(ctx)
	var unknown *unknownTenant
	switch {
	case errors.As(err, &unknown) && made.TenantID != "":
		diags.AddError("Unable to tell which tenant this is",
			fmt.Sprintf("%q was made or imported in tenant %s, and whether the provider is signed in to that one can't be found out: %s. "+
				"Nothing was changed. Try again, or set tenant_id (%s) to the tenant's GUID.", id, made.TenantID, redact.Plain(err.Error()), envTenantID))
		return ""
	case errors.As(err, &unknown):
		return ""
	case err != nil:
		addError(diags, "Unable to sign in", path.Empty(), err)
		return ""
	}
	if tenant != "" && made.TenantID != "" && !strings.EqualFold(tenant, made.TenantID) {
		diags.AddError("Resource belongs to another tenant",
			fmt.Sprintf("%q was made or imported in tenant %s, but the provider is signed in to tenant %s. Nothing was changed, and the resource stays in state. "+
				"Set tenant_id (%s) and the credentials to those of tenant %s, or use a state of its own for each tenant.",
				id, made.TenantID, tenant, envTenantID, made.TenantID))
	}
	return tenant
}

// readTimeout is how long a read may take where the configuration doesn't say: defaultReadTimeout, and longer with a settle time that a
// read may have to wait out and that is longer than that.
func (d *providerData) readTimeout() time.Duration {
	const margin = 5 * time.Minute
	if young := d.client.YoungAge(); young > defaultReadTimeout {
		return young + margin
	}
	return defaultReadTimeout
}

// courtesyContext bounds a read that only a warning depends on.
func (d *providerData) courtesyContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return d.clock.WithTimeout(ctx, 30*time.Second)
}

// young tells whether something made at a given time may still be invisible.
func (d *providerData) young(madeAt time.Time) bool {
	const skew = 10 * time.Minute // another machine's clock may be ahead; what lies further in the future was never true
	age := d.clock.Now().Sub(madeAt)
	return age < d.client.YoungAge() && age > -skew
}

// dataFrom is how every Configure method takes the provider's data. Without it (Terraform validates
// before it configures) the result is nil.
func dataFrom(data any, diags *diag.Diagnostics) *providerData {
	if data == nil {
		return nil
	}
	d, ok := data.(*providerData)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("Expected *providerData, got %T. This is a bug in the provider; please report it.", data))
	}
	return d
}
