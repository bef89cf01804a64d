// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// longestID is how many bytes an id has at most. Which lengths the service takes isn't known; the kids that were seen
// have 43.
const longestID = 256

// IDProblem says why a text can't be the id or name of a key set, or a kid, and returns "" if it can. Such an id stands in
// addresses, on screens and in commands. Which ones the service takes isn't known: nothing more is refused here.
func IDProblem(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "it is empty"
	case text == "." || text == "..":
		return "it means a folder"
	case strings.ContainsAny(text, "/\\?#%'"):
		return `it has one of / \ ? # % ' in it`
	case !utf8.ValidString(text):
		return "it isn't UTF-8" // an address would name another set
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return "it has a space or a control character in it"
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || redact.Hidden(r) }):
		return "it has a character in it that isn't seen"
	case len(text) > longestID:
		return fmt.Sprintf("it has more than %d bytes", longestID)
	}
	return ""
}

// checkID is IDProblem for an id that an answer has.
func checkID(what, id string) error {
	if why := IDProblem(id); why != "" {
		return fmt.Errorf("the answer has a %s that can't be one: %s", what, why)
	}
	return nil
}

// noAddress makes the error for an id that leads to no address: from a state that was edited, since arguments are
// validated.
func noAddress(op, id, why string) *Error {
	return &Error{Op: op, Kind: KindNotSent, Err: fmt.Errorf("%q can't be an id: %s", id, why)}
}
