// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestFaults_Lies: one request is answered what the service would not have answered.
func TestFaults_Lies(t *testing.T) {
	t.Parallel()
	table := readTable(t, "lies")
	rows, sources := lies(), keySources(t)
	if tested, told := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(table)); !slices.Equal(tested, told) {
		t.Fatalf("the page has the rows\n%q\nand the test\n%q", told, tested)
	}
	eachCell(t, table, func(t *testing.T, row, word string, op emulator.Op) {
		t.Helper()
		if slices.Contains(rows[row].skips, op) {
			t.Skip("the row isn't about this request")
		}
		c := newCell(t, sources, op, rows[row], 1)
		said := c.run()
		took := c.clock.Now().Sub(c.begun)
		switch word {
		case "again":
			c.silent(said, 2)
		case "look":
			c.silent(said, 2)
			if took < time.Minute {
				t.Errorf("looked for %s, want a minute at least", took)
			}
		case "found":
			c.found(said)
		case "done":
			c.done(said)
		case "not done":
			c.contradicted(said)
		case "doubt":
			c.doubted(said)
		case "kept":
			c.kept(said)
		case "ignored":
			c.silent(said, 1)
			if n := len(c.Requests(emulator.OpGet)); op == emulator.OpList && n > 0 {
				t.Errorf("%d sets were read by themselves, want the listing to have been enough", n)
			}
		case "there":
			if len(said) != 1 || said.failed() || !strings.Contains(said[0].Summary, `"B2C_1A_Other" may have been there before`) {
				t.Errorf("got %v, want a warning that names the key set", said)
			}
			if got := c.attributes(c.after)["id"]; got != "B2C_1A_Other" {
				t.Errorf("got %q in state, want B2C_1A_Other", got)
			}
		case "error":
			c.refused(said, "Signing in with client secret failed")
		default:
			t.Errorf("%q is no word of the table", word)
		}
		c.plain(said)
	})
}

// done expects a look to have shown that the work was done, and nothing to be said of it.
func (c *cell) done(said said) {
	c.t.Helper()
	if len(said) > 0 {
		c.t.Error(said)
	}
	c.worked()
}

// contradicted expects an error that says that the work wasn't done though the answer looked like a success, with
// the service's words if there were any, and what was there still in state.
func (c *cell) contradicted(said said) {
	c.t.Helper()
	c.doubted(said)
	if strings.Contains(c.t.Name(), "an_error_in_it") && !strings.Contains(said.String(), "Denied by policy.") {
		c.t.Errorf("want the service's words in %v", said)
	}
}

// doubted expects an error that doesn't say that nothing was changed, and what was there still in state.
func (c *cell) doubted(said said) {
	c.t.Helper()
	if !said.failed() || len(said) != 1 || strings.Contains(said.String(), "Nothing was changed") {
		c.t.Errorf("want one error that leaves open what was changed, got %v", said)
	}
	c.unmoved()
}

// kept expects what is in state to stay there: the answer isn't believed, and what it should have told is an error, is
// said to be unknown, or is read in another way.
func (c *cell) kept(said said) {
	c.t.Helper()
	if len(said) > 1 || len(said) == 1 && !said.failed() && !strings.Contains(said.String(), "isn't known") {
		c.t.Errorf("want one error, one warning that something isn't known, or nothing, got %v", said)
	}
	for _, gone := range []string{"has vanished", "is gone", "There is no key set"} {
		if strings.Contains(said.String(), gone) {
			c.t.Errorf("%q is said of what is there: %v", gone, said)
		}
	}
	if c.op == emulator.OpGetActiveKey && !said.failed() {
		c.worked()
	}
	if n := c.attempts(); n > mostPages {
		c.t.Errorf("%d requests, want %d at most", n, mostPages)
	}
	c.unmoved()
}

// unmoved expects the state to be as it was.
func (c *cell) unmoved() {
	c.t.Helper()
	was, is := c.attributes(c.before), c.attributes(c.after)
	for _, name := range []string{"id", "name", "kid", "status"} {
		if was[name] != is[name] {
			c.t.Errorf("%s in state is %q, want %q as before", name, is[name], was[name])
		}
	}
}

// plain expects nothing to be said that steers a terminal, hides, or goes on without end.
func (c *cell) plain(said said) {
	c.t.Helper()
	for _, d := range said {
		if at := strings.IndexFunc(d.Summary, hidden); at >= 0 {
			c.t.Errorf("a control character in the summary %q", d.Summary)
		}
		if at := strings.IndexFunc(strings.ReplaceAll(d.Detail, "\n", ""), hidden); at >= 0 {
			c.t.Errorf("a control character in the detail %q", d.Detail)
		}
		if len(d.Summary) > 300 || len(d.Detail) > 6<<10 {
			c.t.Errorf("%d and %d bytes are too long to be read", len(d.Summary), len(d.Detail))
		}
		if strings.Contains(d.Detail, "\nNo changes.") {
			c.t.Errorf("a line of the answer's own making in %q", d.Detail)
		}
	}
}

func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
