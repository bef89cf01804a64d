// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
)

// MadeKey is a new key.
type MadeKey struct {
	Key
	// KeySetID is the set's id in the service's spelling.
	KeySetID string
	// Recovered is true if the service's answer was lost and the key was found by reading. If that is another process's,
	// the one asked for may still appear.
	Recovered bool
	// Asked is when the first request may have left.
	Asked time.Time
	// Kept is true if nothing was sent: the key has the certificate that was to be uploaded, and a resource of this process
	// has just given it up.
	Kept bool
	// Resent is true if an earlier request was given up for lost. Its key may still appear.
	Resent bool
	// Twins are the kids of keys that may come from an earlier request.
	Twins []string
	// Known are the kids of all keys known to be in the set beside this one.
	Known []string
}

// Learn makes secret what an input would send, so that no answer to any request is told that repeats it. The input may be nil.
func (c *Client) Learn(in KeyInput) {
	if in != nil {
		in.teach(c.secrets)
	}
}

// MakeKey makes a key. The first request leaves before timeout or not at all; finding out what became
// of it isn't cut short by timeout or ctx. The error is an *Error: of KindKeySetGone if there is no such
// set, of KindSeveral or KindUnknownOutcome if a key may have been made that can't be told from others or
// wasn't seen, and for every other kind no key was made. KindExists means that the set holds the certificate
// already, and its Candidates are the keys that do. No error repeats a secret.
func (c *Client) MakeKey(ctx context.Context, timeout time.Duration, in KeyInput) (key MadeKey, err error) {
	err = c.writing(ctx, timeout, in.Op(), in.keySet(), func(window context.Context, id string, before entry) error {
		key, err = c.makeKey(ctx, window, id, before, in)
		return err
	})
	return key, err
}

// MakeKeys makes the keys that decide asks for when it is shown the set, with its statuses as far as they can be read, one
// after the other, while nothing else in this process writes to the set. It may ask for none. The error is that of MakeKey for
// the first key that wasn't made; those before it are returned with it. It is of KindKeysHidden if the answers don't show
// what the set holds, so that nothing can be decided.
func (c *Client) MakeKeys(ctx context.Context, timeout time.Duration, op, keySetID string, decide func(KeySet) []KeyInput) (made []MadeKey, err error) {
	err = c.writing(ctx, timeout, op, keySetID, func(window context.Context, id string, before entry) error {
		if before.hidden != nil {
			return c.keysHidden(op, before)
		}
		set, err := c.WithStatuses(window, before.set)
		if KindOf(err) == KindUnavailable {
			c.logger.WarnContext(ctx, "The service doesn't show the statuses of keys; going on without them", "error", err.Error())
			set, err = before.set, nil
		}
		if err != nil {
			return err
		}
		for i, in := range decide(set) {
			if i > 0 {
				if before, err = c.look(window, op, id, c.justMade(id), entry.hasKeys); err != nil {
					return err
				}
			}
			key, err := c.makeKey(ctx, window, id, before, in)
			if err != nil {
				return err
			}
			made = append(made, key)
		}
		return nil
	})
	return made, err
}

// writing runs something that makes keys in a set, under the set's lock, with what is known of the set. Its window is
// the time in which a first request may leave.
func (c *Client) writing(ctx context.Context, timeout time.Duration, op, keySetID string, do func(window context.Context, id string, before entry) error) error {
	id := CanonicalID(keySetID)
	window, cancel := c.sendWindow(ctx, timeout)
	defer cancel()
	unlock, err := c.locks.lock(window, id)
	if err != nil {
		return asError(op, id, err)
	}
	defer unlock()
	before, err := c.look(window, op, id, c.justMade(id), entry.hasKeys)
	if err != nil {
		return err
	}
	return do(window, id, before)
}

// makeKey makes a key in a set that looks like before, whose lock is held.
func (c *Client) makeKey(ctx, window context.Context, id string, before entry, in KeyInput) (MadeKey, error) {
	op := in.Op()
	started := c.clock.Now()
	in.teach(c.secrets)
	if k, ok := c.kept(before.set, in); ok {
		return MadeKey{Key: k, KeySetID: before.set.ID, Asked: started, Kept: true}, nil
	}
	end := c.snapshot.write(id)
	claimed := "" // the kid of an answer that contradicts what was asked for
	m, err := makeOnce(ctx, window, c, recipe[Key]{
		name: func(k Key) string { return k.Kid },
		post: func(ctx context.Context) (Key, *Error) { return c.postKey(ctx, op, id, before.set, in, &claimed) },
		find: func(ctx context.Context) ([]Key, error) {
			e, err := c.fetch(ctx, op, id)
			if err != nil {
				return nil, err
			}
			if e.gone != nil {
				return nil, e.gone // what doesn't show the set can't show that no key was made
			}
			if before.hidden != nil || e.hidden != nil {
				return nil, errors.New("the service's answers don't show the keys of the key set")
			}
			return c.candidates(before.set, e.set, in, started, claimed), nil
		},
	})
	if err != nil {
		end(nil)
		var e *Error
		if errors.As(err, &e) && e.Kind == KindExists {
			e.Candidates = append(Alike(before.set, in), SamePublicKey(before.set, in)...)
		}
		return MadeKey{}, err
	}
	c.held.keyMade(id, m.value, c.clock.Now())
	key := MadeKey{Key: m.value, KeySetID: before.set.ID, Asked: started, Recovered: m.recovered, Resent: m.resent}
	for _, twin := range m.twins {
		key.Twins = append(key.Twins, twin.Kid)
	}
	for _, k := range before.set.Keys {
		key.Known = append(key.Known, k.Kid)
	}
	if m.recovered || m.resent {
		end(nil) // others may have written meanwhile; the next reader looks
		return key, nil
	}
	// What else is known of the set is as old, and as sure, as it was before.
	after := before
	after.settled = false
	after.set.Keys = append(slices.Clone(before.set.Keys), m.value)
	end(&after)
	return key, nil
}

