// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// The default timeouts. A create has room for a lost answer.
const (
	defaultCreateTimeout = 20 * time.Minute
	defaultReadTimeout   = 10 * time.Minute
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
}

// young tells whether something made at a given time may still be invisible.
func (d *providerData) young(madeAt time.Time) bool {
	return d.clock.Now().Sub(madeAt) < trustframework.YoungAge
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
