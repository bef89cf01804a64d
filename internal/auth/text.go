// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Text is an argument that is given itself, in a file, or both if they are the same. White space around a file's content
// is no part of it.
type Text struct {
	Value string
	Path  string
}

// errDiffer is the error of a Text whose value isn't its file's.
var errDiffer = errors.New("the value and the content of the file differ; remove one of them or make them equal")

func (t Text) given() bool { return t.Value != "" || t.Path != "" }

// Read returns the value. The file is read each time, since those who run this provider replace it while it runs.
// No error repeats the value or the file's content.
func (t Text) Read() (string, error) {
	if t.Path == "" {
		return t.Value, nil
	}
	content, err := os.ReadFile(t.Path)
	if err != nil {
		return "", fmt.Errorf("the file can't be read: %w", err)
	}
	text := strings.TrimSpace(string(content))
	switch {
	case text == "":
		return "", fmt.Errorf("the file %q is empty", t.Path)
	case t.Value != "" && t.Value != text:
		return "", errDiffer
	}
	return text, nil
}
