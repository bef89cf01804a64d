// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The SDK's parser fails on a number in a string and makes nothing of an empty body, both of which the
// facts mention, so that answers are read here. encoding/json ignores the case of member names.

type wireKey struct {
	Kid    string      `json:"kid"`
	Kty    string      `json:"kty"`
	Use    string      `json:"use"`
	Nbf    numericDate `json:"nbf"`
	Exp    numericDate `json:"exp"`
	Status string      `json:"status"`
	N      string      `json:"n"`
	E      string      `json:"e"`
	X5C    []string    `json:"x5c"`
	X5T    string      `json:"x5t"`
}

type wireKeySet struct {
	ID string `json:"id"`
	// Keys is nil if the answer has no such member, which says nothing about the set's keys.
	Keys *[]wireKey `json:"keys"`
}

// wireElement is an element of a collection, by its key.
type wireElement interface{ name() string }

func (w wireKey) name() string    { return w.Kid }
func (w wireKeySet) name() string { return w.ID }

// wirePage is a page of a collection.
type wirePage[T wireElement] struct {
	Value    *[]T   `json:"value"`
	NextLink string `json:"@odata.nextLink"`
}

// numericDate is an Int64 that some of the service's examples show as a string; null, a missing member
// and "" are no date.
type numericDate struct{ seconds *int64 }

// UnmarshalJSON implements json.Unmarshaler.
func (d *numericDate) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("%s is not a NumericDate: %w", data, err)
		}
	}
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		d.seconds = nil
		return nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a NumericDate in whole seconds: %w", data, err)
	}
	d.seconds = &seconds
	return nil
}

func (w wireKey) key() Key {
	if len(w.X5C) == 0 {
		w.X5C = nil // generated keys have an empty list
	}
	w.X5C = ownFirst(w.X5C, w.N, w.X5T)
	kty := foldKty(w.Kty)
	if kty != "" && (w.N != "" || len(w.X5C) > 0 || w.X5T != "") {
		kty = KtyRSA // the documented examples of uploaded certificates have "oct"
	}
	return Key{
		Kid:    w.Kid,
		Kty:    kty,
		Use:    strings.ToLower(w.Use),
		Nbf:    w.Nbf.seconds,
		Exp:    w.Exp.seconds,
		Status: strings.ToLower(w.Status),
		N:      w.N,
		E:      w.E,
		X5C:    w.X5C,
		X5T:    w.X5T,
	}
}

// ownFirst brings the key's own certificate to the front of its chain, where it belongs (RFC 7517, section 4.7), should
// the service have another order. Without a thumbprint or a modulus to tell by, the chain stays as it is.
func ownFirst(chain []string, n, x5t string) []string {
	if len(chain) < 2 {
		return chain
	}
	thumbprint, known := Key{X5T: x5t}.thumbprint()
	i := slices.IndexFunc(chain, func(text string) bool {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return false
		}
		if known {
			return thumbprint == sha1.Sum(der) //nolint:gosec // x5t is a SHA-1
		}
		own, _ := publicKeyOf(der)
		return own != "" && own == n
	})
	if i <= 0 {
		return chain
	}
	return slices.Concat(chain[i:i+1], chain[:i], chain[i+1:])
}

// keySet returns the set, and whether the answer says which keys it has: it doesn't if it has no such
// member, or shows less of a key than its type and use.
func (w wireKeySet) keySet() (set KeySet, keysKnown bool) {
	set.ID = w.ID
	if w.Keys == nil {
		return set, false
	}
	keysKnown = true
	for _, k := range *w.Keys {
		set.Keys = append(set.Keys, k.key())
		keysKnown = keysKnown && k.Kid != "" && k.Kty != "" && k.Use != ""
	}
	return set, keysKnown
}

// decodeKey reads the answer to an action. A key without a kid is no answer.
func decodeKey(body []byte) (Key, error) {
	var w wireKey
	if err := json.Unmarshal(body, &w); err != nil {
		return Key{}, fmt.Errorf("read a key: %w", err)
	}
	if w.Kid == "" {
		return Key{}, errors.New("read a key: the answer has no kid")
	}
	return w.key(), nil
}

// decodeKeySet reads the answer about one set. One about another set is no answer.
func decodeKeySet(body []byte, id string) (set KeySet, keysKnown bool, err error) {
	var w wireKeySet
	if err := json.Unmarshal(body, &w); err != nil {
		return KeySet{}, false, fmt.Errorf("read a key set: %w", err)
	}
	if !SameID(w.ID, id) {
		return KeySet{}, false, fmt.Errorf("read a key set: the answer is about %q", w.ID)
	}
	set, keysKnown = w.keySet()
	return set, keysKnown, nil
}

func decodePage[T wireElement](body []byte) (wirePage[T], error) {
	var w wirePage[T]
	if err := json.Unmarshal(body, &w); err != nil {
		return w, fmt.Errorf("read a list: %w", err)
	}
	if w.Value == nil {
		return w, errors.New("read a list: the answer has no value")
	}
	for _, element := range *w.Value {
		if element.name() == "" {
			return w, errors.New("read a list: one of its elements has no id")
		}
	}
	return w, nil
}

// decodeKeyV2 reads one key of keys_v2: bare as the metadata has it, or wrapped as the documented example
// shows it.
func decodeKeyV2(body []byte) (Key, error) {
	var wrapper struct {
		Value *wireKey `json:"value"`
	}
	if json.Unmarshal(body, &wrapper) == nil && wrapper.Value != nil && wrapper.Value.Kid != "" {
		return wrapper.Value.key(), nil
	}
	return decodeKey(body)
}
