// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

// Command errors-page writes the documentation's page "Errors": it copies its standard input to its standard
// output, with the error catalog in place of the line that says so.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
)

// marker is the line that the catalog takes the place of.
const marker = "<!-- the error catalog -->\n"

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "errors-page:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	page, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	before, after, ok := strings.Cut(string(page), marker)
	if !ok {
		return fmt.Errorf("the page has no line %q", strings.TrimSpace(marker))
	}
	_, err = io.WriteString(out, before+catalog(errorcode.All())+after)
	return err
}

// catalog has a heading for each code, which gives it an anchor of its own.
func catalog(entries []errorcode.Entry) string {
	var sections []string
	for _, e := range entries {
		facts := fmt.Sprintf("%s, %s", e.Class, e.Mark)
		if e.Attribute != "" {
			facts += fmt.Sprintf(", about `%s`", e.Attribute)
		}
		sections = append(sections, fmt.Sprintf("### %s\n\n*%s*\n\n%s\n\n**What to do:** %s\n", e.Code, facts, e.Meaning, e.Advice))
	}
	return strings.Join(sections, "\n")
}
