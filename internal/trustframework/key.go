// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"slices"
	"strings"
	"time"
)

// The values of a key's use and kty (documented; the service returns other spellings of kty too, which
// are folded to these).
const (
	UseSignature  = "sig"
	UseEncryption = "enc"
	KtyRSA        = "RSA"
	KtyOct        = "oct"

	StatusEnabled  = "enabled"
	StatusDisabled = "disabled"
)

// Uses lists the legal values of use.
func Uses() []string { return []string{UseSignature, UseEncryption} }

// KeyTypes lists the legal values of kty.
func KeyTypes() []string { return []string{KtyRSA, KtyOct} }

// Statuses lists the legal values of a key's status.
func Statuses() []string { return []string{StatusEnabled, StatusDisabled} }

// KeySet is a key set and the keys in it.
type KeySet struct {
	// ID is the id in the service's spelling, such as "B2C_1A_TokenSigningKeyContainer".
	ID string
	// Keys are the set's keys in the service's order, oldest first.
	Keys []Key
}

// Key is the public part of a key. Private material is never readable.
type Key struct {
	// Kid is the key's id, given by the service.
	Kid string
	// Kty is KtyRSA or KtyOct.
	Kty string
	// Use is UseSignature or UseEncryption.
	Use string
	// Nbf and Exp are NumericDates (seconds since 1970, RFC 7519); nil if the key has none.
	Nbf, Exp *int64
	// Status is StatusEnabled or StatusDisabled; "" if the service didn't say.
	Status string
	// N and E are an RSA key's modulus and exponent, base64url without padding; "" for others.
	N, E string
	// X5C is a certificate's chain, each in DER and standard base64, the key's own first; nil for others.
	X5C []string
	// X5T is the certificate's SHA-1 thumbprint as the service gives it (documented: base64url); "" if it
	// gives none.
	X5T string
}

// Key returns the key with the given kid.
func (s KeySet) Key(kid string) (Key, bool) {
	if i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.Kid == kid }); i >= 0 {
		return s.Keys[i], true
	}
	return Key{}, false
}

// ByKid returns the set's keys by their kids. Whoever looks for many keys asks it once, for Key looks through the whole set.
func (s KeySet) ByKid() map[string]Key {
	keys := make(map[string]Key, len(s.Keys))
	for _, k := range s.Keys {
		if _, ok := keys[k.Kid]; !ok {
			keys[k.Kid] = k
		}
	}
	return keys
}

// holds tells whether all keys are in the set, with their statuses as far as both tell.
func (s KeySet) holds(keys []Key) bool {
	if len(keys) == 0 {
		return true
	}
	all := s.ByKid()
	return !slices.ContainsFunc(keys, func(k Key) bool {
		mine, ok := all[k.Kid]
		return !ok || mine.Status != "" && k.Status != "" && mine.Status != k.Status
	})
}

// hasAll reports whether the set has keys with all these kids.
func (s KeySet) hasAll(kids []string) bool {
	all := s.ByKid()
	return !slices.ContainsFunc(kids, func(kid string) bool { _, ok := all[kid]; return !ok })
}

// ActiveKey returns the key that the service uses at a given time: the one with the newest nbf that
// has passed, neither expired nor disabled; keys without nbf come last, and of equals the latest made
// is taken (source: "Policy keys overview"; the tie is inferred).
func (s KeySet) ActiveKey(now time.Time) (Key, bool) {
	active, found := Key{}, false
	for _, k := range s.Keys {
		if k.usable(now) && (!found || !activation(k).Before(activation(active))) {
			active, found = k, true
		}
	}
	return active, found
}

func (k Key) usable(now time.Time) bool {
	return k.Status != StatusDisabled &&
		(k.Nbf == nil || *k.Nbf <= now.Unix()) &&
		(k.Exp == nil || *k.Exp > now.Unix())
}

func activation(k Key) time.Time {
	if k.Nbf == nil {
		return time.Time{}
	}
	return time.Unix(*k.Nbf, 0)
}

// foldKty maps every spelling of a key type to the one of this package; unknown ones stay.
func foldKty(kty string) string {
	for _, known := range KeyTypes() {
		if strings.EqualFold(kty, known) {
			return known
		}
	}
	return kty
}
