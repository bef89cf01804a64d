// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// validate compares the dates with each other. It asks nothing of the clock or the service.
func (m *keyModel) validate(diags *diag.Diagnostics) {
	if !known(m.Nbf, m.Exp) || m.Exp.ValueInt64() > m.Nbf.ValueInt64() {
		return
	}
	diags.AddAttributeError(path.Root("exp"), "Invalid date",
		fmt.Sprintf("The key would expire (exp = %d, %s) before or when it becomes valid (nbf = %d, %s). Set exp to a later time than nbf.",
			m.Exp.ValueInt64(), formatDate(m.Exp.ValueInt64()), m.Nbf.ValueInt64(), formatDate(m.Nbf.ValueInt64())))
}

// checkNewKey looks at a key that is about to be made: whether the service can be expected to refuse
// it, and what it would do to the keys beside it. The model is the configuration's: there a date that is
// null is left out, and one that is unknown isn't looked at. What isn't known yet of the key is left out.
func (m *keyModel) checkNewKey(ctx context.Context, data *providerData, kind keyKind, prepared newKey, diags *diag.Diagnostics) {
	now := data.clock.Now()
	if known(m.Exp) && m.Exp.ValueInt64() <= now.Unix() {
		diags.AddAttributeError(path.Root("exp"), "Invalid date",
			fmt.Sprintf("The key would have expired when it is made: exp = %d is %s, and now it is %s. Set exp to a time to come.",
				m.Exp.ValueInt64(), formatDate(m.Exp.ValueInt64()), formatDate(now.Unix())))
	}
	if diags.HasError() || m.KeySetID.IsUnknown() {
		return
	}
	set, err := data.client.KeySet(ctx, m.KeySetID.ValueString(), false)
	switch {
	case trustframework.KindOf(err) == trustframework.KindKeySetGone:
		// It may be made by this very apply; the create has the last word.
		return
	case trustframework.KindOf(err) == trustframework.KindKeysHidden:
		diags.AddWarning(fmt.Sprintf("Unable to check key against its key set %q", m.KeySetID.ValueString()),
			fmt.Sprintf("The service's answer doesn't show the keys of key set %q, so that nobody can tell whether the new one fits them.", m.KeySetID.ValueString()))
		return
	case err != nil:
		addError(diags, "Unable to plan key", path.Root("key_set_id"), err)
		return
	}
	m.checkSameKind(set, kind, diags)
	if prepared.certificate != nil {
		checkNewCertificate(set, prepared.input, data, diags)
	}
	if !diags.HasError() {
		warnOfTwins(set, prepared.input, data, diags)
		m.warnOfTakeover(set, prepared.certificate != nil, data, diags)
	}
}

// checkSameKind holds the key against those in its set: one use and one kty for as long as it lives
// (the service refuses others with AADB2C95042 and AADB2C95032).
func (m *keyModel) checkSameKind(set trustframework.KeySet, kind keyKind, diags *diag.Diagnostics) {
	for _, k := range set.Keys {
		for _, property := range []struct{ name, planned, existing string }{
			{"use", m.Use.ValueString(), k.Use},
			{"kty", m.Kty.ValueString(), k.Kty},
		} {
			if property.planned == "" || property.existing == "" || property.planned == property.existing {
				continue
			}
			// What isn't an argument follows from the kind of resource, or from the certificate.
			argument, advice := path.Root("key_set_id"), "Use another key set."
			if slices.Contains(kind.arguments, property.name) {
				argument = path.Root(property.name)
				advice = fmt.Sprintf("Use another key set, or set %s to %q.", property.name, property.existing)
			}
			diags.AddAttributeError(argument, "Key doesn't fit its key set",
				fmt.Sprintf("Key set %q holds keys with %s = %q, such as %q, and one set can't mix them with %q, even after a key has been replaced: "+
					"keys can't be removed. %s", set.ID, property.name, property.existing, k.Kid, property.planned, advice))
			return
		}
	}
}

