// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// plainWord is a text that a POSIX shell takes for one word and for nothing else, and a command for no option.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./,:=@%+][A-Za-z0-9_./,:=@%+-]*$`)

// shellQuote returns a text as a POSIX shell reads it as one word. A text with control characters can't be pasted: they
// become question marks, so that the command fails instead of meaning something else.
func shellQuote(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// importCommand returns the command that imports something with an import ID into a resource whose name the user knows.
func importCommand(resource, id string) string {
	return "terraform import " + resource + ".NAME " + shellQuote(id)
}

// forgetCommand returns the command that takes a resource, whose name the user knows, out of the state.
func forgetCommand(resource string) string {
	return "terraform state rm " + resource + ".NAME"
}

// importCommands lists the command that imports each key.
func importCommands(op, keySetID string, kids []string) string {
	var lines []string
	for i, kid := range kids {
		if i == mostKids {
			lines = append(lines, fmt.Sprintf("  and so on for %d more, which the data source trustframework_key_set shows", len(kids)-mostKids))
			break
		}
		lines = append(lines, "  "+importCommand(resourceTypes()[op], keyID(keySetID, kid)))
	}
	return strings.Join(lines, "\n")
}
