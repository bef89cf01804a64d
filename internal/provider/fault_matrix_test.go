// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// specification is the page whose tables are held against the provider here: what the page says is what is
// tested, row by row and operation by operation.
const specification = "../../templates/guides/what-happens-when.md"

// operations are the requests that each column of the tables is about.
func operations() map[string][]emulator.Op {
	return map[string][]emulator.Op{
		"Create a key set, make a key": {
			emulator.OpCreate, emulator.OpGenerateKey, emulator.OpUploadSecret, emulator.OpUploadCertificate, emulator.OpUploadPKCS12,
		},
		"Create a key set":               {emulator.OpCreate},
		"Make a key":                     {emulator.OpGenerateKey, emulator.OpUploadSecret, emulator.OpUploadCertificate, emulator.OpUploadPKCS12},
		"Delete a key set, set a status": {emulator.OpDelete, emulator.OpPatchKey},
		"Read":                           {emulator.OpList, emulator.OpGet, emulator.OpListKeys, emulator.OpGetKey, emulator.OpGetActiveKey},
		"Sign in":                        {emulator.OpDiscovery, emulator.OpToken},
	}
}

// readTable reads the table that follows a marker: its words by row and column.
func readTable(t *testing.T, marker string) map[string]map[string]string {
	t.Helper()
	page, err := os.ReadFile(specification)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- "+marker+" -->\n")
	var header []string
	table := map[string]map[string]string{}
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case header == nil:
			header = cells
			for _, column := range cells[1:] {
				if _, ok := operations()[column]; !ok {
					t.Fatalf("no operation is in column %q", column)
				}
			}
		case !strings.HasPrefix(cells[0], "---"):
			table[cells[0]] = map[string]string{}
			for i, word := range cells[1:] {
				table[cells[0]][header[i+1]] = word
			}
		}
	}
	if len(table) == 0 {
		t.Fatalf("no table %q", marker)
	}
	return table
}

// TestFaults_Once: one request meets one fault.
func TestFaults_Once(t *testing.T) {
	t.Parallel()
	table := readTable(t, "once")
	rows, sources := faults(), keySources(t)
	if tested, told := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(table)); !slices.Equal(tested, told) {
		t.Fatalf("the page has the rows\n%q\nand the test\n%q", told, tested)
	}
	eachCell(t, table, func(t *testing.T, row, word string, op emulator.Op) {
		t.Helper()
		c := newCell(t, sources, op, rows[row], 1)
		said := c.run()
		took := c.clock.Now().Sub(c.begun)
		switch word {
		case "again":
			c.silent(said, 2)
		case "wait":
			c.silent(said, 2)
			if took < rows[row].asks-time.Second { // a date has no parts of a second
				t.Errorf("waited %s", took)
			}
		case "look":
			c.silent(said, 2)
			if took < time.Minute {
				t.Errorf("looked for %s", took)
			}
		case "done":
			c.silent(said, 1)
		case "found":
			c.found(said)
		case "error":
			c.refused(said, "Signing in with client secret failed")
		default:
			t.Errorf("%q is no word of the table", word)
		}
	})
}

// TestFaults_Lasting: every request of an operation meets the fault.
func TestFaults_Lasting(t *testing.T) {
	t.Parallel()
	rows, sources := faults(), keySources(t)
	eachCell(t, readTable(t, "lasting"), func(t *testing.T, row, word string, op emulator.Op) {
		t.Helper()
		if _, ok := rows[row]; !ok {
			t.Fatalf("no such fault")
		}
		c := newCell(t, sources, op, rows[row], -1)
		said := c.run()
		text, ok := map[string]string{
			"not sent":  "did not reach the service",
			"unknown":   "The answer to the request was lost",
			"slow down": "The service asked to slow down",
			"failed":    "The service failed on the request",
			"denied":    "The service doesn't accept the token",
		}[word]
		switch {
		case word == "found":
			c.found(said)
		case word == "done": // and a look has shown it
			c.silent(said, 4)
		case !ok:
			t.Errorf("%q is no word of the table", word)
		default:
			c.refused(said, text)
		}
		if n := c.attempts(); word == "unknown" && n != 4 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestFaults_Lasting_SignIn: no request goes to Graph without a token.
func TestFaults_Lasting_SignIn(t *testing.T) {
	t.Parallel()
	c := newCell(t, nil, emulator.OpToken, faults()["`503`"], -1)
	c.refused(c.run(), "Signing in with client secret failed")
	if n := len(c.Requests()); n > 0 {
		t.Errorf("%d requests to Graph", n)
	}
}

// eachCell runs a test for each operation of each cell that says something.
func eachCell(t *testing.T, table map[string]map[string]string, test func(t *testing.T, row, word string, op emulator.Op)) {
	t.Helper()
	for row, words := range table {
		for column, ops := range operations() {
			word, ok := words[column]
			if !ok || word == "–" {
				continue
			}
			for _, op := range ops {
				t.Run(row+"/"+string(op), func(t *testing.T) {
					t.Parallel()
					test(t, row, word, op)
				})
			}
		}
	}
}