// checkNewCertificate refuses to upload a certificate into a set that holds it: at best that makes a second key that
// can't be told from the first, and where the service refuses it (AADB2C90180) a key that is being replaced would be
// forgotten before its successor fails.
func checkNewCertificate(set trustframework.KeySet, in trustframework.KeyInput, data *providerData, diags *diag.Diagnostics) {
	if kids := trustframework.SamePublicKey(set, in); len(kids) > 0 {
		diags.AddAttributeWarning(path.Root("key_set_id"), fmt.Sprintf("Certificate has the public key of another, %q", keyID(set.ID, kids[0])),
			fmt.Sprintf("Key set %q holds a key with the public key of this certificate, %q: either it is this very certificate, or one that was renewed with the same private key. The service may "+
				"refuse it (AADB2C90180 is documented for a key that exists already; whether for a renewed one isn't known). If it does, a key that is "+
				"replaced without create_before_destroy is no longer in state, and has to be imported again.", set.ID, kids[0]))
	}
	if kids := data.client.InTheWay(set, in); len(kids) > 0 {
		diags.AddAttributeError(path.Root("key_set_id"), "Certificate is in the key set already",
			fmt.Sprintf("Key set %q holds a key with this very certificate. If it is this resource's own, there is nothing to upload: take back what "+
				"replaces it (another version, rotate_when_changed, -replace, a taint), or upload another certificate. If no resource owns it, import it:\n\n%s",
				set.ID, importCommands(in.Op(), set.ID, kids)))
	}
}

// warnOfTwins names keys that look like the one planned and were made by nobody this run knows of.
func warnOfTwins(set trustframework.KeySet, in trustframework.KeyInput, data *providerData, diags *diag.Diagnostics) {
	if in == nil {
		return
	}
	for _, twin := range data.client.Unowned(set, in) {
		diags.AddWarning(fmt.Sprintf("Key %q may exist already", keyID(set.ID, twin)),
			fmt.Sprintf("Key set %q already holds a key with the same use, kty, nbf and exp as the one planned. It may belong to another resource, or be a "+
				"predecessor that was kept when its resource made a new key. If it is neither, it may be left over from a run that was ended before it could "+
				"record it, and can be imported instead of making another. Import it only if no resource owns it:\n\n%s",
				set.ID, importCommands(in.Op(), set.ID, []string{twin})))
	}
}

// cacheTime is how long relying parties keep a set's public keys (source: design, "about 24 hours").
const cacheTime = 24 * time.Hour

// warnOfTakeover warns of a key that would be used in place of another before everybody knows it.
func (m *keyModel) warnOfTakeover(set trustframework.KeySet, undated bool, data *providerData, diags *diag.Diagnostics) {
	// Only the public half of a signing key is in anybody's cache.
	if m.Nbf.IsUnknown() || m.Use.ValueString() != trustframework.UseSignature || m.Kty.ValueString() != trustframework.KtyRSA {
		return
	}
	now := data.clock.Now()
	active, ok := set.ActiveKey(now)
	if !ok {
		return
	}
	at, when := now, "as soon as it is made"
	if nbf := m.Nbf.ValueInt64(); nbf > now.Unix() {
		at, when = time.Unix(nbf, 0), "at "+formatDate(nbf)
	}
	const planned = "" // no key of the service's has an empty kid
	set.Keys = append(slices.Clone(set.Keys), trustframework.Key{
		Kid: planned, Use: m.Use.ValueString(), Kty: m.Kty.ValueString(), Nbf: seconds(m.Nbf), Exp: seconds(m.Exp),
	})
	if next, _ := set.ActiveKey(at); next.Kid != planned || at.Sub(now) >= cacheTime {
		return
	}
	advice := "To publish the key first, set nbf to a time at least a day ahead."
	if undated {
		advice = "The service takes no dates for a certificate: make it known to whoever checks signatures before you apply this."
	}
	diags.AddWarning(fmt.Sprintf("Key would be used too soon in key set %q: %s", set.ID, when),
		fmt.Sprintf("Key set %q has an active key, %q, and the new one would take its place %s. Whoever checks signatures may have "+
			"cached the set's public keys for about 24 hours and would refuse the new one's until then. %s", set.ID, active.Kid, when, advice))
}

// known tells whether values are there and can be looked at.
func known(values ...interface {
	IsNull() bool
	IsUnknown() bool
},
) bool {
	for _, v := range values {
		if v.IsNull() || v.IsUnknown() {
			return false
		}
	}
	return true
}
