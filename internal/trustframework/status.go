// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

// Only keys_v2 shows and changes a key's status, and wants TrustFrameworkKeySet.ReadWrite.All for both
// (documented), so that nothing here is asked unless a configuration manages a status.

const (
	opReadStatus = "read key status"
	opSetStatus  = "set key status"
)

// Status returns a key's status: from what is known of the set if that tells, or else from keys_v2, which
// is read once for all keys of a set. Young means that the status has been set to want less than YoungAge
// ago: then it is read over the settle time until it shows. The error is an *Error: of KindDenied or
// KindRefused if the service doesn't let the status be read.
func (c *Client) Status(ctx context.Context, keySetID, kid, want string, young bool) (string, error) {
	e, err := c.look(ctx, opReadStatus, keySetID, false, entry.hasKeys)
	if err != nil {
		return "", err
	}
	status, err := c.statusIn(ctx, e, keySetID, kid)
	// A set or key that has just shown elsewhere isn't gone from keys_v2: it may be late there.
	late := func() bool { return err == nil && status != want || KindOf(err) == KindRefused }
	if !young || !late() {
		return status, err
	}
	for wait := range c.waits(ctx) {
		if waitErr := wait(); waitErr != nil {
			return "", asError(opReadStatus, keySetID, waitErr)
		}
		c.snapshot.forgetStatuses(keySetID)
		if e, err = c.readShared(ctx, opReadStatus, keySetID, e); err != nil {
			return "", err
		}
		if status, err = c.statusIn(ctx, e, keySetID, kid); !late() {
			break
		}
	}
	return status, err
}

// AwaitStatus reads keys_v2 over the settle time until it shows a key with a status that was set a moment ago, and returns what it
// shows in the end. The error is an *Error.
func (c *Client) AwaitStatus(ctx context.Context, keySetID, kid, want string) (shown string, err error) {
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			return "", asError(opReadStatus, keySetID, err)
		}
		keys, err := c.fetchStatuses(ctx, CanonicalID(keySetID))
		if err != nil {
			return "", err
		}
		key, _ := KeySet{Keys: keys}.Key(kid)
		if shown = key.Status; shown == want {
			break
		}
	}
	return shown, nil
}

// WithStatuses returns a set with the statuses that its own answer left out, from keys_v2. Without the permission to read
// them they stay empty. The error is an *Error.
func (c *Client) WithStatuses(ctx context.Context, set KeySet) (KeySet, error) {
	if !slices.ContainsFunc(set.Keys, func(k Key) bool { return k.Status == "" }) {
		return set, nil
	}
	keys, err := c.statuses(ctx, set.ID)
	switch KindOf(err) {
	case KindDenied, KindRefused, KindKeyGone, KindKeySetGone: // keys_v2 may be late to show what has just been made
		return set, nil
	case "":
	default:
		return KeySet{}, err
	}
	shown := KeySet{Keys: c.held.withStatuses(set.ID, keys, c.settled())}.ByKid()
	set.Keys = slices.Clone(set.Keys)
	for i, k := range set.Keys {
		if known, ok := shown[k.Kid]; ok && k.Status == "" {
			set.Keys[i].Status = known.Status
		}
	}
	return set, nil
}

// statusIn is a key's status in an entry, or in keys_v2 if the entry doesn't tell.
func (c *Client) statusIn(ctx context.Context, e entry, keySetID, kid string) (string, error) {
	if key, ok := e.set.Key(kid); ok && key.Status != "" {
		return key.Status, nil
	}
	keys, err := c.statuses(ctx, keySetID)
	var refusal *Error
	if errors.As(err, &refusal) && (refusal.Kind == KindKeySetGone || refusal.Kind == KindKeyGone) {
		known := *refusal
		known.Kind = KindRefused
		return "", &known
	}
	if err != nil {
		return "", err
	}
	key, ok := KeySet{Keys: keys}.Key(kid)
	if !ok || key.Status == "" {
		return "", &Error{Op: opReadStatus, KeySetID: keySetID, Kind: KindRefused, Message: fmt.Sprintf("The service doesn't show the status of key %q.", kid)}
	}
	return key.Status, nil
}

