// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
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
	// Late are those of them that fit the request, and were reported after the key was made.
	Late []string `json:"late,omitempty"`

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

// loadPrivate reads what savePrivate wrote. What isn't there is the zero value: a resource that was never written by this
// provider has none, and nobody can tell that from one that has lost it. What can't be read is an error, for it may name
// the tenant, or a key that nobody owns.
func loadPrivate[S any](ctx context.Context, resource string, private privateReader, state *S, diags *diag.Diagnostics) {
	data, problems := private.GetKey(ctx, privateKey)
	diags.Append(problems...)
	if problems.HasError() || len(data) == 0 {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(state)
	if err == nil && bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		err = errors.New("it is null")
	}
	if err != nil {
		*state = *new(S)
		addUnreadablePrivate(diags, resource, err)
	}
}

// loadMade reads what save wrote. The tenant may come from the identity, too.
func loadMade(ctx context.Context, resource string, private privateReader, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) madeState {
	var s madeState
	loadPrivate(ctx, resource, private, &s, diags)
	s.checkTenant(ctx, resource, identity, diags)
	return s
}

// checkTenant takes the tenant from the identity if the private state has none, and refuses two, and one that can't be
// a tenant.
func (s *madeState) checkTenant(ctx context.Context, resource string, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	stored := storedTenant(ctx, identity)
	switch {
	case diags.HasError():
	case s.TenantID != "" && !auth.IsGUID(s.TenantID):
		addUnreadablePrivate(diags, resource, fmt.Errorf("%q isn't a tenant's GUID", s.TenantID))
	case stored != "" && !auth.IsGUID(stored):
		addDamagedState(diags, resource, fmt.Sprintf("Its identity names the tenant %q, which isn't a GUID.", stored))
	case s.TenantID == "":
		s.TenantID = stored
	case stored != "" && !strings.EqualFold(s.TenantID, stored):
		addDamagedState(diags, resource, fmt.Sprintf("Its identity names tenant %s, but what the provider keeps beside it tenant %s.", stored, s.TenantID))
	}
}

// checkPrivate refuses private state that the framework would drop without a word, or speak of as its own bug. Data is
// what the client keeps for a resource of a type; none is no error, see loadPrivate.
func checkPrivate(resource string, data []byte) diag.Diagnostics {
	if len(data) == 0 {
		return nil
	}
	var values map[string][]byte
	err := json.Unmarshal(data, &values)
	switch {
	case err != nil:
	case values[privateKey] == nil:
		err = fmt.Errorf("it has nothing under the name %q", privateKey)
	case !json.Valid(values[privateKey]):
		err = fmt.Errorf("what it has under the name %q isn't JSON", privateKey)
	default:
		return nil
	}
	var diags diag.Diagnostics
	addUnreadablePrivate(&diags, resource, err)
	return diags
}

// addUnreadablePrivate is the error for private state that can't be read.
func addUnreadablePrivate(diags *diag.Diagnostics, resource string, err error) {
	diags.AddError("Unable to read private state",
		fmt.Sprintf("What the provider keeps beside the resource's attributes in the state (in the state file: \"private\") can't be read: %s. "+
			"It says which tenant the resource is in, and which requests for keys have lost their answers, so that nothing can be done safely without it. "+
			"Nothing was sent, and nothing was changed.\n\n"+
			"The state was edited or damaged, or written by a newer version of the provider: use that version, or restore a backup of the state. If there is none, take the resource out of "+
			"the state and import it again. What was in doubt is then forgotten: look for keys that nobody owns first, as the guide \"After an interrupted run\" says.\n\n%s",
			redact.Plain(err.Error()), againCommands(resource)))
}
