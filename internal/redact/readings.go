// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package redact

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

const (
	// deepest is how many encodings lie on top of each other at most.
	deepest = 2
	// mostRead bounds what all readings of a text have together, in bytes.
	mostRead = 1 << 20
)

// readings are what a text says if it is encoded up to so many times, each once and without the text itself. Whether it is encoded nobody
// knows, so that most are noise.
func readings(text string, depth int) []string {
	seen := map[string]bool{text: true}
	var all []string
	size := 0
	layer := []string{text}
	for range depth {
		var next []string
		for _, encoded := range layer {
			for _, reading := range decode(encoded) {
				if reading == "" || seen[reading] || size+len(reading) > mostRead {
					continue
				}
				seen[reading] = true
				size += len(reading)
				next = append(next, reading)
			}
		}
		all = append(all, next...)
		layer = next
	}
	return all
}

// decode undoes each encoding once.
func decode(text string) []string {
	all, compact := []string{reversed(text)}, text
	if strings.IndexFunc(text, isOdd) >= 0 { // most ids have letters, digits, - and _ only, and there are many
		compact = strings.Join(strings.FieldsFunc(text, breaks), "")
		all = append(all,
			compact,
			strings.Join(strings.Fields(text), " "),
			strings.NewReplacer("=\r\n", "", "=\n", "").Replace(text),  // mail
			strings.Map(visible, strings.ReplaceAll(text, "\x00", "")), // UTF-16 too
			html.UnescapeString(text),
			unescape(text),
			unescape(strings.ReplaceAll(text, "+", " ")),
		)
	}
	all = append(all, decodeHex(text)...)
	all = append(all, decodeDecimals(text)...)
	return append(all, decodeBase(compact)...)
}

// isOdd reports whether a character isn't one of the alphabet of base64url.
func isOdd(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
}

// escape is a character by its number in hex: of URLs, of mail (=41), of JSON and programs, or octal; or a letter behind a
// backslash.
var escape = regexp.MustCompile(`%u[0-9A-Fa-f]{4}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|[%=][0-9A-Fa-f]{2}|\\[0-3][0-7]{2}|\\.`)

func unescape(text string) string {
	if !strings.ContainsAny(text, `%=\`) {
		return text
	}
	return escape.ReplaceAllStringFunc(text, func(e string) string {
		switch {
		case strings.HasPrefix(e, `%u`), strings.HasPrefix(e, `\u`), strings.HasPrefix(e, `\U`):
			n, _ := strconv.ParseUint(strings.Trim(e[2:], "{}"), 16, 32) // the pattern leaves digits only
			if utf16.IsSurrogate(rune(n)) {                              //nolint:gosec // what is no character becomes U+FFFD
				return ""
			}
			return string(rune(n)) //nolint:gosec // what is no character becomes U+FFFD
		case e[0] == '%' || e[0] == '=' || strings.HasPrefix(e, `\x`):
			n, _ := strconv.ParseUint(e[len(e)-2:], 16, 8)
			return string([]byte{byte(n)})
		case len(e) == 4:
			n, _ := strconv.ParseUint(e[1:], 8, 8)
			return string([]byte{byte(n)})
		}
		if plain, ok := map[string]string{`\n`: "\n", `\t`: "\t", `\r`: "\r", `\b`: "\b", `\f`: "\f"}[e]; ok {
			return plain
		}
		return e[1:]
	})
}

// isSeparator reports whether a character may stand between the bytes of a hex dump, or in its prefix.
func isSeparator(r rune) bool { return strings.ContainsRune("xX:,;_- ", r) || unicode.IsSpace(r) }

var (
	// betweenDigits stands between the bytes of a hex dump.
	betweenDigits = regexp.MustCompile(`0[xX]|\\x|[\s:,;_-]+`)
	hexRun        = regexp.MustCompile(`[0-9A-Fa-f]{8,}`)
	base64Run     = regexp.MustCompile(`[A-Za-z0-9+/]{8,}`)
	base32Run     = regexp.MustCompile(`[A-Z2-7]{8,}`)
)

// decimals are the bytes of a text as programs print them.
var decimals = regexp.MustCompile(`\d{1,3}(?:[\s,;]+\d{1,3}){7,}`)

func decodeDecimals(text string) []string {
	var all []string
	for _, list := range decimals.FindAllString(text, -1) {
		var decoded []byte
		for _, number := range strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(number)       // the pattern leaves digits only
			decoded = append(decoded, byte(n)) //nolint:gosec // three digits; what is no byte is noise
		}
		all = append(all, string(decoded))
	}
	return all
}

func decodeHex(text string) []string {
	var all []string
	if !hexRun.MatchString(text) && strings.IndexFunc(text, isSeparator) < 0 {
		return nil
	}
	for _, digits := range hexRun.FindAllString(betweenDigits.ReplaceAllString(text, ""), -1) {
		for skip := range 2 { // a digit before it may belong to something else
			run := digits[skip:]
			decoded, err := hex.DecodeString(run[:len(run)&^1])
			if err == nil {
				all = append(all, string(decoded))
			}
		}
	}
	return all
}

// decodeBase decodes what looks like base64, of either alphabet, or base32. The characters before it may look so too, so that
// it may begin at any of a group's.
func decodeBase(text string) []string {
	var all []string
	for _, run := range base64Run.FindAllString(strings.NewReplacer("-", "+", "_", "/").Replace(text), -1) {
		for skip := range 4 {
			part := run[skip:]
			if len(part)%4 == 1 {
				part = part[:len(part)-1] // no group has one character
			}
			if decoded, err := base64.RawStdEncoding.DecodeString(part); err == nil {
				all = append(all, string(decoded))
			}
		}
	}
	upper := strings.ToUpper(text)
	for _, run := range base32Run.FindAllString(upper, -1) {
		for skip := range 8 {
			part := run[min(skip, len(run)):]
			part = part[:len(part)&^7]
			if decoded, err := base32.StdEncoding.DecodeString(part); err == nil {
				all = append(all, string(decoded))
			}
		}
	}
	return all
}

func reversed(text string) string {
	b := []byte(text)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