// statuses returns the set's keys as keys_v2 shows them, in one read for all who ask at the same time. That
// the service doesn't let them be read is remembered too, and for a moment that it has failed to show them.
func (c *Client) statuses(ctx context.Context, keySetID string) ([]Key, error) {
	if known, ok := c.snapshot.statuses(keySetID); ok {
		return known.keys, known.err()
	}
	err := c.statusReads.do(ctx, foldID(keySetID), func() error {
		if _, ok := c.snapshot.statuses(keySetID); ok {
			return nil // read as this began
		}
		ctx, cancel := c.sharedContext(ctx)
		defer cancel()
		begun := c.snapshot.begin()
		keys, err := c.fetchStatuses(ctx, CanonicalID(keySetID))
		var refusal *Error
		if err != nil && (!errors.As(err, &refusal) || refusal.Kind != KindDenied && refusal.Kind != KindRefused && refusal.Kind != KindUnavailable) {
			return err
		}
		c.snapshot.putStatuses(begun, keySetID, keys, refusal)
		return nil
	})
	if err != nil {
		return nil, asError(opReadStatus, keySetID, err)
	}
	if known, ok := c.snapshot.statuses(keySetID); ok {
		return known.keys, known.err()
	}
	// A write came in between; what it left is read without company.
	return c.fetchStatuses(ctx, CanonicalID(keySetID))
}

