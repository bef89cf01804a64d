// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// encodings are the forms in which a test writes a piece of a secret.
func encodings() map[string]func(string) string {
	inBase64 := func(encoding *base64.Encoding, before string) func(string) string {
		return func(piece string) string { return encoding.EncodeToString([]byte(before + piece + "\x00after")) }
	}
	return map[string]func(string) string{
		"clear": func(piece string) string { return piece },
		"JSON": func(piece string) string {
			quoted, _ := json.Marshal(piece) // strings can be marshaled
			return string(quoted)
		},
		"HTML":                   html.EscapeString,
		"a query":                url.QueryEscape,
		"a path":                 url.PathEscape,
		"hex":                    func(piece string) string { return hex.EncodeToString([]byte(piece)) },
		"capital hex":            func(piece string) string { return strings.ToUpper(hex.EncodeToString([]byte(piece))) },
		"base64":                 inBase64(base64.StdEncoding, ""),
		"base64, one byte late":  inBase64(base64.StdEncoding, "\xff"),
		"base64, two bytes late": inBase64(base64.StdEncoding, "\xff\xfe"),
		"base64url":              inBase64(base64.URLEncoding, ""),
		"base64url, one late":    inBase64(base64.URLEncoding, "\xff"),
		"base64url, two late":    inBase64(base64.RawURLEncoding, "\xff\xfe"),
	}
}

// TestText_Pieces: a text isn't shown if they repeat a part of a secret, however it is written.
func TestText_Pieces(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		secret string
		piece  string // that is repeated
	}{
		"all of it":        {"Canary&<é>/+= 7f3b", "Canary&<é>/+= 7f3b"},
		"its beginning":    {"Canary&<é>/+= 7f3b", "Canary&<"},
		"its middle":       {"Canary&<é>/+= 7f3b", "ry&<é>/+"},
		"its end":          {"Canary&<é>/+= 7f3b", "/+= 7f3b"},
		"quotes and lines": {"\"\n\"\\\t\"\n\"\\\t\"", "\n\"\\\t\"\n\"\\"},
		"quotes alone":     {`""""""""""`, `""""""""`},
		"no text":          {"\x00\x01\x02\xfe\xff\x00\x01\x02\xfe\xff", "\x01\x02\xfe\xff\x00\x01\x02\xfe"},
	} {
		for form, encode := range encodings() {
			t.Run(name+"/"+form, func(t *testing.T) {
				t.Parallel()
				if form == "JSON" && !utf8.ValidString(row.piece) {
					return // JSON has no such text
				}
				var secrets redact.Secrets
				secrets.Add("another one", row.secret)
				if got := secrets.Text("'k' has the value '" + encode(row.piece) + "...'. Expected value is 'none'."); got != redact.Concealed {
					t.Errorf("got %q, which repeats %q", got, row.piece)
				}
			})
		}
	}
}

// TestText_ShortSecrets are known by all of them.
func TestText_ShortSecrets(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		"the value is 'pass'":     true,
		"the value is 70617373":   true, // hex
		"the value is cGFzcw==":   true, // base64
		"the value is 'pas'":      false,
		"the password isn't good": false, // it is within a word
		"":                        false,
	} {
		var secrets redact.Secrets
		secrets.Add("pass")
		if got := secrets.Repeat(message); got != want {
			t.Errorf("%q: got %t, want %t", message, got, want)
		}
	}
}

// TestText_NoFalseAlarm: what the service says without repeating anything is shown.
func TestText_NoFalseAlarm(t *testing.T) {
	t.Parallel()
	var secrets redact.Secrets
	secrets.Add("Canary-7f3b-of-a-client-secret", "correct horse battery staple", "\x30\x82\x0a\x41\x02\x01\x03"+strings.Repeat("\x00\xff\x10", 800))
	for _, message := range []string{
		"There is a problem with the service.",
		"The password for the certificate is not correct.",
		"The request is missing parameters or has the wrong parameters. 'k' has the value ''. Expected value is 'a string'.",
		"The presented key 'Gaid7K8sO8RavMX9fzHir_Wg0femGhbY9b-B4rVIxbE' of type 'RSA' already exists.",
		"The uploaded key is badly formatted. Reason: 'The key container has a different use than the new added key'.",
		"KeyContainer with 'id': 'B2C_1A_Facebook' cannot be found in the directory '4f6b1ac9-3f5e-4d0a-9d05-000000000000'.",
	} {
		if got := secrets.Text(message); got != message {
			t.Errorf("got %q, want %q", got, message)
		}
	}
}

// FuzzText_NeverRepeats: whatever the secret is, and whatever stands around a piece of it, a message that has
// twelve bytes of it in a row in any encoding isn't shown.
func FuzzText_NeverRepeats(f *testing.F) {
	f.Add("Canary&<é>/+= 7f3b", "'k' has the value '", "...'.", uint(0))
	f.Add("correct horse battery staple", "", "", uint(9))
	f.Add("\x00\x01\x02\xfe\xff\x00\x01\x02\xfe\xff", "0", "0", uint(1))
	f.Add(`"\"\"\"\"\"\"\`, `"`, `\`, uint(3))
	f.Fuzz(func(t *testing.T, secret, before, after string, at uint) {
		if len(secret) < 12 {
			t.Skip("a secret shorter than a part")
		}
		from := int(at % uint(len(secret)-12+1))
		piece := secret[from : from+12]
		for form, encode := range encodings() {
			if form == "JSON" && !utf8.ValidString(piece) {
				continue
			}
			var secrets redact.Secrets
			secrets.Add(secret)
			if got := secrets.Text(before + encode(piece) + after); got != redact.Concealed {
				t.Errorf("%s: got %q, which repeats %q", form, got, piece)
			}
		}
	})
}
