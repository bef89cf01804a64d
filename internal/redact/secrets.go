// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package redact

import (
	"crypto/sha1" //nolint:gosec // thumbprints are public
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	// part is how many characters of a secret in a row count as a part of it, and longPart how many do where they are words
	// of small letters, or where their case differs, or in a file. Fewer would hide harmless words.
	part     = 8
	longPart = 12
	// shortest is how many characters a secret has at least that is looked for in what may be encoded.
	shortest = 4
)

// Secrets are what one configured provider knows and must show nowhere: its client secret, its tokens and assertions,
// what it uploads. A nil Secrets holds none. All methods may be called at the same time.
type Secrets struct {
	mu    sync.RWMutex
	whole map[string]bool // every secret, so that one that is added again costs nothing
	// short are the secrets with fewer characters than a part: they count only where they stand as words of their own.
	short []string
	// shortFolded are the secrets with fewer characters than a long part, in lower case.
	shortFolded []string
	exact       map[string]bool // the parts of texts
	long        map[string]bool // the long parts of texts
	folded      map[string]bool // the long parts of texts, in lower case
	files       map[string]bool // the long parts of files
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
			if strings.TrimSpace(spelling) != "" && s.learn(spelling) {
				s.addText(spelling)
			}
		}
	}
}

// AddFile makes a file secret, such as a PKCS#12 file, or a private key. Public are certificates and keys (DER) that may be in it: neither
// they nor their thumbprints are secret.
func (s *Secrets) AddFile(content []byte, public ...[]byte) {
	if s == nil {
		return
	}
	known := [][]byte{commonToKeys()}
	for _, p := range public {
		first, second := sha1.Sum(p), sha256.Sum256(p) //nolint:gosec // thumbprints are public
		known = append(known, p, first[:], second[:])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.learn(string(content)) {
		return
	}
	shown := map[string]bool{}
	for _, p := range known {
		for _, text := range spelled(p) {
			addWindows(shown, text, nil)
		}
	}
	for _, text := range spelled(content) {
		addWindows(s.files, text, shown)
	}
}

// spelled returns bytes as they are, and in base64 of both alphabets, from each byte of a group on: a part of a text in base64 may
// be too short to be told when it is decoded.
func spelled(content []byte) []string {
	all := []string{string(content)}
	for skip := range min(3, len(content)) {
		all = append(all, base64.RawStdEncoding.EncodeToString(content[skip:]), base64.RawURLEncoding.EncodeToString(content[skip:]))
	}
	return all
}

// addWindows adds the long parts of a text that aren't left out.
func addWindows(windows map[string]bool, text string, but map[string]bool) {
	for i := 0; i+longPart <= len(text); i++ {
		if window := text[i : i+longPart]; !but[window] {
			windows[window] = true
		}
	}
}

// commonToKeys is what all RSA keys have in common in DER: the names of algorithms (RFC 8017, appendix C; RFC 7292).
func commonToKeys() []byte {
	const (
		pkcs  = "\x2a\x86\x48\x86\xf7\x0d\x01"
		named = "\x30\x0d\x06\x09" + pkcs + "\x01\x01\x05\x00"
	)
	var all []byte
	for _, text := range []string{
		"\x30\x82\x01\x22" + named + "\x03\x82\x01\x0f\x00\x30\x82\x01\x0a\x02\x82\x01\x01\x00", // a public key of 2,048 bits
		"\x02\x01\x00" + named + "\x04\x82",
		"\x02\x03\x01\x00\x01", "\x06\x09" + pkcs + "\x07\x01\xa0\x82", "\x06\x09" + pkcs + "\x07\x06\xa0\x82",
		"\x06\x09" + pkcs + "\x09\x15\x31\x16\x04\x14", "\x06\x0b" + pkcs + "\x0c\x0a\x01\x02\xa0\x82", "\x06\x0b" + pkcs + "\x0c\x0a\x01\x03\xa0\x82",
	} {
		all = append(append(all, text...), '\n')
	}
	return all
}

// learn reports whether a secret is new.
func (s *Secrets) learn(secret string) bool {
	if secret == "" || s.whole[secret] {
		return false
	}
	if s.whole == nil {
		s.whole, s.exact, s.long, s.folded, s.files = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	s.whole[secret] = true
	return true
}

func (s *Secrets) addText(secret string) {
	if len(secret) < part {
		s.short = append(s.short, secret)
		return
	}
	if len(secret) < longPart {
		s.shortFolded = append(s.shortFolded, lower(secret))
		s.exact[secret] = true
	}
	for i := 0; i+part <= len(secret); i++ {
		if window := secret[i : i+part]; strings.ContainsFunc(window, telling) {
			s.exact[window] = true
		}
	}
	for folded, i := lower(secret), 0; i+longPart <= len(secret); i++ {
		s.long[secret[i:i+longPart]] = true
		s.folded[folded[i:i+longPart]] = true
	}
}

// telling reports whether a character makes a part of a secret more than a word: a digit, a capital, a sign.
func telling(r rune) bool { return (r < 'a' || r > 'z') && !strings.ContainsRune(" -_.,:", r) }

// Repeat reports whether a text holds a secret or a part of one, as it is or encoded: in base64 at any offset, hex,
// percent or other escapes, entities, with other case or white space, or encoded twice.
func (s *Secrets) Repeat(text string) bool { return s.repeat(text, deepest) }

// repeat is Repeat for as many encodings on top of each other as depth says.
func (s *Secrets) repeat(text string, depth int) bool {
	// What is decoded though it isn't encoded looks random, and holds the shortest secrets by chance.
	return !s.empty() && (s.hold(text, 1) || slices.ContainsFunc(readings(text, depth), func(reading string) bool { return s.hold(reading, shortest) }))
}

// Spoils reports whether a kid holds a part of a secret, as it is or encoded. Secrets that are shorter than a part don't count:
// random ids hold them by chance.
func (s *Secrets) Spoils(kid string) bool {
	if s.empty() {
		return false
	}
	return slices.ContainsFunc(append(readings(kid, 1), kid), func(text string) bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.holdsPart(text)
	})
}

// Hold is Spoils for a text that is taken as it is: it costs less, and sees no encodings.
func (s *Secrets) Hold(text string) bool {
	if s == nil {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.holdsPart(text)
}

// holdsPart is Hold for who has the lock.
func (s *Secrets) holdsPart(text string) bool {
	return holdsWindow(text, s.exact, part) || holdsWindow(text, s.long, longPart) || holdsWindow(text, s.files, longPart)
}

// hold is Repeat without encodings. It leaves out the secrets that have fewer characters than least.
func (s *Secrets) hold(text string, least int) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	folded := lower(text)
	return s.holdsPart(text) || holdsWindow(folded, s.folded, longPart) ||
		slices.ContainsFunc(s.shortFolded, func(secret string) bool { return strings.Contains(folded, secret) }) ||
		slices.ContainsFunc(s.short, func(secret string) bool { return len(secret) >= least && holdsWord(text, secret) })
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

// holdsWord reports whether a secret stands in a text, and not within a longer word.
func holdsWord(text, secret string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], secret)
		if i < 0 {
			return false
		}
		at := from + i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(secret):])
		if !inWord(before) && !inWord(after) {
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
