// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package errorcode_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

func TestAll_IsWhole(t *testing.T) {
	t.Parallel()
	classes := []errorcode.Class{errorcode.Gone, errorcode.Exists, errorcode.Refused, errorcode.Throttled, errorcode.Transient, errorcode.Mistake}
	code := regexp.MustCompile(`^AADB2C([0-9]{5})?$`)
	sentences := regexp.MustCompile(`^[A-Z].*\.$`)
	before := ""
	for _, e := range errorcode.All() {
		if !code.MatchString(e.Code) || e.Code <= before {
			t.Errorf("%q comes after %q", e.Code, before)
		}
		before = e.Code
		if !slices.Contains(classes, e.Class) || e.Mark != errorcode.Observed && e.Mark != errorcode.Documented {
			t.Errorf("%s: class %q, mark %q", e.Code, e.Class, e.Mark)
		}
		if !sentences.MatchString(e.Meaning) || !sentences.MatchString(e.Advice) {
			t.Errorf("%s: no sentences: %q, %q", e.Code, e.Meaning, e.Advice)
		}
		if strings.ContainsAny(e.Meaning+e.Advice, "{}|<>\n") {
			t.Errorf("%s: what the page can't show: %q, %q", e.Code, e.Meaning, e.Advice)
		}
	}
}

// TestAll_WhatDecides: these codes change what the provider does or what an error points at, so that none may join
// or leave them by mistake.
func TestAll_WhatDecides(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, e := range errorcode.All() {
		for _, property := range []string{string(e.Class), e.Attribute} {
			got[property] = strings.TrimSpace(got[property] + " " + strings.TrimPrefix(e.Code, "AADB2C"))
		}
	}
	for property, want := range map[string]string{
		string(errorcode.Gone):      "90073",
		string(errorcode.Exists):    "90180 95028",
		string(errorcode.Throttled): "90229 90244 95043",
		string(errorcode.Transient): "90063 95053",
		"key_set_id":                "90019 90073 90130 90131 90132 90133 90134 90135 90220 95052",
		"name":                      "95027 95028",
		"use":                       "95033 95042",
		"kty":                       "90089 95030 95031 95032 95037",
		"exp":                       "90214",
		"certificate_pem":           "90179",
		"password_wo":               "90213 95025",
		"status":                    "99014",
	} {
		if got[property] != want {
			t.Errorf("%s: %s, want %s", property, got[property], want)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, e := range errorcode.All() {
		if got, ok := errorcode.Lookup(e.Code); !ok || got != e || errorcode.ClassOf(e.Code) != e.Class {
			t.Errorf("%s: got %+v", e.Code, got)
		}
	}
	for _, code := range []string{"", "AADB2C9", "AADB2C90000", "AADB2C99999", "aadb2c90073", "AADB2C90073 ", "90073", "UnknownError", "TooManyRequests"} {
		if got, ok := errorcode.Lookup(code); ok || got != (errorcode.Entry{}) || errorcode.ClassOf(code) != "" {
			t.Errorf("%q: got %+v", code, got)
		}
	}
	if errorcode.ClassOf(errorcode.NoActiveKey) != errorcode.Refused {
		t.Error("no entry for the code of a set without an active key")
	}
}

// TestAll_HasEveryCodeOfTheFacts reads the codes in section 5 of the project's fact sheet, where there is one
// beside the clone.
func TestAll_HasEveryCodeOfTheFacts(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../../shared/graph-api.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no fact sheet beside the clone")
	}
	if err != nil {
		t.Fatal(err)
	}
	_, section, begun := strings.Cut(string(content), "\n## 5. ")
	section, _, ended := strings.Cut(section, "\n## 6. ")
	if !begun || !ended {
		t.Fatal("the fact sheet has no section 5")
	}
	codes := map[string]bool{}
	// Numbers stand alone or as ranges, with and without the prefix.
	for _, m := range regexp.MustCompile(`(?:AADB2C|\b)(9[059]\d{3})\b(?:–(9[059]\d{3}))?`).FindAllStringSubmatch(section, -1) {
		first, _ := strconv.Atoi(m[1])
		last, err := strconv.Atoi(m[2])
		if err != nil {
			last = first
		}
		for n := first; n <= last; n++ {
			codes[fmt.Sprintf("AADB2C%d", n)] = true
		}
	}
	if len(codes) < 50 {
		t.Fatalf("only %d codes found", len(codes))
	}
	for code := range codes {
		if _, ok := errorcode.Lookup(code); !ok {
			t.Errorf("%s has no entry", code)
		}
	}
	for _, e := range errorcode.All() {
		if e.Code != "AADB2C" && !codes[e.Code] {
			t.Errorf("%s isn't in the fact sheet", e.Code)
		}
	}
}