// fetchStatuses reads keys_v2. Its listing is only in the metadata, a single key is documented: a service
// that refuses the listing is asked for each key of the set. One that has none of them has no keys_v2, and
// refuses.
func (c *Client) fetchStatuses(ctx context.Context, id string) ([]Key, error) {
	keys, err := c.fetchKeysV2(ctx, id)
	if KindOf(err) != KindRefused {
		return keys, err
	}
	c.logger.WarnContext(ctx, "The service doesn't list keys_v2; each key is read by itself", "error", err.Error())
	e, fetchErr := c.fetch(ctx, opReadStatus, id)
	if fetchErr != nil {
		return nil, fetchErr
	}
	if e.gone != nil {
		return nil, e.gone
	}
	for _, known := range e.set.Keys {
		key, keyErr := c.fetchKeyV2(ctx, id, known.Kid)
		switch {
		case KindOf(keyErr) == KindKeyGone:
			continue // as a listing that lacks it
		case keyErr != nil:
			return nil, keyErr
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 && len(e.set.Keys) > 0 {
		return nil, err
	}
	return keys, nil
}

// fetchKeysV2 reads all pages of a set's keys_v2.
func (c *Client) fetchKeysV2(ctx context.Context, id string) ([]Key, error) {
	builder := c.api.KeySets().ByTrustFrameworkKeySetId(id).Keys_v2()
	items, _, err := fetchPages[wireKey](ctx, c, opReadStatus, id, "/trustFramework/keySets/"+url.PathEscape(id)+"/keys_v2", func(ctx context.Context, next string, options []abs.RequestOption) error {
		page := builder
		if next != "" {
			page = builder.WithUrl(next)
		}
		_, err := page.Get(ctx, &sdk.KeySetsItemKeys_v2RequestBuilderGetRequestConfiguration{Options: options})
		return err
	})
	if err != nil {
		return nil, inKeysV2(err, KindRefused)
	}
	var keys []Key
	for _, w := range items {
		if problem := w.check(c.secrets); problem != nil {
			c.logger.WarnContext(ctx, "A key in keys_v2 can't be read", "error", c.secrets.Error(problem).Error())
			continue // as a listing that lacks it
		}
		w.clean(c.secrets)
		keys = append(keys, w.key())
	}
	return keys, nil
}

// fetchKeyV2 reads one key of keys_v2.
func (c *Client) fetchKeyV2(ctx context.Context, id, kid string) (Key, error) {
	if why := IDProblem(kid); why != "" {
		return Key{}, noAddress(opReadStatus, kid, why)
	}
	a, err := c.send(ctx, opReadStatus, id, func(ctx context.Context, options []abs.RequestOption) error {
		_, err := c.api.KeySets().ByTrustFrameworkKeySetId(id).Keys_v2().ByTrustFrameworkKey_v2Kid(kid).Get(ctx,
			&sdk.KeySetsItemKeys_v2TrustFrameworkKey_v2KItemRequestBuilderGetRequestConfiguration{Options: options})
		return err
	})
	if err != nil {
		return Key{}, err
	}
	if !a.ok() {
		return Key{}, inKeysV2(newError(opReadStatus, id, a), KindKeyGone)
	}
	key, decodeErr := decodeKeyV2(a.body, c.secrets)
	if decodeErr != nil {
		return Key{}, unreadable(opReadStatus, id, a, decodeErr)
	}
	if key.Kid != kid {
		e := unreadable(opReadStatus, id, a, fmt.Errorf("the answer is about key %q", key.Kid))
		e.Kind = KindKeyGone // it says nothing of this one
		return Key{}, e
	}
	return key, nil
}

// inKeysV2 gives the error of a keys_v2 address its kind. There a 404 without the code for a missing key
// set is about the key or the address: nobody has seen which.
func inKeysV2(e *Error, notFound Kind) *Error {
	if e.Kind == KindKeySetGone && errorcode.ClassOf(e.Code) != errorcode.Gone {
		e.Kind = notFound
	}
	return e
}

// SetStatus is ChangeStatus for who must not take the last usable key.
func (c *Client) SetStatus(ctx context.Context, keySetID, kid, status string, young bool) error {
	_, err := c.ChangeStatus(ctx, keySetID, kid, status, young, false)
	return err
}

// ChangeStatus enables or disables a key, unless it is so already, and waits for the service to show a young
// key (made less than YoungAge ago, as the caller knows or by this process). Changed is false if nothing had to be sent. Force means that the key is
// disabled even if it is the only one of its set that can be used. The error is an *Error: without force of
// KindLastUsable if the key is that one and would be disabled, of KindNoneUsable if it has been disabled
// though it was the only one left; of KindKeySetGone or KindKeyGone if the service says so. Every kind but
// KindUnavailable and KindNoneUsable means that nothing was changed, unless the error's Worked is true.
func (c *Client) ChangeStatus(ctx context.Context, keySetID, kid, status string, young, force bool) (changed bool, err error) {
	id := CanonicalID(keySetID)
	unlock, err := c.locks.lock(ctx, id)
	if err != nil {
		return false, asError(opSetStatus, id, err)
	}
	defer unlock()
	young = young || c.held.keyMadeAfter(id, kid, c.youngSince())
	keys, err := c.keysToSet(ctx, id, kid, status, young, force)
	if err != nil {
		return false, err
	}
	key, ok := KeySet{Keys: c.held.withStatuses(id, keys, c.settled())}.Key(kid)
	if ok && key.Status == status && !c.held.inDoubt(id, kid, c.youngSince()) {
		return false, nil
	}
	before, known := c.snapshot.get(id)
	end := c.snapshot.write(id)
	wasUsable := key.usable(c.clock.Now())
	key.Kid, key.Status = kid, status
	// Until the answer is clear it counts as done for whoever would disable another key.
	undo := c.held.statusSet(id, key, keys, c.clock.Now(), true)
	shown, _ := KeySet{Keys: keys}.Key(kid)
	if err := c.patchStatus(ctx, id, kid, status, shown.Status, young); err != nil {
		if !err.ambiguous() && !err.Worked {
			undo()
		}
		end(nil)
		return false, err
	}
	c.held.statusSet(id, key, keys, c.clock.Now(), false)
	if status != StatusEnabled && wasUsable && !force {
		if err := c.undoIfLast(ctx, id, key, keys); err != nil {
			end(nil)
			return false, err
		}
	}
	if !known {
		end(nil)
		return true, nil
	}
	after := before
	after.settled = false
	after.set.Keys = slices.Clone(before.set.Keys)
	for i, k := range after.set.Keys {
		if k.Kid == kid && k.Status != "" {
			after.set.Keys[i].Status = status
		}
	}
	end(&after)
	return true, nil
}

// undoIfLast looks at a set again in which a key has just been disabled. The locks are one process's: another
// one may have disabled the others at the same moment. Then both take it back. Neither an interrupt nor the
// end of a timeout may leave a set without a key, so that it has a time of its own.
func (c *Client) undoIfLast(ctx context.Context, id string, disabled Key, among []Key) error {
	ctx, cancel := c.clock.WithTimeout(context.WithoutCancel(ctx), c.settleTime+recoveryMargin)
	defer cancel()
	shown, _ := KeySet{Keys: among}.Key(disabled.Kid)
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			break
		}
		keys, err := c.keysNow(ctx, id, true)
		if err != nil {
			// What was seen a moment ago has to do.
			c.logger.WarnContext(ctx, "Unable to look whether another key can still be used", "error", err.Error())
			return nil
		}
		if c.surelyUsable(id, keys, disabled.Kid) {
			return nil
		}
		shown, _ = KeySet{Keys: keys}.Key(disabled.Kid)
		if c.held.shown(id, keys, c.settled()) {
			break
		}
	}
	if err := c.patchStatus(ctx, id, disabled.Kid, StatusEnabled, shown.Status, true); err != nil {
		return &Error{Op: opSetStatus, KeySetID: id, Kind: KindNoneUsable, Err: err,
			Message: fmt.Sprintf("Key %q is disabled, as are all others, and could not be enabled again.", disabled.Kid)}
	}
	disabled.Status = StatusEnabled
	c.held.statusSet(id, disabled, among, c.clock.Now(), false)
	return notLast(id, disabled.Kid)
}

