// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package errorcode is the catalog of the service's error codes about key sets and keys: what each means, how
// surely that is known, and what to do about it. What may be sent again, what an error means, what the user is
// told and the documentation's page "Errors" all come from it.
package errorcode

import (
	"slices"
	"strings"
)

// Class says what a code means for what was asked for.
type Class string

// The classes. A code without an entry has none.
const (
	// Gone: the key set doesn't exist. No other class means that.
	Gone Class = "gone"
	// Exists: there already is a key set of that name, or such a key in the set.
	Exists Class = "exists"
	// Refused: the state of the service or the tenant forbids it.
	Refused Class = "refused"
	// Throttled: too many requests; this one was not worked on (inferred).
	Throttled Class = "throttled"
	// Transient: the service failed on the way, and nobody has seen that it did no work.
	Transient Class = "transient"
	// Mistake: what was asked for is wrong, in the configuration or in the request made of it.
	Mistake Class = "mistake"
)

// Mark says how surely a code and its meaning are known. The class is inferred from the meaning, for every code.
type Mark string

// The marks.
const (
	// Observed: others have seen the service answer it.
	Observed Mark = "observed"
	// Documented: it stands in Microsoft's list "Error codes in Azure AD B2C", which has no HTTP statuses.
	Documented Mark = "documented"
)

// NoActiveKey is the code for a key set without a key that can be used, which getActiveKey is taken to answer.
const NoActiveKey = "AADB2C90019"

// Entry is what is known of a code.
type Entry struct {
	// Code is as the service spells it.
	Code string
	// Class says what it means for what was asked for.
	Class Class
	// Mark says how surely the code and its meaning are known.
	Mark Mark
	// Attribute is the attribute of a resource that the code is about, such as "kty"; "" if it tells none.
	Attribute string
	// Meaning is what the service says, in plain sentences.
	Meaning string
	// Advice is what to do, in plain sentences.
	Advice string
}

// Lookup returns the entry of a code, spelled as the service does, or false if there is none.
func Lookup(code string) (Entry, bool) {
	entries := All()
	i, ok := slices.BinarySearchFunc(entries, code, func(e Entry, code string) int { return strings.Compare(e.Code, code) })
	if !ok {
		return Entry{}, false
	}
	return entries[i], true
}

// ClassOf returns the class of a code, or "" if it has no entry.
func ClassOf(code string) Class {
	e, _ := Lookup(code)
	return e.Class
}
