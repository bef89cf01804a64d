// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package redact_test

import (
	"crypto/sha1" //nolint:gosec // a thumbprint
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

const secret = `Zq8~kW.2"xT&<v9\R+/pL m3Yd` //nolint:gosec // it is made up for a test

func encoded(secret string) map[string]string {
	entities, percents, escapes := "", "", ""
	for _, b := range []byte(secret) {
		entities += fmt.Sprintf("&#%d;", b)
		percents += fmt.Sprintf("%%%02x", b)
		escapes += fmt.Sprintf(`\u%04X`, b)
	}
	quoted, err := json.Marshal(secret)
	if err != nil {
		panic(err)
	}
	base64url := base64.RawURLEncoding.EncodeToString([]byte(secret))
	return map[string]string{
		"itself":                secret,
		"upper case":            strings.ToUpper(secret),
		"JSON":                  string(quoted),
		"JSON in JSON":          strings.ReplaceAll(string(quoted), `\`, `\\`),
		"JSON by numbers":       escapes,
		"entities":              html.EscapeString(secret),
		"entities by numbers":   entities,
		"query":                 url.QueryEscape(secret),
		"path":                  url.PathEscape(secret),
		"percents":              percents,
		"base64":                base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64url":             base64url,
		"base64 in lines":       base64url[:9] + "\r\n" + base64url[9:],
		"base64 at offset 1":    base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"base64 at offset 2":    base64.RawStdEncoding.EncodeToString([]byte("id:" + "yz" + secret + "tail")),
		"base64 behind letters": "token" + base64url,
		"base64 twice":          base64.StdEncoding.EncodeToString([]byte(base64url)),
		"base64 in percents":    url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(secret))),
		"base32":                base32.StdEncoding.EncodeToString([]byte(secret)),
		"hex":                   hex.EncodeToString([]byte(secret)),
		"HEX":                   strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"hex behind a digit":    "7" + hex.EncodeToString([]byte(secret)),
		"hex bytes":             strings.ToUpper(fmt.Sprintf("% x", secret)),
		"hex literal":           fmt.Sprintf("%#x", secret),
		"mail":                  strings.ReplaceAll(percents, "%", "="),
		"UTF-16":                strings.Join(strings.Split(secret, ""), "\x00"),
		"escape sequences":      sevens(secret, "\x1b[0m"),
		"a window's title":      sevens(secret, "\x1b]0;t\x07"),
		"fillers":               sevens(secret, "\u034f\u3164"),
		"decimals":              strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]"),
		"mail in lines":         sevens(secret, "=\r\n"),
		"zero width":            strings.Join(strings.Split(secret, ""), "\u200b"),
		"spaced":                strings.Join(strings.Split(strings.ReplaceAll(secret, " ", ""), ""), " "),
		"reversed":              reverse(secret),
	}
}

// sevens puts something between every seven bytes, so that no part is left whole.
func sevens(text, between string) string {
	var b strings.Builder
	for i := 0; i < len(text); i += 7 {
		b.WriteString(text[i:min(i+7, len(text))] + between)
	}
	return b.String()
}

func reverse(text string) string {
	var b strings.Builder
	for i := len(text) - 1; i >= 0; i-- {
		b.WriteByte(text[i])
	}
	return b.String()
}

// TestText_ConcealsASecret: however an answer repeats it, whole or in part, none of its words are shown.
func TestText_ConcealsASecret(t *testing.T) {
	t.Parallel()
	var secrets redact.Secrets
	secrets.Add(secret)
	for _, part := range []string{secret, secret[3:17], secret[9:21], secret[:12]} {
		for name, spelling := range encoded(part) {
			texts := []string{spelling, "The value " + spelling + " is wrong."}
			if part == secret {
				texts = append(texts, strings.Repeat("x ", redact.Longest/2-8)+spelling) // across the cut
			}
			for _, text := range texts {
				if got := secrets.Text(text); got != redact.Concealed {
					t.Errorf("%s of %q: got %.200q, want it concealed", name, part, got)
				}
			}
			if got := secrets.ID(spelling); got != "" && name != "base64 twice" {
				t.Errorf("%s of %q: got the ID %q, want none", name, part, got)
			}
		}
	}
}

// TestText_TokensByTheirForm: nobody need have told which tokens there are.
func TestText_TokensByTheirForm(t *testing.T) {
	t.Parallel()
	var secrets *redact.Secrets
	for _, text := range []string{
		"raw message was: [{\"access_token\":\"eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.sig\"}]",
		"#access_token=0.AAAAAAAAAAAAAAAAAAAAAAAA&x=y",
		"{\"refresh_token\" : [\"0.AAAAAAAAAAAAAAAAAAAAAAAA\"]}",
		"you sent Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.",
	} {
		if got := secrets.Text(text); got != redact.Concealed {
			t.Errorf("got %q, want it concealed", got)
		}
	}
}

// TestText_ASecretOfAFewLetters in another case is the same.
func TestText_ASecretOfAFewLetters(t *testing.T) {
	t.Parallel()
	var secrets redact.Secrets
	secrets.Add("Sommer2024!", "hunter2x")
	for _, text := range []string{"SOMMER2024! is wrong", "not HUNTER2X"} {
		if got := secrets.Text(text); got != redact.Concealed {
			t.Errorf("got %q, want it concealed", got)
		}
	}
}

// TestText_ShowsTheWords: what repeats no secret is shown.
func TestText_ShowsTheWords(t *testing.T) {
	t.Parallel()
	var secrets redact.Secrets
	secrets.Add(secret, "a", "pw", "", "   ", "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl", "MyApplicationSecret1", "test")
	secrets.AddFile([]byte(strings.Repeat("\x00\xff\x30", 2000)))
	for _, text := range []string{
		"",
		"The certificate password provided in request is incorrect.",
		"KeyContainer with 'id': 'B2C_1A_x' cannot be found in the directory 'c0ffee00-0000-4000-8000-000000000000'.",
		"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value.",
		"Zq8~kW. is shorter than parts are.",
		"The application does not have any of the required application permissions. This is the latest word.",
		"AADSTS700054: response_type 'id_token' is not enabled for the application.",
	} {
		if got := secrets.Text(text); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if got, want := secrets.Text("The password pw is wrong."), redact.Concealed; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, id := range []string{"AADB2C90073", "c0ffee00-0000-4000-8000-000000000000", "UnknownError", "AADSTS7000215"} {
		if got := secrets.ID(id); got != id {
			t.Errorf("got %q, want %q", got, id)
		}
	}
	for _, id := range []string{"", "a b", "x\n", "x;y", strings.Repeat("a", 101), "-rf", "x\u202e"} {
		if got := secrets.ID(id); got != "" {
			t.Errorf("got %q, want nothing for %q", got, id)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"words", "Key set “Ü” is gone.", "Key set “Ü” is gone."},
		{"lines", "one\r\n\ttwo\n\nNo changes.", "one two No changes."},
		{"color", "\x1b[31;1mred\x1b[0m \u009b1mbold", "red bold"},
		{"window title", "\x1b]0;title\x07text \x1bPq\x1b\\end", "text end"},
		{"cursor", "all well\x1b[2K\x1b[1Abad", "all wellbad"},
		{"C0 and C1", "a\x00b\x7fc\u0085d", "a b c d"},
		{"direction", "abc\u202efed\u2066\u200bx\ufeff", "abcfedx"},
		{"separators", "a\u2028b\u2029c", "a b c"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := redact.Plain(row.text); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	for _, text := range []string{strings.Repeat("x", 50<<20), strings.Repeat("é ", 3000)} {
		if got := redact.Plain(text); len(got) > redact.Longest || !strings.HasSuffix(got, "[…]") || strings.Contains(got, "\uFFFD") {
			t.Errorf("got %d bytes that end with %q, want at most %d that say that they are cut", len(got), got[len(got)-10:], redact.Longest)
		}
	}
}

func TestError_KeepsTheCause(t *testing.T) {
	t.Parallel()
	var secrets redact.Secrets
	secrets.Add(secret)
	cause := errors.New("malformed header: " + secret)
	err := secrets.Error(fmt.Errorf("read: %w", cause))
	if err.Error() != redact.Concealed || !errors.Is(err, cause) {
		t.Errorf("got %v, want it concealed and its cause kept", err)
	}
	if err := secrets.Error(nil); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if plain := errors.New("well"); secrets.Error(plain) != plain { //nolint:errorlint // the very same is wanted
		t.Error("an error that may be shown was changed")
	}
}

// TestSpoils: an id isn't taken that holds a part of a secret text. What ids hold by chance, or a file beside its secrets, does
// no harm.
func TestSpoils(t *testing.T) {
	t.Parallel()
	certificate := []byte("a certificate")
	sum := sha1.Sum(certificate) //nolint:gosec // a thumbprint
	thumbprint := string(sum[:])
	var secrets redact.Secrets
	secrets.Add(secret, "s", "abcd", "never-disabled-2024")
	secrets.AddFile([]byte("\x30\x82"+thumbprint+"\x01\x02private key\xff\xfe"), certificate)
	for id, want := range map[string]bool{
		secret[2:14]: true,
		base64.RawURLEncoding.EncodeToString([]byte(secret[:12])):   true,
		hex.EncodeToString([]byte(secret[4:14])):                    true,
		"Gaid7K8sO8RavMX9fzHir_Wg0femGhbY9b-s-rVIxbE":               false,
		"Gaid7K8sO8RabcdfzHir_Wg0femGhbY9b-B4rVIxbE":                false,
		base64.RawURLEncoding.EncodeToString([]byte(thumbprint)):    false,
		strings.ToUpper(hex.EncodeToString([]byte(thumbprint[1:]))): false,
		"disabled": false,
		base64.RawURLEncoding.EncodeToString([]byte("\x02private key\xff")): true,
	} {
		if got := secrets.Spoils(id); got != want {
			t.Errorf("%q: got %t, want %t", id, got, want)
		}
	}
}

// FuzzText: whatever surrounds a secret, it isn't shown, and nothing breaks.
func FuzzText(f *testing.F) {
	f.Add("before", "after")
	f.Add(`\u`, `\x`)
	f.Add("%", "=")
	f.Fuzz(func(t *testing.T, before, after string) {
		var secrets redact.Secrets
		secrets.Add(secret)
		for name, spelling := range map[string]string{"itself": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret)), "hex": hex.EncodeToString([]byte(secret))} {
			text := secrets.Text(before + spelling + after)
			if strings.Contains(text, secret[5:13]) || strings.Contains(text, spelling) {
				t.Errorf("%s: got %q", name, text)
			}
		}
	})
}
