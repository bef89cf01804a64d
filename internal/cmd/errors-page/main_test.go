// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

// TestRun_IsThePage: the page in docs/ is the one that the catalog makes, with a heading for every code.
func TestRun_IsThePage(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../../../templates/guides/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/guides/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(bytes.NewReader(template), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != string(page) {
		t.Error("docs/guides/errors.md isn't what make docs writes")
	}
	for _, e := range errorcode.All() {
		_, section, ok := strings.Cut(string(page), "\n### "+e.Code+"\n")
		section, _, _ = strings.Cut(section, "\n##")
		if !ok || !strings.Contains(section, string(e.Class)) || !strings.Contains(section, string(e.Mark)) ||
			!strings.Contains(section, e.Meaning) || !strings.Contains(section, e.Advice) {
			t.Errorf("%s: %s", e.Code, section)
		}
	}
}

func TestRun_WithoutAPlaceForTheCatalog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(strings.NewReader("# Errors\n"), &out); err == nil || out.Len() > 0 {
		t.Errorf("error %v, page %q", err, out.String())
	}
}
