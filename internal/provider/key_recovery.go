// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// lateKeys are the keys that may come of a request whose answer was lost. The reads of a refresh have no order, so
// that siblings which are alike get a moment to claim their own.
func lateKeys(ctx context.Context, data *providerData, set trustframework.KeySet, in trustframework.KeyInput, d *doubt) []string {
	if in == nil {
		return nil
	}
	const step, patience = 100 * time.Millisecond, 2 * time.Second
	for waited := time.Duration(0); ; waited += step {
		late := data.client.Late(set, in, d.Asked, d.Known)
		if len(late) == 0 || waited >= patience || data.clock.Sleep(ctx, step) != nil {
			return late
		}
	}
}

// report records keys as reported.
func (d *doubt) report(late []string) {
	d.Known = append(d.Known, late...)
	d.Late = append(d.Late, late...)
}

// warnOfLateAtEnd names the keys that fit a lost request for a key whose resource is to be destroyed, also those that were
// reported before: Terraform keeps no warnings of the refresh that a destroy begins with, and nobody can name them later.
func (d *providerData) warnOfLateAtEnd(ctx context.Context, kind keyKind, keySetID, kid string, in trustframework.KeyInput, lost *doubt, at time.Time, made madeState, diags *diag.Diagnostics) {
	ctx, cancel := d.courtesyContext(ctx)
	defer cancel()
	late := lost.Late
	var elsewhere diag.Diagnostics
	d.sameTenant(ctx, keySetID, made, &elsewhere)
	if elsewhere.HasError() {
		return // the destroy is refused
	}
	if set, err := d.client.KeySet(ctx, keySetID, false); err == nil {
		again := *lost
		again.Known = slices.DeleteFunc(slices.Clone(lost.Known), func(kid string) bool { return slices.Contains(lost.Late, kid) })
		late = lateKeys(ctx, d, set, in, &again)
	} else if trustframework.KindOf(err) == trustframework.KindKeySetGone {
		return
	}
	kind.warnOfLateTwins(kid, keySetID, late, "at "+at.UTC().Format(time.RFC3339), lost.Found, diags)
}

// warnOfPendingAtEnd names the keys of a rotation's request that has had no answer yet, or says that there is such a request, before
// nothing remembers it any more.
func (d *providerData) warnOfPendingAtEnd(ctx context.Context, m *keyRotationModel, lost *doubt, made madeState, diags *diag.Diagnostics) {
	ctx, cancel := d.courtesyContext(ctx)
	defer cancel()
	keySetID := m.ID.ValueString()
	var elsewhere diag.Diagnostics
	d.sameTenant(ctx, keySetID, made, &elsewhere)
	if elsewhere.HasError() {
		return // the plan is refused
	}
	asked := lost.Asked.UTC().Format(time.RFC3339)
	set, err := d.client.KeySet(ctx, keySetID, false)
	if trustframework.KindOf(err) == trustframework.KindKeySetGone {
		return
	}
	var late []string
	if err == nil {
		late = lateKeys(ctx, d, set, m.input(lost.Nbf, lost.Exp), lost)
	}
	for _, kid := range late {
		diags.AddWarning(fmt.Sprintf("Key %q may belong to a lost request", keyID(keySetID, kid)),
			fmt.Sprintf("The answer to a request of %s that makes a key for this rotation was lost, and key %q of key set %q fits it. Nothing remembers that once the rotation is "+
				"gone: unless one of your resources owns the key, import it, or leave it unused, for it can't be deleted on its own.\n\n%s",
				asked, kid, keySetID, importCommands(trustframework.OpGenerateKey, keySetID, []string{kid})))
	}
	if len(late) == 0 {
		diags.AddWarning(fmt.Sprintf("A key of a lost request may still appear in key set %q (asked for at %s)", keySetID, asked),
			fmt.Sprintf("The answer to a request of %s that makes a key for this rotation was lost, and nothing that fits it shows in key set %q. Nothing remembers the request once the "+
				"rotation is gone: look in the portal (Identity Experience Framework, Policy keys) later for a key that no resource owns.", asked, keySetID))
	}
}

// warnOfRecovery tells what a lost answer may have left.
func (k keyKind) warnOfRecovery(key trustframework.MadeKey, diags *diag.Diagnostics) {
	if key.Kept {
		diags.AddWarning(fmt.Sprintf("Certificate was in the key set already, as key %q", keyID(key.KeySetID, key.Kid)),
			fmt.Sprintf("Key %q of key set %q, which a resource of this run has just given up, has the certificate that was to be uploaded. Nothing was sent: it is kept, enabled or disabled as it was unless status is set.",
				key.Kid, key.KeySetID))
	}
	if key.Recovered {
		diags.AddWarning(fmt.Sprintf("Key %q found after a lost answer", keyID(key.KeySetID, key.Kid)),
			fmt.Sprintf("The answer to the request that makes the key was lost. Key %q has appeared in key set %q since, fits what was asked for, "+
				"and is taken for the one made. If another process may have made a key that is alike in this set at the same moment, "+
				"check which is whose.", key.Kid, key.KeySetID))
	}
	if len(key.Twins) > 0 {
		k.warnOfLateTwins(key.Kid, key.KeySetID, key.Twins, "a moment ago", false, diags)
	}
}

// warnOfLateTwins names keys that fit a request whose answer was lost: the one before the request that made the key or,
// if the key was found, the only one. Each has a warning of its own: Terraform shows one of those that have the same summary.
func (k keyKind) warnOfLateTwins(kid, keySetID string, twins []string, when string, found bool, diags *diag.Diagnostics) {
	for _, twin := range twins {
		id := keyID(keySetID, twin)
		if found {
			diags.AddWarning(fmt.Sprintf("Key %q may belong to a lost request", id),
				fmt.Sprintf("When key %q was made, %s, the answer to the request was lost, and the key was found in key set %q and taken for the one made. "+
					"Now the set holds another key that fits that request too, %q. Unless one of your resources owns it, or another process that writes to the set, "+
					"it is what the request made, and key %q is that process's: import it, or leave it unused, for it can't be deleted on its own.\n\n%s",
					kid, when, keySetID, twin, kid, importCommands(k.op, keySetID, []string{twin})))
			continue
		}
		diags.AddWarning(fmt.Sprintf("Key %q may have been made twice", id),
			fmt.Sprintf("When key %q was made, %s, the answer to an earlier request was lost, nothing appeared in key set %q for the settle time, "+
				"and the request was sent again. Now the set holds a key that fits that request too, %q. Unless one of your resources owns it, "+
				"import it, or leave it unused: it can't be deleted on its own. A longer settle_time makes this less likely.\n\n%s",
				kid, when, keySetID, twin, importCommands(k.op, keySetID, []string{twin})))
	}
}