func notLast(id, kid string) *Error {
	return &Error{Op: opSetStatus, KeySetID: id, Kind: KindLastUsable, Message: fmt.Sprintf("Key %q is the only one of its key set that can be used now.", kid)}
}

// keysToSet returns the keys of the set, in one of which a status is to be set, and refuses to disable the
// last usable one unless it is forced to. It reads afresh: a snapshot may be older than what another process did.
func (c *Client) keysToSet(ctx context.Context, id, kid, status string, young, force bool) ([]Key, error) {
	var refusal error
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil {
			return nil, asError(opSetStatus, id, err)
		}
		keys, err := c.keysNow(ctx, id, status != StatusEnabled)
		if KindOf(err) == KindKeySetGone && (young || c.justMade(id)) {
			refusal = err
			continue
		}
		if status == StatusEnabled && young && KindOf(err) == KindRefused {
			return nil, nil // keys_v2 may be late to show the key: the PATCH tells
		}
		if err != nil {
			return nil, err
		}
		key, shown := KeySet{Keys: c.held.withStatuses(id, keys, c.settled())}.Key(kid)
		if key.Status == status || status == StatusEnabled || force || shown && !key.usable(c.clock.Now()) || c.surelyUsable(id, keys, kid) {
			return keys, nil
		}
		refusal = notLast(id, kid)
		if c.held.shown(id, keys, c.settled()) {
			break
		}
	}
	return nil, refusal
}

// keysNow reads the keys of a set afresh, with their statuses as the service shows them and with their dates,
// if these matter, wherever they are shown. A key whose dates nobody shows has no status either.
func (c *Client) keysNow(ctx context.Context, id string, dates bool) ([]Key, error) {
	keys, err := c.fetchStatuses(ctx, id)
	if err != nil || !dates {
		return keys, err
	}
	dated, err := c.look(ctx, opSetStatus, id, false, entry.hasKeys)
	if err != nil {
		return nil, err
	}
	all := dated.set.ByKid()
	for i, k := range keys {
		if k.Nbf != nil || k.Exp != nil {
			continue // keys_v2 is documented to have the dates too
		}
		known, ok := all[k.Kid]
		if !ok && !c.held.holds(id, k.Kid) {
			keys[i].Status = ""
		}
		keys[i].Nbf, keys[i].Exp = known.Nbf, known.Exp
	}
	return keys, nil
}

// surelyUsable tells whether any key but the one named can be used. What isn't sure counts against a key:
// that its status doesn't show, that this process has perhaps disabled it less than YoungAge ago.
func (c *Client) surelyUsable(id string, keys []Key, but string) bool {
	now := c.clock.Now()
	return slices.ContainsFunc(keys, func(k Key) bool {
		return k.Kid != but && k.Status == StatusEnabled && k.usable(now) && !c.held.perhapsDisabled(id, k.Kid, c.youngSince())
	})
}

