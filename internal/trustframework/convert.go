// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"bytes"
	"cmp"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
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
	// problem is why nothing but the kid of an element of a list could be read; nil if all could.
	problem error
}

type wireKeySet struct {
	ID string `json:"id"`
	// Keys is nil if the answer has no such member, which says nothing about the set's keys.
	Keys *elements[wireKey] `json:"keys"`
	// problem is why nothing but the id of an element of a list could be read; nil if all could.
	problem error
}

// wireElement is an element of a list.
type wireElement[T any] interface {
	// name is the element's id.
	name() string
	// withName is what is left of an element of which only the id can be read.
	withName(name string, problem error) T
}

func (w wireKey) name() string    { return w.Kid }
func (w wireKeySet) name() string { return w.ID }

func (wireKey) withName(kid string, problem error) wireKey {
	return wireKey{Kid: kid, problem: problem}
}

func (wireKeySet) withName(id string, problem error) wireKeySet {
	return wireKeySet{ID: id, problem: problem}
}

// elements is a list in an answer. An element that can't be read doesn't spoil the others.
type elements[T wireElement[T]] []T

// UnmarshalJSON implements json.Unmarshaler.
func (list *elements[T]) UnmarshalJSON(data []byte) error {
	*list = elements[T]{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return errors.Join(err, errors.New("a list is none"))
	}
	for problems := 0; decoder.More(); {
		var element T
		if err := decoder.Decode(&element); err != nil {
			// What else it has is read all the same (encoding/json).
			element = element.withName(element.name(), errors.New("a member has the wrong type"))
			problems++
		}
		*list = append(*list, element)
		if len(*list) > mostElements || problems > mostProblems {
			return errors.New("a list has too many elements, or too many that can't be read")
		}
	}
	return nil
}

const (
	// mostElements is how many elements a list may have: some bytes of an answer become hundreds here.
	mostElements = 100_000
	// mostProblems is how many of them may be unreadable.
	mostProblems = 1_000
)

// wirePage is a page of a collection.
type wirePage[T wireElement[T]] struct {
	Value    *elements[T] `json:"value"`
	NextLink string       `json:"@odata.nextLink"`
}

// numericDate is an Int64 that some of the service's examples show as a string; null, a missing member
// and "" are no date.
type numericDate struct{ seconds *int64 }

// noFraction is the end of a number in decimals that is whole all the same, such as 1893456000.0.
var noFraction = regexp.MustCompile(`\.0+$`)

