// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package redact

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	// part is how many characters of a secret in a row count as a part of it, and foldedPart how many do where the
	// case of letters differs. Fewer would hide harmless words.
	part       = 8
	foldedPart = 12
	// shortest is the length below which a secret counts only where it stands as a word of its own.
	shortest = 4
)

// Secrets are what one configured provider knows and must show nowhere: its client secret, its tokens and assertions,
// what it uploads. A nil Secrets holds none. All methods may be called at the same time.
type Secrets struct {
	mu     sync.RWMutex
	whole  map[string]bool // every secret, so that one that is added again costs nothing
	short  []string        // the secrets with fewer characters than a part
	exact  map[string]bool // all parts of texts
	folded map[string]bool // the same in lower case
	files  map[string]bool // all parts of what is no text, such as a PKCS#12 file
}

// Add makes texts secret. Empty ones are ignored.
func (s *Secrets) Add(secrets ...string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		// An answer may repeat a secret of several lines with other white space.
		for _, spelling := range []string{secret, strings.Join(strings.Fields(secret), " "), strings.Join(strings.Fields(secret), "")} {
			s.add(spelling)
		}
	}
}

func (s *Secrets) add(secret string) {
	if secret == "" || s.whole[secret] {
		return
	}
	if s.whole == nil {
		s.whole, s.exact, s.folded, s.files = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	s.whole[secret] = true
	if len(secret) < part {
		s.short = append(s.short, secret)
		return
	}
	parts, isText := s.exact, utf8.ValidString(secret) && !strings.ContainsRune(secret, 0)
	if !isText {
		parts = s.files
	}
	for i := 0; i+part <= len(secret); i++ {
		parts[secret[i:i+part]] = true
	}
	if !isText {
		return // it has no letters whose case could differ
	}
	for folded, i := lower(secret), 0; i+foldedPart <= len(folded); i++ {
		s.folded[folded[i:i+foldedPart]] = true
	}
}

// Repeat reports whether a text holds a secret or a part of one, as it is or encoded: in base64 at any offset, hex,
// percent or other escapes, entities, with other case or white space, or encoded twice.
func (s *Secrets) Repeat(text string) bool { return s.repeat(text, deepest) }

// repeat is Repeat for as many encodings on top of each other as depth says.
func (s *Secrets) repeat(text string, depth int) bool {
	if s.empty() {
		return false
	}
	if s.hold(text, 1) {
		return true
	}
	for _, reading := range readings(text, depth) {
		// What is decoded though it isn't encoded looks random, and holds the shortest secrets by chance.
		if s.hold(reading, shortest) {
			return true
		}
	}
	return false
}

// Spoils reports whether an id, of a key or a key set, holds a part of a secret, as it is or encoded. Neither secrets that
// are shorter than a part nor files count: random ids hold the former by chance, and a file holds the thumbprint of its
// certificate.
func (s *Secrets) Spoils(id string) bool {
	if s.empty() {
		return false
	}
	return slices.ContainsFunc(append(readings(id, 1), id), s.Hold)
}

// Hold is Spoils for a text that is taken as it is: it costs less, and sees no encodings.
func (s *Secrets) Hold(text string) bool {
	if s == nil {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return holdsWindow(text, s.exact, part)
}

// hold is Repeat without encodings. It leaves out the secrets that have fewer characters than least.
func (s *Secrets) hold(text string, least int) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if holdsWindow(text, s.exact, part) || holdsWindow(text, s.files, part) || holdsWindow(lower(text), s.folded, foldedPart) {
		return true
	}
	for _, secret := range s.short {
		if len(secret) >= least && holdsShort(text, secret) {
			return true
		}
	}
	return false
}

func holdsWindow(text string, windows map[string]bool, size int) bool {
	if len(windows) == 0 {
		return false
	}
	for i := 0; i+size <= len(text); i++ {
		if windows[text[i:i+size]] {
			return true
		}
	}
	return false
}

func (s *Secrets) empty() bool {
	if s == nil {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.whole) == 0
}

// holdsShort reports whether a text holds a secret that has no parts.
func holdsShort(text, secret string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], secret)
		if i < 0 {
			return false
		}
		at := from + i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(secret):])
		if len(secret) >= shortest || !inWord(before) && !inWord(after) {
			return true
		}
		from = at + 1
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// lower lowers ASCII letters byte by byte: a secret need not be UTF-8.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
