// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// leakForms write a whole secret, or what is left of one, as something that lets it out would. They share nothing with
// what the search looks for.
func leakForms() map[string]func(secret []byte) string {
	quoted := func(s []byte) string {
		text, err := json.Marshal(string(s))
		if err != nil {
			return ""
		}
		return string(text)
	}
	return map[string]func([]byte) string{
		"clear":                func(s []byte) string { return string(s) },
		"cut at its end":       func(s []byte) string { return string(s[:len(s)-20]) },
		"cut at its beginning": func(s []byte) string { return string(s[20:]) },
		"JSON":                 quoted,
		"Go syntax":            func(s []byte) string { return fmt.Sprintf("%q", s) },
		"Go bytes":             func(s []byte) string { return fmt.Sprintf("%v", s) },
		"JSON bytes": func(s []byte) string {
			return strings.Join(strings.Fields(strings.Trim(fmt.Sprintf("%d", s), "[]")), ",")
		},
		"base64":               base64.StdEncoding.EncodeToString,
		"base64, unpadded":     base64.RawStdEncoding.EncodeToString,
		"base64url":            base64.URLEncoding.EncodeToString,
		"base64url, unpadded":  base64.RawURLEncoding.EncodeToString,
		"base64, one in front": func(s []byte) string { return base64.StdEncoding.EncodeToString(append([]byte{':'}, s...)) },
		"base64, two in front": func(s []byte) string { return base64.StdEncoding.EncodeToString(append([]byte{'x', ':'}, s...)) },
		"basic authorization": func(s []byte) string {
			return "Basic " + base64.StdEncoding.EncodeToString(append([]byte("user:"), s...))
		},
		"hex":         func(s []byte) string { return fmt.Sprintf("%x", s) },
		"HEX":         func(s []byte) string { return fmt.Sprintf("%X", s) },
		"hex, spaced": func(s []byte) string { return fmt.Sprintf("% x", s) },
		"hex, colons": func(s []byte) string { return strings.ReplaceAll(fmt.Sprintf("% x", s), " ", ":") },
		"URL query":   func(s []byte) string { return url.QueryEscape(string(s)) },
		"URL path":    func(s []byte) string { return url.PathEscape(string(s)) },
		"UTF-16": func(s []byte) string {
			var wide []byte
			for _, unit := range utf16.Encode([]rune(string(s))) {
				wide = binary.LittleEndian.AppendUint16(wide, unit)
			}
			return string(wide)
		},
	}
}

// TestCanary_EveryFormIsFound leaks many secrets in each form, across what the search reads at once.
func TestCanary_EveryFormIsFound(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		random := make([]byte, 300)
		if _, err := rand.Read(random); err != nil {
			t.Fatal(err)
		}
		for _, c := range []canary{newCanary(t, "secret"), longCanary("bytes", random)} {
			s := newSearcher([]canary{c})
			for form, write := range leakForms() {
				if spared(c.whole, form) {
					continue
				}
				text := append(make([]byte, s.longest+searchStep-25*n), write(c.whole)...)
				found := map[leak]bool{}
				if err := s.in("text", bytes.NewReader(text), found); err != nil || len(found) == 0 {
					t.Errorf("%s isn't found as %s: %v", c.name, form, err)
				}
			}
		}
	}
}

// spared tells the pairs of a secret and a form that lose the secret: bytes that are no text don't survive as text.
func spared(secret []byte, form string) bool {
	return !utf8.Valid(secret) && (form == "JSON" || form == "UTF-16")
}

