// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// privateKey names what the provider keeps beside a resource's state.
const privateKey = "made"

// madeState is what is remembered of a resource beside its state.
type madeState struct {
	// TenantID is the GUID of the tenant it was made or first read in; "" if the token didn't tell.
	TenantID string `json:"tenant_id,omitempty"`
	// At is when the object was made; zero for an imported one, which counts as old.
	At time.Time `json:"at,omitzero"`
	// StatusManaged is true if the configuration says which status the key has: only then is it read.
	StatusManaged bool `json:"status_managed,omitempty"`
	// StatusAt is when the status was last set; zero if it never was.
	StatusAt time.Time `json:"status_at,omitzero"`
	// Doubt is set if the answer to a request for the key was lost.
	Doubt *doubt `json:"doubt,omitempty"`
}

// doubt is how to recognize the key of a request whose answer was lost, should it appear later.
type doubt struct {
	// Nbf and Exp are the dates asked for, which the service may have filled in; nil for none.
	Nbf *int64 `json:"nbf,omitempty"`
	Exp *int64 `json:"exp,omitempty"`
	// Found is true if nothing was sent again: the key was found, and taken for what the request made.
	Found bool `json:"found,omitempty"`
	// Asked is when the first request may have left.
	Asked time.Time `json:"asked,omitzero"`
	// Known are the kids that were in the set when the key was made, and those already reported.
	Known []string `json:"known"`

	// What follows is a rotation's, which has many keys.

	// Pending is true if no key was found yet.
	Pending bool `json:"pending,omitempty"`
	// Forced is true if the request was for the key that a change of rotate_when_changed asks for, and Changed is that; nil for null.
	Forced  bool               `json:"forced,omitempty"`
	Changed map[string]*string `json:"changed,omitempty"`
	// Kid is the key that was made or found, and At when that was.
	Kid string    `json:"kid,omitempty"`
	At  time.Time `json:"at,omitzero"`
}

// privateReader and privateWriter are the framework's private state, whose type has no public name.
type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func (s madeState) save(ctx context.Context, private privateWriter) diag.Diagnostics {
	return savePrivate(ctx, private, s)
}

func savePrivate(ctx context.Context, private privateWriter, state any) diag.Diagnostics {
	data, err := json.Marshal(state)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write private state", err.Error()+"\n\nThis is a bug in the provider; please report it.")}
	}
	return private.SetKey(ctx, privateKey, data)
}

// loadPrivate reads what savePrivate wrote. What isn't there or can't be read is the zero value: it only makes the
// provider less patient and less wary.
func loadPrivate[S any](ctx context.Context, private privateReader, state *S) {
	data, diags := private.GetKey(ctx, privateKey)
	if diags.HasError() || json.Unmarshal(data, state) != nil {
		*state = *new(S)
	}
}

// loadMade reads what save wrote. The tenant may come from the identity, too.
func loadMade(ctx context.Context, private privateReader, identity *tfsdk.ResourceIdentity) madeState {
	var s madeState
	loadPrivate(ctx, private, &s)
	if s.TenantID == "" {
		s.TenantID = storedTenant(ctx, identity)
	}
	return s
}
