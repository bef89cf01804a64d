// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// activeQuestions are about getActiveKey.
func activeQuestions() []question {
	return []question{
		{"inactive", "What does getActiveKey answer when no key is valid?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			if err := s.sees(ctx, n.path("/getActiveKey"), nil); err != nil {
				return err
			}
			if _, err := s.key(ctx, n, begun(s.now()+day)); err != nil {
				return err
			}
			a, err := s.get(ctx, n.path("/getActiveKey"))
			if err != nil {
				return err
			}
			a.request += " with a key that begins tomorrow"
			s.saw(a)
			return nil
		}},
		{"disabled", "What does getActiveKey answer when the only key is disabled?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			a, err := s.patch(ctx, n, made[0], `{"status":"disabled"}`)
			if err != nil {
				return err
			}
			s.saw(a)
			if a.ok() {
				s.allow(ctx, n.path("/keys_v2/"+url.PathEscape(made[0])), hasStatus("disabled"))
			}
			return s.sees(ctx, n.path("/getActiveKey"), nil)
		}},
		{"over", "What does getActiveKey answer when the only key has expired, and does the key stay?", func(ctx context.Context, s *session) error {
			const life = 5
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			exp := s.now() + life
			a, err := s.generate(ctx, n, fmt.Sprintf(`{"use":"sig","kty":"oct","exp":%d}`, exp))
			if err != nil {
				return err
			}
			s.sawKey(a)
			if err := wait(ctx, time.Duration(exp+1-s.now())*time.Second); err != nil {
				return err
			}
			if err := s.sees(ctx, n.path("/getActiveKey"), nil); err != nil {
				return err
			}
			return s.sees(ctx, n.path(""), func(a answer) []string {
				keys, _ := a.list("keys")
				return []string{counted(len(keys), "key")}
			})
		}},
		{"ties", "Which of equal keys is active?", func(ctx context.Context, s *session) error {
			for i, body := range []string{octSig, begun(s.now() - hour)} {
				n, made, err := s.keySet(ctx, fmt.Sprint(i), body, body)
				if err != nil {
					return err
				}
				if err := s.sees(ctx, n.path("/getActiveKey"), func(a answer) []string {
					return []string{fact(i == 0, "undated", "equal nbf"), fact(a.text("kid") == made[0], "the first", fact(a.text("kid") == made[1], "the last", "neither"))}
				}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"post", "What does POST getActiveKey answer?", func(ctx context.Context, s *session) error {
			n, _, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			a, err := s.write(ctx, http.MethodPost, n, "/getActiveKey", "", nil)
			if err != nil {
				return err
			}
			s.saw(a)
			return nil
		}},
	}
}

// statusQuestions are about keys_v2 and the status of keys.
func statusQuestions() []question {
	return []question{
		{"initial", "Which status has a new key, and do key sets and actions show it?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			status := func(key object) string { return fact(key["status"] == nil, "no status", "status "+text(key, "status")) }
			a, err := s.generate(ctx, n, octSig)
			if err != nil {
				return err
			}
			s.saw(a, status(a.object()))
			if _, err := s.until(ctx, n.path(""), hasKid(a.text("kid"))); err != nil {
				return err
			}
			if err := s.sees(ctx, n.path(""), func(a answer) []string { return s.ofKeys(a, "keys", status) }); err != nil {
				return err
			}
			if err := s.sees(ctx, n.path("/keys_v2"), func(a answer) []string { return s.ofKeys(a, "value", status) }); err != nil {
				return err
			}
			return s.sees(ctx, n.path("/getActiveKey"), func(a answer) []string { return []string{status(a.object())} })
		}},
		{"wrapped", "Is keys_v2/{kid} bare, or wrapped in value as its documented example is?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			path := n.path("/keys_v2/" + url.PathEscape(made[0]))
			return s.sees(ctx, path, func(a answer) []string {
				facts := []string{fact(a.object()["value"] == nil, "bare", "wrapped")}
				return append(facts, strings.Join(members(unwrapped(a)), " "))
			})
		}},
		{"kid", "What is answered for a kid that a key set hasn't got, or in another case?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			for _, kid := range []string{"none", swapCase(made[0])} {
				a, err := s.get(ctx, n.path("/keys_v2/"+url.PathEscape(kid)))
				if err != nil {
					return err
				}
				if kid != "none" {
					a.request = s.plain("GET " + n.path("/keys_v2/<the kid in another case>"))
				}
				s.saw(a)
			}
			a, err := s.patch(ctx, n, "none", `{"status":"disabled"}`)
			if err != nil {
				return err
			}
			s.saw(a)
			return nil
		}},
		{"patchkey", "What does PATCH keys_v2/{kid} take?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig, octSig)
			if err != nil {
				return err
			}
			later := fmt.Sprintf(`{"exp":%d}`, s.now()+365*day)
			for _, body := range []string{
				`{"status":"enabled"}`, `{"status":"Disabled"}`, `{"status":"unknownFutureValue"}`, `{"status":null}`, `{}`,
				`{"status":"enabled","use":"sig"}`, `{"@odata.type":"#microsoft.graph.trustFrameworkKey_v2","status":"enabled"}`, later,
			} {
				a, err := s.patch(ctx, n, made[0], body)
				if err != nil {
					return err
				}
				s.saw(a)
			}
			return nil
		}},
		{"forms", "Which other addresses do keys and functions have?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			for _, below := range []string{
				"/keys_v2('" + made[0] + "')", "/keys", "/microsoft.graph.getActiveKey", "/microsoft.graph.getActiveKey()", "/GETACTIVEKEY", "/getActiveKey/", "/",
			} {
				if err := s.sees(ctx, n.path(below), nil); err != nil {
					return err
				}
			}
			return errors.Join(
				s.sees(ctx, "/v1.0/trustFramework/"+n.path(""), nil),
				s.sees(ctx, "/beta//trustFramework/"+n.path(""), nil),
				s.sees(ctx, "/beta/trustFramework", nil),
			)
		}},
		{"count", "Has keys_v2 a $count, and does it take options?", func(ctx context.Context, s *session) error {
			n, _, err := s.keySet(ctx, "", octSig, octSig)
			if err != nil {
				return err
			}
			for _, below := range []string{"/keys_v2/$count", "/keys_v2?$top=1", "/keys_v2?$select=kid", "?$select=id", "?$expand=keys_v2"} {
				if err := s.sees(ctx, n.path(below), func(a answer) []string {
					keys, ok := a.list("value")
					return []string{fact(ok, counted(len(keys), "key"), strings.Join(slices.DeleteFunc(members(a.object()), isAnnotation), " "))}
				}); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

func isAnnotation(name string) bool { return strings.Contains(name, "@") }

// swapCase turns the case of each letter: a kid that nobody has given out, and
// that a comparison without case takes for the same.
func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}