// control leaks the secrets into a copy of everything that the run has left: in each form one into each place, a
// different one from place to place. Each must be caught where it is. The places named must be among them.
func (r *canaryRun) control(s *searcher, places ...string) {
	r.t.Helper()
	seen := map[string]bool{}
	form := 0
	for name, write := range leakForms() {
		next := form
		form++
		want := map[string]string{}
		root := r.t.TempDir()
		spoil := func(place string, content []byte) []byte {
			parts := [][]byte{content[:len(content)/2], content[len(content)/2:]}
			kinds := []string{place}
			if strings.HasSuffix(place, ".log") && strings.HasPrefix(place, "log/") {
				var whose []string
				parts, whose = logLines(content)
				kinds = []string{place + ": " + whose[0], place + ": " + whose[1]}
			}
			var spoiled []byte
			offset := 0
			for i, part := range parts {
				spoiled = append(spoiled, part...)
				offset += len(part)
				if i == len(kinds) {
					break
				}
				for spared(r.secrets[next%len(r.secrets)].whole, name) {
					next++
				}
				secret := r.secrets[next%len(r.secrets)]
				next++
				spoiled = append(spoiled, write(secret.whole)...)
				want[place+"\n"+secret.name] = kinds[i]
				// Who has no line in a log has none to leak in.
				seen[kinds[i]] = seen[kinds[i]] || len(kinds) == 1 || offset < len(content)
			}
			return spoiled
		}
		r.copyTo(root, spoil)
		found := map[string]bool{}
		for l := range s.tree(r.t, root) {
			found[l.place+"\n"+l.secret] = true
		}
		for place, kind := range want {
			if !found[place] {
				_, secret, _ := strings.Cut(place, "\n")
				r.t.Errorf("%s was leaked into %s as %s, and not found", secret, kind, name)
			}
		}
	}
	for _, place := range places {
		if !seen[place] {
			r.t.Errorf("there is no %s: %v", place, seen)
		}
	}
}

// isProviders and isClients tell whose a line of a log is.
func isProviders(line []byte) bool {
	return bytes.Contains(line, []byte("provider.terraform-provider-trustframework: "))
}

func isClients(line []byte) bool {
	return bytes.Contains(line, []byte("] ")) && !bytes.Contains(line, []byte(" provider."))
}

// firstLine is where the first line of a kind begins and ends. Without one both are the end of the content.
func firstLine(content []byte, is func(line []byte) bool) (begin, end int) {
	for begin < len(content) {
		line, _, _ := bytes.Cut(content[begin:], []byte("\n"))
		if is(line) {
			return begin, begin + len(line)
		}
		begin += len(line) + 1
	}
	return len(content), len(content)
}

// logLines parts a log after the first line of the provider's and the first of the client's own, whichever comes first,
// and tells whose they are.
func logLines(content []byte) (parts [][]byte, whose []string) {
	_, first := firstLine(content, isProviders)
	_, second := firstLine(content, isClients)
	whose = []string{"the provider's", "the client's"}
	if second < first {
		first, second = second, first
		slices.Reverse(whose)
	}
	return [][]byte{content[:first], content[first:second], content[second:]}, whose
}

// shortened is the beginning of a file and, of a log, the first line of either kind, wherever that is.
func shortened(place string, content []byte, most int) []byte {
	if len(content) <= most {
		return content
	}
	short := slices.Clone(content[:most])
	if strings.HasPrefix(place, "log/") {
		for _, is := range []func([]byte) bool{isProviders, isClients} {
			if begin, end := firstLine(content, is); end > most {
				short = slices.Concat(short, []byte("\n"), content[begin:end], []byte("\n"))
			}
		}
	}
	return short
}

// copyTo copies what the run has left, members of archives too, with each file spoiled. Long ones are
// shortened.
func (r *canaryRun) copyTo(root string, spoil func(place string, content []byte) []byte) {
	r.t.Helper()
	const most = 1 << 16
	archives, writers := map[string]*bytes.Buffer{}, map[string]*zip.Writer{}
	eachPlace(r.t, r.root, func(place string, from io.Reader) {
		if strings.HasPrefix(place, "name of ") {
			return
		}
		content, err := io.ReadAll(from)
		if err != nil {
			r.t.Fatal(err)
		}
		content = shortened(place, content, most)
		archive, member, inArchive := strings.Cut(place, "!")
		path := filepath.Join(root, archive)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			r.t.Fatal(err)
		}
		if !inArchive {
			if !bytes.HasPrefix(content, []byte("PK\x03\x04")) { // it is written from its members
				content = spoil(place, content)
			}
			r.leaves(path, content)
			return
		}
		if archives[archive] == nil {
			archives[archive] = &bytes.Buffer{}
			writers[archive] = zip.NewWriter(archives[archive])
		}
		out, err := writers[archive].Create(member)
		if err == nil {
			_, err = out.Write(spoil(place, content))
		}
		if err != nil {
			r.t.Fatal(err)
		}
	})
	for archive, writer := range writers {
		if err := writer.Close(); err != nil {
			r.t.Fatal(err)
		}
		r.leaves(filepath.Join(root, archive), archives[archive].Bytes())
	}
}
