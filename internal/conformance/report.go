// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
)

// run is what a report is made of: the checks and questions in the order of
// their tables.
type run struct {
	service  *service
	emulator *service // asked the same, to compare with; nil if it is the service
	checked  []checked
	asked    []asked
	left     []string // key sets that couldn't be deleted
	leftErr  error
}

type checked struct {
	check
	err error
}

type asked struct {
	question
	service, emulator []observation
	err               error
}

// check runs one check and notes the outcome.
func (r *run) check(ctx context.Context, c check) error {
	s := r.service.session(c.label)
	defer s.close(context.WithoutCancel(ctx))
	err := c.run(ctx, s)
	r.checked = append(r.checked, checked{c, err})
	return err
}

// ask asks the service and the emulator. An error means that the question
// couldn't be asked.
func (r *run) ask(ctx context.Context, q question) error {
	a := asked{question: q}
	var group sync.WaitGroup
	var err error
	if r.emulator != nil {
		group.Go(func() { a.emulator, err = r.emulator.ask(ctx, q) })
	}
	a.service, a.err = r.service.ask(ctx, q)
	if group.Wait(); a.err == nil && err != nil {
		a.err = fmt.Errorf("ask the emulator: %w", err)
	}
	r.asked = append(r.asked, a)
	return a.err
}

func (s *service) ask(ctx context.Context, q question) ([]observation, error) {
	session := s.session(q.label)
	defer session.close(context.WithoutCancel(ctx))
	err := q.ask(ctx, session)
	return session.observed, err
}

// row is a line of the table of questions.
type row struct {
	number, title, request string
	service, emulator      string // cells
	differs                string // "", "words" or "yes"
}

// rows puts the observations of a question side by side: those of equal
// requests, and then what only the emulator was asked.
func (r *run) rows(number int, a asked) []row {
	var rows []row
	left := append([]observation(nil), a.emulator...)
	for _, o := range a.service {
		row := row{request: o.request, service: cell(o)}
		if r.emulator != nil {
			row.emulator, row.differs = "not asked", "yes"
		}
		for i, e := range left {
			if e.request != o.request {
				continue
			}
			left = append(left[:i:i], left[i+1:]...)
			row.emulator, row.differs = cell(e), difference(o, e)
			break
		}
		rows = append(rows, row)
	}
	for _, e := range left {
		rows = append(rows, row{request: e.request, service: "not asked", emulator: cell(e), differs: "yes"})
	}
	if a.err != nil {
		rows = append(rows, row{request: "—", service: "**couldn't be asked:** " + code(r.service.plain(a.err.Error()))})
	}
	for i := range rows {
		rows[i].number, rows[i].title = fmt.Sprintf("%d.%d", number, i+1), a.title
	}
	return rows
}

func difference(a, b observation) string {
	switch {
	case a.gist != b.gist:
		return "yes"
	case a.detail != b.detail && !a.timed && !b.timed:
		return "words"
	}
	return ""
}

// markdown is the report. It has no time and no name of anybody in it: equal
// answers make equal reports.
func (r *run) markdown() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# What the service answers\n")
	if r.emulator == nil {
		line("Asked: the emulator of this repository.\n")
	} else {
		line("Asked: %s, and the emulator of this repository beside it.\n", cmp.Or(r.service.cloud(), "an endpoint that isn't one of Microsoft's"))
	}
	failed := 0
	for _, c := range r.checked {
		if c.err != nil {
			failed++
		}
	}
	line("%d of %d checks hold.", len(r.checked)-failed, len(checks()))

	var rows []row
	var differ, words []string
	for i, a := range r.asked {
		for _, row := range r.rows(i+1, a) {
			rows = append(rows, row)
			switch row.differs {
			case "yes":
				differ = append(differ, row.number)
			case "words":
				words = append(words, row.number)
			}
		}
	}
	if r.emulator != nil {
		line("%d of %d answers differ from the emulator's: %s.", len(differ), len(rows), cmp.Or(strings.Join(differ, ", "), "none"))
		line("%d more differ in their words only: %s.", len(words), cmp.Or(strings.Join(words, ", "), "none"))
	}
	line("\n## Checks\n")
	line("What is documented or was observed, and the provider counts on.\n")
	line("| check | mark | holds |\n|---|---|---|")
	for _, c := range r.checked {
		outcome := "yes"
		if c.err != nil {
			outcome = "**no:** " + code(cut(r.service.plain(c.err.Error())))
		}
		line("| %s | %s | %s |", c.says, c.mark, outcome)
	}
	line("\n## Questions\n")
	line("What nobody has published. Each answer is its status, its code and what the question is about, and below that the")
	line("service's own words. `…` stands for the random part of a name, `now` for the time of the request.\n")
	head, rule := "| | question | request | answer |", "|---|---|---|---|"
	if r.emulator != nil {
		head, rule = "| | question | request | service | emulator | differs |", "|---|---|---|---|---|---|"
	}
	line("%s\n%s", head, rule)
	title := ""
	for _, row := range rows {
		shown := row.title
		if shown == title {
			shown = ""
		}
		title = row.title
		if r.emulator != nil {
			line("| %s | %s | %s | %s | %s | %s |", row.number, shown, code(row.request), row.service, row.emulator, row.differs)
		} else {
			line("| %s | %s | %s | %s |", row.number, shown, code(row.request), row.service)
		}
	}
	if len(r.left) > 0 || r.leftErr != nil {
		line("\n## Left over\n")
		line("These key sets of the run couldn't be deleted: %s.", code(strings.Join(r.left, " ")))
		if r.leftErr != nil {
			line("\n%s", code(r.service.plain(r.leftErr.Error())))
		}
	}
	return b.String()
}

// cell is an observation in a table.
func cell(o observation) string {
	if o.detail == "" {
		return code(o.gist)
	}
	return code(o.gist) + "<br>" + code(o.detail)
}

// code is a text as Markdown code in a table: nothing in it has a meaning.
func code(text string) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(text) + "`"
}