// postKey sends the POST that makes a key in a set that looks like before. An answer that names a key which was there before, or
// which something here owns or owned, is about another request: a proxy may have kept it. One that contradicts what was asked for may be,
// and its kid is claimed.
func (c *Client) postKey(ctx context.Context, op, id string, before KeySet, in KeyInput, claimed *string) (Key, *Error) {
	a, err := c.post(ctx, op, id, KindKeySetGone, c.held.madeAt, func(ctx context.Context, options []abs.RequestOption) error {
		return in.post(ctx, c.api.KeySets().ByTrustFrameworkKeySetId(id), options)
	})
	if err != nil {
		return Key{}, err
	}
	key, decodeErr := decodeKey(a.body, c.secrets)
	_, old := before.Key(key.Kid)
	switch {
	case decodeErr != nil:
	// Of certificates nobody knows whether the same one has the same kid in another set.
	case old, c.held.holds(id, key.Kid), in.certificate() == nil && (c.held.met(key.Kid) || c.snapshot.shows(key.Kid)):
		decodeErr = fmt.Errorf("the answer names key %q, which was there before", key.Kid)
	case in.contradicts(key):
		*claimed = key.Kid
		decodeErr = fmt.Errorf("the answer names key %q, which has other dates than those asked for", key.Kid)
	}
	if decodeErr != nil {
		e := unreadable(op, id, a, decodeErr)
		e.NotGraphs = a.isPage()
		return Key{}, e
	}
	return in.complete(key), nil
}

// candidates are the keys in now that may be the one asked for: new since before, owned by nobody in
// this process, and alike.
func (c *Client) candidates(before, now KeySet, in KeyInput, asked time.Time, claimed string) []Key {
	var found []Key
	all := before.ByKid()
	for _, k := range now.Keys {
		if _, old := all[k.Kid]; !old && !c.held.holds(now.ID, k.Kid) && (k.Kid == claimed || in.fits(k, asked, c.clock.Now())) {
			found = append(found, k)
		}
	}
	return found
}

// Alike lists the kids of keys in set that are like the one that in would make, as far as keys can be told from their
// neighbors.
func Alike(set KeySet, in KeyInput) []string {
	var kids []string
	for _, k := range set.Keys {
		if in.alike(k) {
			kids = append(kids, k.Kid)
		}
	}
	return kids
}

// kept is a key of a certificate that is to be uploaded, which a resource has just given up: it can't be uploaded again,
// and needn't.
func (c *Client) kept(set KeySet, in KeyInput) (Key, bool) {
	if in.certificate() == nil {
		return Key{}, false
	}
	for _, kid := range Alike(set, in) {
		if c.held.takeOver(in.Op(), set.ID, kid) {
			return set.Key(kid)
		}
	}
	return Key{}, false
}

// InTheWay lists the kids of keys in set that have the certificate of in. The one that MakeKey would keep isn't among them.
func (c *Client) InTheWay(set KeySet, in KeyInput) []string {
	if in.certificate() == nil {
		return nil
	}
	return slices.DeleteFunc(Alike(set, in), func(kid string) bool { return c.held.isGivenUp(in.Op(), set.ID, kid) })
}

// SamePublicKey lists the kids of keys in set that have the public key of in's certificate, and another certificate: such
// as that which was renewed.
func SamePublicKey(set KeySet, in KeyInput) []string {
	n, _ := publicKeyOf(in.certificate())
	if n == "" {
		return nil
	}
	var kids []string
	for _, k := range set.Keys {
		if k.N == n && !in.alike(k) {
			kids = append(kids, k.Kid)
		}
	}
	return kids
}

// Unowned is Alike without the keys that something in this process has made or read.
func (c *Client) Unowned(set KeySet, in KeyInput) []string {
	return slices.DeleteFunc(Alike(set, in), func(kid string) bool { return c.held.holds(set.ID, kid) })
}

// Late lists the kids of keys in set that may come from a request of in that was sent at a given time or later, worked
// on whenever, and given up for lost: alike, not among the known ones, and read or made by nothing in this process.
func (c *Client) Late(set KeySet, in KeyInput, asked time.Time, known []string) []string {
	var kids []string
	old := make(map[string]bool, len(known))
	for _, kid := range known {
		old[kid] = true
	}
	for _, k := range set.Keys {
		if !old[k.Kid] && !c.held.holds(set.ID, k.Kid) && in.fits(k, asked, c.clock.Now()) {
			kids = append(kids, k.Kid)
		}
	}
	return kids
}
