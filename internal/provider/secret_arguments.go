// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// secretArgument is an argument that is in no state or plan.
func secretArgument(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:  true,
		WriteOnly: true,
		Sensitive: true,
		MarkdownDescription: description + " Write-only: it is in no state or plan, may come from an ephemeral variable or resource, and a change of it alone is no change. " +
			"Needs Terraform 1.11, or OpenTofu 1.11, or newer.",
		Validators: []validator.String{isSecret()},
	}
}

// versionArgument is what tells that a write-only argument has changed.
func versionArgument(what string) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional: true,
		MarkdownDescription: fmt.Sprintf("Any number that stands for the %s; when it changes or is taken away, the %s is uploaded as a new key. "+
			"The first version given to a key that has none, such as an imported one, doesn't count as a change.", what, what),
		PlanModifiers: []planmodifier.Int64{replaceNumberFromValue()},
	}
}

// keepsOldKey is what a description says of keys that can't be replaced.
const keepsOldKey = "With `create_before_destroy` the old key stays in state if the new one can't be made: if the service refuses it, or if what an ephemeral value has at " +
	"apply can't be used. Without it, it is forgotten first and has to be imported again."

// versioned is a model with a version of its secret.
type versioned interface {
	version() (name string, value types.Int64)
}

// warnOfFirstVersion tells that nothing is uploaded for the first version of a key that was made here without one.
func warnOfFirstVersion(id string, plan, state any, made madeState, diags *diag.Diagnostics) {
	after, ok := plan.(versioned)
	before, was := state.(versioned)
	if !ok || !was || made.At.IsZero() { // an imported key gets its first version so
		return
	}
	name, now := after.version()
	if _, old := before.version(); old.IsNull() && !now.IsNull() {
		diags.AddAttributeWarning(path.Root(name), fmt.Sprintf("Nothing is uploaded for the first version of key %q", id),
			"The key was made without a version, so that the first one given doesn't count as a change, and what the key holds stays as it is. "+
				"If that is no longer what you have, apply this, and then the next version.")
	}
}

// missingSecret tells whether there is no value to make a key from.
func missingSecret(diags *diag.Diagnostics, name string, value types.String) bool {
	if value.IsNull() {
		diags.AddAttributeError(path.Root(name), "Secret is missing",
			fmt.Sprintf("A new key can't be made without %s, which is in no state. Set it; it may come from an ephemeral variable or resource.", name))
	}
	return value.IsNull()
}

// isSecret refuses what can't be a secret. It never repeats the value.
func isSecret() validator.String { return secretValidator{} }

type secretValidator struct{}

// Description implements validator.Describer.
func (secretValidator) Description(context.Context) string { return "must not be empty" }

// MarkdownDescription implements validator.Describer.
func (v secretValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements validator.String.
func (secretValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !known(req.ConfigValue) || strings.TrimSpace(req.ConfigValue.ValueString()) != "" {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, "Invalid secret",
		fmt.Sprintf("%s is empty or only white space. If it comes from a variable or another resource, check that it has a value there.", req.Path))
}