// LastUsable tells whether a key, or one that would be made now if kid is "", is the only one of its set
// that can be used at this moment. Without the permission to read statuses a key counts as enabled. The
// error is an *Error.
func (c *Client) LastUsable(ctx context.Context, keySetID, kid string) (bool, error) {
	set, err := c.KeySet(ctx, keySetID, false)
	if err != nil {
		return false, err
	}
	now := c.clock.Now()
	if mine, ok := set.Key(kid); ok && !mine.usable(now) {
		return false, nil
	}
	silent := func(k Key) bool { return k.Status == "" }
	if lastUsable(set.Keys, kid, now) || !slices.ContainsFunc(set.Keys, silent) {
		return lastUsable(set.Keys, kid, now), nil
	}
	keys, err := c.statuses(ctx, keySetID)
	switch KindOf(err) {
	case KindDenied, KindRefused, KindKeyGone:
		return false, nil
	}
	return err == nil && lastUsable(c.held.withStatuses(keySetID, keys, c.settled()), kid, now), err
}

// lastUsable tells whether no key but the one named can be used. One that isn't among them is as good as
// usable; one that can't be used is no loss.
func lastUsable(keys []Key, kid string, now time.Time) bool {
	for _, k := range keys {
		if (k.Kid == kid) != k.usable(now) {
			return false
		}
	}
	return true
}

// statusPatch is the body that sets a status: "Only Status Property is allowed to update" (documented).
type statusPatch struct {
	Status string `json:"status"`
}

// patchStatus sends the PATCH, which the SDK doesn't have. A second one does no harm, so that the
// transport repeats it. Shown is the status that the service showed before.
func (c *Client) patchStatus(ctx context.Context, id, kid, status, shown string, young bool) *Error {
	if why := IDProblem(kid); why != "" {
		return noAddress(opSetStatus, kid, why)
	}
	body, err := json.Marshal(statusPatch{Status: status})
	if err != nil {
		return &Error{Op: opSetStatus, KeySetID: id, Kind: KindNotSent, Err: err}
	}
	var refusal *Error
	worked := false // an attempt may have been carried out
	for wait := range c.waits(ctx) {
		if err := wait(); err != nil && refusal != nil {
			break
		} else if err != nil {
			return &Error{Op: opSetStatus, KeySetID: id, Kind: KindNotSent, Err: err}
		}
		a, err := c.send(ctx, opSetStatus, id, func(ctx context.Context, options []abs.RequestOption) error {
			request := abs.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(abs.PATCH,
				"{+baseurl}/trustFramework/keySets/{trustFrameworkKeySet%2Did}/keys_v2/{trustFrameworkKey_v2%2Dkid}",
				map[string]string{"trustFrameworkKeySet%2Did": id, "trustFrameworkKey_v2%2Dkid": kid})
			request.Headers.Add("Accept", "application/json")
			request.SetStreamContentAndContentType(body, "application/json")
			request.AddRequestOptions(options)
			return c.adapter.SendNoContent(ctx, request, nil)
		})
		if err != nil {
			err.Worked = worked
			return err
		}
		if a.done() {
			return nil
		}
		if a.ok() {
			return c.patchedAfterAll(ctx, id, kid, status, shown, a)
		}
		refusal = inKeysV2(refusalOf(opSetStatus, id, a), KindKeyGone)
		worked = worked || refusal.Worked
		refusal.Worked = worked
		if refusal.Kind != KindKeyGone && refusal.Kind != KindKeySetGone || !young && !c.justMade(id) {
			break
		}
	}
	return refusal
}

// patchedAfterAll looks whether a key has the status that a PATCH was to set, whose answer is a success of another kind than
// that of a PATCH. If the service showed that status before, being late to show the one before it, it proves nothing.
func (c *Client) patchedAfterAll(ctx context.Context, id, kid, status, before string, a answer) *Error {
	now, err := c.AwaitStatus(ctx, id, kid, status)
	switch {
	case err != nil:
		e := unclear(opSetStatus, id, a, errNotDone)
		e.Unseen = err
		return e
	case now != status:
		return unclear(opSetStatus, id, a, fmt.Errorf("%w, and key %q still shows the status %q", errNotDone, kid, now))
	case before == status:
		return unclear(opSetStatus, id, a, fmt.Errorf("%w, and key %q showed the status %q before it already", errNotDone, kid, now))
	}
	return nil
}
