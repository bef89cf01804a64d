// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
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

// warnOfRecovery tells what a lost answer may have left.
func (k keyKind) warnOfRecovery(key trustframework.MadeKey, diags *diag.Diagnostics) {
	if key.Kept {
		diags.AddWarning("Certificate was in the key set already",
			fmt.Sprintf("Key %q of key set %q, which a resource of this run has just given up, has the certificate that was to be uploaded. Nothing was sent: it is kept, enabled or disabled as it was unless status is set.",
				key.Kid, key.KeySetID))
	}
	if key.Recovered {
		diags.AddWarning("Key found after a lost answer",
			fmt.Sprintf("The answer to the request that makes the key was lost. Key %q has appeared in key set %q since, fits what was asked for, "+
				"and is taken for the one made. If another process may have made a key that is alike in this set at the same moment, "+
				"check which is whose.", key.Kid, key.KeySetID))
	}
	if len(key.Twins) > 0 {
		k.warnOfLateTwins(key.Kid, key.KeySetID, key.Twins, "a moment ago", false, diags)
	}
}

// warnOfLateTwins names keys that fit a request whose answer was lost: the one before the request that made the key or,
// if the key was found, the only one.
func (k keyKind) warnOfLateTwins(kid, keySetID string, twins []string, when string, found bool, diags *diag.Diagnostics) {
	if found {
		diags.AddWarning("Key may belong to a lost request",
			fmt.Sprintf("When key %q was made, %s, the answer to the request was lost, and the key was found in key set %q and taken for the one made. "+
				"Now the set holds another key that fits that request too. Unless one of your resources owns it, or another process that writes to the set, "+
				"it is what the request made, and key %q is that process's: import it, or leave it unused, for it can't be deleted on its own.\n\n%s",
				kid, when, keySetID, kid, importCommands(k.op, keySetID, twins)))
		return
	}
	diags.AddWarning("Key may have been made twice",
		fmt.Sprintf("When key %q was made, %s, the answer to an earlier request was lost, nothing appeared in key set %q for the settle time, "+
			"and the request was sent again. Now the set holds a key that fits that request too. Unless one of your resources owns it, "+
			"import it, or leave it unused: it can't be deleted on its own. A longer settle_time makes this less likely.\n\n%s",
			kid, when, keySetID, importCommands(k.op, keySetID, twins)))
}
