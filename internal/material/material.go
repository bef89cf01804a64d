// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Package material reads the certificates and PKCS#12 files that are uploaded as keys, and says what is wrong with
// them before anything is sent. No error repeats anything of what was read: not the password, not a byte of the
// file, and not the words of a library that could quote them.
package material

import "fmt"

// Error is what is wrong with a certificate or a PKCS#12 file and what to do about it, in whole sentences for the
// user. All errors of this package are of this type.
type Error struct {
	// Password says that the password is at fault, and not the file.
	Password bool

	text string
}

// Error returns the sentences.
func (e *Error) Error() string { return e.text }

func mistake(format string, args ...any) error {
	return &Error{text: fmt.Sprintf(format, args...)}
}

func passwordMistake(text string) error {
	return &Error{Password: true, text: text}
}
