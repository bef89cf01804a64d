// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// readQuestions are about the listing, OData options, and what surrounds an
// answer. Of the listing they tell nothing but what this run has made.
func readQuestions() []question {
	return []question{
		{"options", "Which OData options does the listing take?", func(ctx context.Context, s *session) error {
			var made []string
			for _, rest := range []string{"b", "c", "a"} {
				n, err := s.make(ctx, rest)
				if err != nil {
					return err
				}
				made = append(made, n.id)
			}
			n := s.set("a")
			for _, query := range []string{
				"", "?$top=1", "?$skip=1", "?$filter=" + url.PathEscape("id eq '"+n.id+"'"),
				"?$filter=" + url.PathEscape("startswith(id,'"+n.id+"')"), "?$orderby=id", "?$orderby=" + url.PathEscape("id desc"),
				"?$count=true", "?$select=id", "?$expand=keys_v2", "?$search=" + url.PathEscape(`"`+n.id+`"`), "?unknown=1", "/$count",
			} {
				if err := s.sees(ctx, "keySets"+query, func(a answer) []string { return s.aboutListing(a, made) }); err != nil {
					return err
				}
			}
			return nil
		}},
		{"batch", "Does $batch reach trustFramework?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			a, err := s.batch(ctx, n.path(""))
			if err != nil {
				return err
			}
			answers, ok := a.list("responses")
			if !ok {
				s.saw(a)
				return nil
			}
			var facts []string
			for _, inner := range answers {
				body, _ := inner["body"].(object)
				facts = append(facts, fmt.Sprintf("inner status %v, %s", inner["status"], fact(text(body, "id") == n.id, "the key set", "not the key set")))
			}
			s.saw(a, facts...)
			return nil
		}},
		{"context", "What are the @odata.context strings?", func(ctx context.Context, s *session) error {
			about := func(a answer) []string {
				return []string{fact(a.text("@odata.context") == "", "none", s.plain(a.text("@odata.context")))}
			}
			n := s.set("")
			a, err := s.create(ctx, n, "", nil)
			if err != nil {
				return err
			}
			s.saw(a, about(a)...)
			if a, err = s.generate(ctx, n, octSig); err != nil {
				return err
			}
			s.saw(a, about(a)...)
			for _, path := range []string{
				"keySets", n.path(""), n.path("/getActiveKey"), n.path("/keys_v2"), n.path("/keys_v2/" + url.PathEscape(a.text("kid"))),
			} {
				if err := s.sees(ctx, path, about); err != nil {
					return err
				}
			}
			return nil
		}},
		{"headers", "Which headers surround an answer?", func(ctx context.Context, s *session) error {
			about := func(a answer) []string {
				return []string{
					"Content-Type " + fact(a.header.Get("Content-Type") == "", "none", a.header.Get("Content-Type")),
					fact(a.header.Get("request-id") == "", "no request-id", "request-id"),
					fact(a.header.Get("client-request-id") == "", "no client-request-id", "client-request-id"),
				}
			}
			n := s.set("")
			a, err := s.create(ctx, n, "", nil)
			if err != nil {
				return err
			}
			s.saw(a, append(about(a), "Location "+s.plain(a.header.Get("Location")))...)
			if a, err = s.get(ctx, s.set("none").path("")); err != nil {
				return err
			}
			failure, _ := a.object()["error"].(object)
			inner, _ := failure["innerError"].(object)
			s.saw(a, append(about(a), "innerError "+strings.Join(members(inner), " "))...)
			if a, err = s.write(ctx, http.MethodDelete, n, "", "", nil); err != nil {
				return err
			}
			s.saw(a, about(a)...)
			return nil
		}},
	}
}

