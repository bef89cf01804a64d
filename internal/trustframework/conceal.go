// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// concealed stands for the words of an answer that repeat a secret.
const concealed = "(The service's words are left out here, because they repeat a part of the secret that was sent.)"

// shortestPart is how many characters of a secret in a row count as a part of it.
const shortestPart = 8

// shortestEnd is how many count at the end of an excerpt.
const shortestEnd = 4

// conceal takes the service's words out of an error if they repeat a secret or a part of it, in clear or encoded:
// some refusals are documented to repeat the value that they refuse (AADB2C90136).
func (e *Error) conceal(secrets []string) {
	if repeatsAny(e.Message, secrets) {
		e.Message = concealed
	}
	if e.Err != nil && repeatsAny(e.Err.Error(), secrets) {
		e.Err = errors.New(concealed)
	}
}

// repeatsAny tells whether a text holds a part of any secret, in clear or encoded.
func repeatsAny(text string, secrets []string) bool {
	for _, secret := range secrets {
		for _, spelling := range spellings(secret) {
			if repeats(text, spelling) {
				return true
			}
		}
	}
	return false
}

// spellings are the forms in which an answer may repeat a secret.
func spellings(secret string) []string {
	quoted, err := json.Marshal(secret)
	if err != nil {
		quoted = nil // strings can be marshaled
	}
	digits := hex.EncodeToString([]byte(secret))
	all := []string{
		secret,
		strings.Join(strings.Fields(secret), " "), // as in an excerpt
		strings.TrimSuffix(strings.TrimPrefix(string(quoted), `"`), `"`),
		html.EscapeString(secret),
		url.QueryEscape(secret), url.PathEscape(secret),
		digits, strings.ToUpper(digits),
	}
	// What base64 makes of a text depends on where in a group of three bytes it begins, and at its ends on its neighbors.
	for skip := range min(3, len(secret)) {
		whole := []byte(secret[skip:])
		whole = whole[:len(whole)-len(whole)%3]
		all = append(all, base64.StdEncoding.EncodeToString(whole), base64.URLEncoding.EncodeToString(whole))
	}
	return all
}

// repeats tells whether a text holds a part of a secret, or all of a secret that is shorter than a part.
func repeats(text, secret string) bool {
	size := min(shortestPart, len(secret))
	if size == 0 || len(text) < size {
		return false
	}
	parts := make(map[string]bool, len(text)-size+1)
	for i := 0; i+size <= len(text); i++ {
		parts[text[i:i+size]] = true
	}
	for i := 0; i+size <= len(secret); i++ {
		if parts[secret[i:i+size]] {
			return true
		}
	}
	// An excerpt may have been cut within a part.
	if len(text) < mostExcerpt-utf8.UTFMax {
		return false
	}
	for n := size - 1; n >= shortestEnd; n-- {
		for i := 0; i+n <= len(secret); i++ {
			if strings.HasSuffix(text, secret[i:i+n]) {
				return true
			}
		}
	}
	return false
}
