// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package redact decides what of a text that came over the wire may be shown: nothing that repeats a secret of this
// process, no control characters, and no more than a person reads.
package redact

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// Longest is how many bytes of a text from the wire are shown at most.
	Longest = 2048

	// Concealed stands for words that repeat a secret.
	Concealed = "(The service's words are left out here, because they repeat a part of a secret.)"

	// cut stands for what is left out of a text that is too long.
	cut = " […]"
)

// Text returns a text from the wire as it may be shown: Concealed if the text repeats a secret, otherwise the text on one
// line, without control characters and cut to Longest.
func (s *Secrets) Text(text string) string {
	// What lies shortly behind the cut is looked at too: a secret may lie across it. And so is what is about to be shown, since
	// what is taken out of a text may have stood within a secret.
	start, plain := head(text, 2*Longest), Plain(text)
	if tokens.MatchString(plain) || s.Repeat(start) || plain != start && s.Repeat(plain) {
		return Concealed
	}
	return plain
}

// tokens is what tokens look like, whether they are known or not: a signed one of three parts (RFC 7519), or the value that a token's
// name stands before (RFC 6749).
var tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|(?:access|refresh|id)_token\W{0,8}[:=]\W{0,8}[A-Za-z0-9_~+/-][A-Za-z0-9._~+/-]{15,}`)

// token is the form of a code or id that may be shown.
var token = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// ID returns a code or id from the wire as it may be shown, and "" if it has another form than the service's codes and
// ids have, or repeats a secret.
func (s *Secrets) ID(text string) string {
	// Each request has its id in the log. One that is encoded twice is too long for what is worth hiding.
	if !token.MatchString(text) || s.repeat(text, 1) {
		return ""
	}
	return text
}

// Error returns err with a text that may be shown. Errors.Is and errors.As find what is in err, which Unwrap doesn't return: its
// text must not be shown either. Err may be nil.
func (s *Secrets) Error(err error) error {
	if err == nil {
		return nil
	}
	text := s.Text(err.Error())
	if text == err.Error() {
		return err
	}
	return &shown{text: text, err: err}
}

// shown is an error whose own text may repeat what must not be shown.
type shown struct {
	text string
	err  error
}

func (e *shown) Error() string { return e.text }

// Is implements the interface of errors.Is.
func (e *shown) Is(target error) bool { return errors.Is(e.err, target) }

// As implements the interface of errors.As.
func (e *shown) As(target any) bool { return errors.As(e.err, target) }

// sequence is an escape sequence of a terminal: CSI, OSC and other strings, or a single character after ESC.
var sequence = regexp.MustCompile("(?:\x1b\\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\x1b[]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\x07\x1b\u009c]*(?:\x07|\x1b\\\\|\u009c)?|\x1b[ -~]?")

// Plain returns a text on one line, without characters that steer a terminal or hide what is there, and cut to Longest.
func Plain(text string) string {
	text = strings.ToValidUTF8(head(text, 2*Longest), "\uFFFD")
	text = sequence.ReplaceAllString(text, "")
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(text, breaks) {
		if word = strings.Map(visible, word); word == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	if b.Len() <= Longest {
		return b.String()
	}
	return head(b.String(), Longest-len(cut)) + cut
}

// breaks reports whether a character ends a word: spaces, line breaks of any kind, control characters.
func breaks(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// visible drops characters that aren't seen, such as those that change the direction of a text.
func visible(r rune) rune {
	if Hidden(r) {
		return -1
	}
	return r
}

// Hidden reports whether a character shows nothing of itself: what changes the direction of a text or the form of the character
// before it, what only fills, and what stands for no character.
func Hidden(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || r&0xfffe == 0xfffe ||
		unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// head is the beginning of a text, of so many bytes at most, and ends with a whole character.
func head(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