// aboutListing tells of a listing how it was formed, and nothing of what others
// have made.
func (s *session) aboutListing(a answer, made []string) []string {
	if a.object() == nil {
		return []string{"Content-Type " + a.header.Get("Content-Type"), fact(digits.Match(a.body), "a number", "no number")}
	}
	sets, ok := a.list("value")
	if !ok {
		return []string{"no list"}
	}
	var ours, names []string
	for _, set := range sets {
		names = append(names, strings.Join(members(set), " "))
		if id := text(set, "id"); slices.Contains(made, id) {
			ours = append(ours, id)
		}
	}
	slices.Sort(names)
	facts := []string{
		fact(len(sets) < 2, counted(len(sets), "key set"), "several key sets"),
		fmt.Sprintf("%d of the %d just made", len(ours), len(made)),
		"members " + strings.Join(slices.Compact(names), ", or "),
		fact(a.text("@odata.nextLink") == "", "no nextLink", "nextLink with "+strings.Join(parameters(a.text("@odata.nextLink")), " ")),
	}
	sorted := slices.Sorted(slices.Values(made))
	down := slices.Clone(sorted)
	slices.Reverse(down)
	for order, as := range map[string][]string{"as made": made, "sorted": sorted, "sorted down": down} {
		if slices.Equal(ours, as) {
			facts = append(facts, order)
		}
	}
	if a.object()["@odata.count"] != nil {
		facts = append(facts, "@odata.count")
	}
	return facts
}

// lagQuestions measure how long what was written takes to show.
func lagQuestions() []question {
	return []question{
		{"lagset", "How long does a new key set take to show?", func(ctx context.Context, s *session) error {
			n := s.set("")
			a, err := s.create(ctx, n, "", nil)
			if err != nil {
				return err
			}
			if err := a.want(http.StatusCreated); err != nil {
				return err
			}
			s.sawLag(ctx, "by its address", func(ctx context.Context) error { return s.shows(ctx, n.path(""), isThere) })
			s.sawLag(ctx, "in the listing", func(ctx context.Context) error {
				set, err := s.listed(ctx, n)
				if err == nil && set == nil {
					err = errUnseen
				}
				return err
			})
			return nil
		}},
		{"lagkey", "How long does a new key take to show?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			a, err := s.generate(ctx, n, octSig)
			if err != nil {
				return err
			}
			if err := a.want(http.StatusOK); err != nil {
				return err
			}
			kid := a.text("kid")
			s.sawLag(ctx, "in its key set", func(ctx context.Context) error { return s.shows(ctx, n.path(""), hasKid(kid)) })
			s.sawLag(ctx, "in the listing", func(ctx context.Context) error {
				set, err := s.listed(ctx, n)
				if keys, _ := list(set, "keys"); err == nil && !slices.Contains(kids(keys), kid) {
					err = errUnseen
				}
				return err
			})
			s.sawLag(ctx, "in keys_v2", func(ctx context.Context) error {
				return s.shows(ctx, n.path("/keys_v2/"+url.PathEscape(kid)), isThere)
			})
			s.sawLag(ctx, "as the active key", func(ctx context.Context) error { return s.shows(ctx, n.path("/getActiveKey"), isThere) })
			return nil
		}},
		{"laggone", "How long does a deletion take to show?", func(ctx context.Context, s *session) error {
			n, _, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			a, err := s.write(ctx, http.MethodDelete, n, "", "", nil)
			if err != nil {
				return err
			}
			if err := a.want(http.StatusNoContent); err != nil {
				return err
			}
			s.sawLag(ctx, "by its address", func(ctx context.Context) error { return s.shows(ctx, n.path(""), isGone) })
			s.sawLag(ctx, "in the listing", func(ctx context.Context) error {
				set, err := s.listed(ctx, n)
				if err == nil && set != nil {
					err = errUnseen
				}
				return err
			})
			s.sawLag(ctx, "as a backup", func(ctx context.Context) error { return s.shows(ctx, n.backup().path(""), isThere) })
			return nil
		}},
	}
}

// sawLag observes how long something takes to show: whether the first look
// finds it is compared, the time is told.
func (s *session) sawLag(ctx context.Context, where string, look func(context.Context) error) {
	seen := s.watch(ctx, look)
	switch {
	case seen.err != nil:
		s.found(where, "never within "+s.patience.String(), s.plain(seen.err.Error()))
	default:
		s.found(where, fact(seen.looks == 1, "at the first look", "later"), counted(seen.looks, "look")+", "+seen.took.Round(10*time.Millisecond).String())
		s.observed[len(s.observed)-1].timed = true
	}
}