// UnmarshalJSON implements json.Unmarshaler.
func (d *numericDate) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("a date is not a NumericDate: %w", err)
		}
	}
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		d.seconds = nil
		return nil
	}
	seconds, err := strconv.ParseInt(noFraction.ReplaceAllString(text, ""), 10, 64)
	if err != nil {
		return errors.New("a date is not a NumericDate in whole seconds")
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

// What a key's members look like (RFC 7517; the fact sheet has no key that differs).
var (
	wordForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{0,32}$`)
	plainForm = regexp.MustCompile(`^[!-~]*$`)
)

// check returns why a key of an answer can't be one: its kid, kty or use has another form, or its kid repeats a secret.
func (w wireKey) check(secrets *redact.Secrets) error {
	if w.problem != nil {
		return w.problem
	}
	if err := checkID("kid", w.Kid); err != nil {
		return err
	}
	if secrets.Spoils(w.Kid) {
		return errors.New("the answer has a key whose kid repeats a secret")
	}
	if !wordForm.MatchString(w.Kty) || !wordForm.MatchString(w.Use) {
		return errors.New("the answer has a key whose kty or use can't be one")
	}
	return nil
}

// clean empties the members that a key is whole without and that have another form than theirs, or repeat a secret: nobody is to
// see them, and no state to keep them.
func (w *wireKey) clean(secrets *redact.Secrets) {
	for _, member := range []struct {
		value *string
		form  *regexp.Regexp
		free  bool // whatever the secrets are, this is none
	}{
		{&w.Status, wordForm, slices.Contains(Statuses(), strings.ToLower(w.Status))},
		{&w.N, plainForm, true}, // an uploaded JSON Web Key has its public half in it
		{&w.E, plainForm, true},
		{&w.X5T, plainForm, false},
	} {
		if !member.form.MatchString(*member.value) || !member.free && secrets.Hold(*member.value) {
			*member.value = ""
		}
	}
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if slices.ContainsFunc(w.X5C, func(certificate string) bool {
		return strings.ContainsFunc(certificate, odd) || secrets.Hold(certificate)
	}) {
		w.X5C = nil
	}
}

// keySet returns the set, and why the answer doesn't say which keys it has; nil if it does. It doesn't if it has no such
// member, shows less of a key than its type and use, or has a key that can't be read.
func (w wireKeySet) keySet(secrets *redact.Secrets) (set KeySet, hidden error) {
	set.ID = w.ID
	switch {
	case w.problem != nil:
		return set, w.problem
	case w.Keys == nil:
		return set, errNoKeys
	}
	for _, k := range *w.Keys {
		k.clean(secrets)
		err := k.check(secrets)
		switch {
		case k.Kid == "" || k.problem == nil && (k.Kty == "" || k.Use == ""):
			err = errNoKeys
		case err != nil:
			err = fmt.Errorf("a key of the set can't be read: %w", err)
		default:
			set.Keys = append(set.Keys, k.key())
		}
		hidden = cmp.Or(hidden, err)
	}
	return set, hidden
}

// errNoKeys is why keys are hidden of which the answer says too little.
var errNoKeys = errors.New("the answer doesn't show them")

// errInSuccess is why an answer is none that has an error beside what was asked for.
var errInSuccess = errors.New("the answer has an error in it")

// hasError reports whether a success has an error in it.
func hasError(body []byte) bool {
	var w struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(body, &w) == nil && len(w.Error) > 0 && string(w.Error) != "null"
}

// decodeKey reads the answer to an action. A key without a kid is no answer.
func decodeKey(body []byte, secrets *redact.Secrets) (Key, error) {
	var w wireKey
	if err := json.Unmarshal(body, &w); err != nil {
		return Key{}, fmt.Errorf("read a key: %w", err)
	}
	if hasError(body) {
		return Key{}, fmt.Errorf("read a key: %w", errInSuccess)
	}
	return w.read(secrets)
}

func (w wireKey) read(secrets *redact.Secrets) (Key, error) {
	if w.Kid == "" {
		return Key{}, errors.New("read a key: the answer has no kid")
	}
	if err := w.check(secrets); err != nil {
		return Key{}, fmt.Errorf("read a key: %w", err)
	}
	w.clean(secrets)
	return w.key(), nil
}

// decodeKeySet reads the answer about one set. One about another set is no answer. Hidden is that of keySet.
func decodeKeySet(body []byte, id string, secrets *redact.Secrets) (set KeySet, hidden, err error) {
	var w wireKeySet
	if err := json.Unmarshal(body, &w); err != nil {
		return KeySet{}, nil, fmt.Errorf("read a key set: %w", err)
	}
	if hasError(body) {
		return KeySet{}, nil, fmt.Errorf("read a key set: %w", errInSuccess)
	}
	if err := checkID("key set ID", w.ID); err != nil {
		return KeySet{}, nil, fmt.Errorf("read a key set: %w", err)
	}
	if !SameID(w.ID, id) {
		return KeySet{}, nil, fmt.Errorf("read a key set: the answer is about %q", secrets.Text(w.ID))
	}
	set, hidden = w.keySet(secrets)
	return set, hidden, nil
}

// decodePage reads a page of a list. Unread are the names of its elements whose id can't be one, and that are left out.
func decodePage[T wireElement[T]](body []byte) (list []T, nextLink string, unread []string, err error) {
	var w wirePage[T]
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, "", nil, fmt.Errorf("read a list: %w", err)
	}
	if w.Value == nil {
		return nil, "", nil, errors.New("read a list: the answer has no value")
	}
	list = slices.DeleteFunc(*w.Value, func(element T) bool {
		odd := IDProblem(element.name()) != ""
		if odd {
			unread = append(unread, element.name())
		}
		return odd
	})
	return list, w.NextLink, unread, nil
}

// decodeKeyV2 reads one key of keys_v2: bare as the metadata has it, or wrapped as the documented example
// shows it.
func decodeKeyV2(body []byte, secrets *redact.Secrets) (Key, error) {
	var wrapper struct {
		Value *wireKey `json:"value"`
	}
	if json.Unmarshal(body, &wrapper) == nil && wrapper.Value != nil && wrapper.Value.Kid != "" {
		return wrapper.Value.read(secrets)
	}
	return decodeKey(body, secrets)
}
