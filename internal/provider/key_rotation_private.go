// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// opRotateKeys is what a rotation does, as errors have it.
const opRotateKeys = "rotate keys"

const (
	// answerAge is how long a key that was found answers the change of rotate_when_changed that it was asked for by. A key too many
	// does less harm than one too few, so that it is a day: the run that found the key, and one that is approved later.
	answerAge = 24 * time.Hour
	// doubtAge is how long a request for a key without dates is remembered. Later whatever fits it is somebody else's.
	doubtAge = 30 * 24 * time.Hour
)

// rotationState is what is remembered of a rotation beside its state. At is when its last key was made.
type rotationState struct {
	madeState
	// Doubts are the requests whose answers were lost.
	Doubts []doubt `json:"doubts,omitempty"`
	// Undated are the kids of the keys that were asked for without dates, whatever the service has filled in.
	Undated []string `json:"undated,omitempty"`
	// Fresh are the keys, by kid, that were made a moment ago and that nobody has seen enabled.
	Fresh map[string]freshKey `json:"fresh,omitempty"`
}

// freshKey is a key that the service may have made disabled. That lasts for the client's YoungAge: whatever is disabled later was disabled by
// somebody who has a reason.
type freshKey struct {
	// At is when it was made, or asked for.
	At time.Time `json:"at"`
	// Enabled is true if the service has answered that it is enabled, which it may be late to show.
	Enabled bool `json:"enabled,omitempty"`
}

func (s rotationState) save(ctx context.Context, private privateWriter) diag.Diagnostics {
	return savePrivate(ctx, private, s)
}

// loadRotation checks what the state has of a rotation, and returns what is remembered of it.
func loadRotation(ctx context.Context, state *keyRotationModel, private privateReader, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) rotationState {
	var s rotationState
	resource := resourceTypes()[opRotateKeys]
	state.checkState(ctx, identity, diags)
	loadPrivate(ctx, resource, private, &s, diags)
	s.checkTenant(ctx, resource, identity, diags)
	return s
}

// asAsked returns keys as they were asked for: with those dates, and enabled.
func (s *rotationState) asAsked(own []trustframework.Key) []trustframework.Key {
	own = slices.Clone(own)
	undated := kidSet(s.Undated)
	for i, k := range own {
		if undated[k.Kid] {
			own[i].Nbf, own[i].Exp = nil, nil
		}
		if fresh, ok := s.Fresh[k.Kid]; ok && !fresh.Enabled {
			own[i].Status = trustframework.StatusEnabled
		}
	}
	return own
}

// freshen remembers a key that was made, or asked for, at a given time.
func (s *rotationState) freshen(kid string, at time.Time) {
	if s.Fresh == nil {
		s.Fresh = map[string]freshKey{}
	}
	s.Fresh[kid] = freshKey{At: at}
}

// seen forgets that keys are fresh which are seen to be enabled, or are so no longer.
func (s *rotationState) seen(own []trustframework.Key, data *providerData) {
	byKid := trustframework.KeySet{Keys: own}.ByKid()
	maps.DeleteFunc(s.Fresh, func(kid string, fresh freshKey) bool {
		key, ok := byKid[kid]
		return !ok || key.Status == trustframework.StatusEnabled || !data.young(fresh.At)
	})
}

// toEnable are the kids of the keys that the service has made disabled.
func (s *rotationState) toEnable(own []trustframework.Key) []string {
	var kids []string
	for _, k := range own {
		if fresh, ok := s.Fresh[k.Kid]; ok && !fresh.Enabled && k.Status == trustframework.StatusDisabled {
			kids = append(kids, k.Kid)
		}
	}
	return kids
}

// forced tells whether a plan asks for a key before its time: by a change that no key was made for.
func (s *rotationState) forced(plan, state *keyRotationModel, now time.Time) bool {
	return plan.forcedFrom(state) && !slices.ContainsFunc(s.Doubts, func(d doubt) bool {
		return d.Forced && !d.Pending && !s.At.After(d.At) && now.Sub(d.At) < answerAge && plan.RotateWhenChanged.Equal(mapOf(d.Changed))
	})
}

// takeOver returns the keys of requests whose outcome wasn't known when they were given up, and which show now: without
// them the rotation would make a key twice.
func (s *rotationState) takeOver(ctx context.Context, data *providerData, set trustframework.KeySet, m *keyRotationModel, diags *diag.Diagnostics) []trustframework.Key {
	var found []trustframework.Key
	for i := range s.Doubts {
		d := &s.Doubts[i]
		if !d.Pending {
			continue
		}
		kids := lateKeys(ctx, data, set, m.input(d.Nbf, d.Exp), d)
		if len(kids) == 0 {
			continue
		}
		disabled, byKid := true, set.ByKid()
		for _, kid := range kids {
			key := byKid[kid]
			found = append(found, key)
			disabled = disabled && key.Status == trustframework.StatusDisabled
		}
		d.Forced = d.Forced && !disabled // what can't be used answers nothing
		data.client.Hold(set.ID, kids...)
		if d.Nbf == nil && d.Exp == nil {
			s.Undated = append(s.Undated, kids...)
		}
		for _, kid := range kids {
			s.freshen(kid, d.Asked)
		}
		d.Pending, d.Found, d.Kid, d.At, d.Known = false, true, kids[0], data.clock.Now(), append(d.Known, kids...)
		for _, kid := range kids {
			diags.AddWarning(fmt.Sprintf("Key %q found after a lost answer", keyID(set.ID, kid)),
				fmt.Sprintf("The answer to a request of %s that makes a key was lost. %s has appeared in key set %q since, fits what was asked for, and belongs to this "+
					"rotation now. If another process may have made a key that is alike in this set at the same moment, check which is whose.",
					d.Asked.UTC().Format(time.RFC3339), quoted("Key", kids), set.ID))
		}
	}
	return found
}

// madeUndated ends the doubts about keys without dates: one has been made since, and what appears now is one too many.
func (s *rotationState) madeUndated(kid string, now time.Time) {
	for i, d := range s.Doubts {
		if d.Pending && d.Nbf == nil && d.Exp == nil {
			s.Doubts[i].Pending, s.Doubts[i].Kid, s.Doubts[i].At, s.Doubts[i].Known = false, kid, now, append(d.Known, kid)
		}
	}
}

// warnOfLateKeys names keys that fit requests whose answers were lost, besides those that were taken for theirs. It
// forgets requests whose keys have expired, or would be of a great age.
func (s *rotationState) warnOfLateKeys(ctx context.Context, data *providerData, set trustframework.KeySet, m *keyRotationModel, own []trustframework.Key, diags *diag.Diagnostics) {
	now := data.clock.Now()
	s.Doubts = slices.DeleteFunc(s.Doubts, func(d doubt) bool {
		return d.Exp != nil && *d.Exp <= now.Unix() || d.Exp == nil && now.Sub(d.Asked) > doubtAge
	})
	mine := kidSet(kidsOf(own))
	for i := range s.Doubts {
		d := &s.Doubts[i]
		if d.Pending {
			continue
		}
		late := lateKeys(ctx, data, set, m.input(d.Nbf, d.Exp), d)
		late = slices.DeleteFunc(late, func(kid string) bool { return mine[kid] })
		if len(late) == 0 {
			continue
		}
		keyKind{op: trustframework.OpGenerateKey}.warnOfLateTwins(d.Kid, set.ID, late, "at "+d.At.UTC().Format(time.RFC3339), d.Found, diags)
		d.report(late)
	}
}

// asRotation makes an error of a request one of the rotation that sent it, which has advice of its own.
func asRotation(err error) error {
	var e *trustframework.Error
	if !errors.As(err, &e) {
		return err
	}
	rotation := *e
	rotation.Op = opRotateKeys
	return &rotation
}

func warnOfVanishedKey(keySetID, kid string, diags *diag.Diagnostics) {
	diags.AddWarning(fmt.Sprintf("Key %q has vanished from its key set", keyID(keySetID, kid)),
		fmt.Sprintf("Key %q is no longer in key set %q, though the set exists. The service can't delete single keys: the set has probably been "+
			"deleted and created again, or its content replaced. The rotation goes on without it.", kid, keySetID))
}

// quoted is a noun with its names.
func quoted(noun string, names []string) string {
	if len(names) > 1 {
		noun += "s"
	}
	return fmt.Sprintf("%s %q", noun, strings.Join(names, ", "))
}

// textsOf are the values of a map of strings; nil if it is null.
func textsOf(m types.Map) map[string]*string {
	if m.IsNull() || m.IsUnknown() {
		return nil
	}
	texts := map[string]*string{}
	for name, value := range m.Elements() {
		if text, ok := value.(types.String); ok {
			texts[name] = text.ValueStringPointer()
		}
	}
	return texts
}

func mapOf(texts map[string]*string) types.Map {
	if texts == nil {
		return types.MapNull(types.StringType)
	}
	values := map[string]attr.Value{}
	for name, text := range texts {
		values[name] = types.StringPointerValue(text)
	}
	return types.MapValueMust(types.StringType, values)
}
