// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// backupQuestions are about what DELETE leaves.
func backupQuestions() []question {
	return []question{
		{"bakempty", "Does an empty key set leave a .bak?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			return s.sawBackup(ctx, n, nil)
		}},
		{"bakkeys", "Does a .bak have the same keys?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig, octSig)
			if err != nil {
				return err
			}
			return s.sawBackup(ctx, n, [][]string{made})
		}},
		{"bakagain", "Does a second deletion of a name overwrite its .bak?", func(ctx context.Context, s *session) error {
			n, first, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			if err := s.sawBackup(ctx, n, [][]string{first}); err != nil {
				return err
			}
			_, second, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			return s.sawBackup(ctx, n, [][]string{first, second})
		}},
		{"bakbak", "Does the deletion of a .bak leave a .bak.bak?", func(ctx context.Context, s *session) error {
			n, made, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			if err := s.sawBackup(ctx, n, [][]string{made}); err != nil {
				return err
			}
			return s.sawBackup(ctx, n.backup(), [][]string{made})
		}},
		{"bakstatus", "Does a .bak keep the status of its keys?", func(ctx context.Context, s *session) error {
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
				if _, err := s.until(ctx, n.path("/keys_v2"), func(a answer) error {
					if keys, _ := a.list("value"); len(keys) != 1 || text(keys[0], "status") != "disabled" {
						return a.unexpected()
					}
					return nil
				}); err != nil {
					return err
				}
			}
			if err := s.sawBackup(ctx, n, [][]string{made}); err != nil {
				return err
			}
			return s.sees(ctx, n.backup().path("/keys_v2"), func(a answer) []string {
				return s.ofKeys(a, "value", func(key object) string { return "status " + text(key, "status") })
			})
		}},
	}
}

// sawBackup deletes a key set and observes what its backup's name answers then.
// Known are the kids that it may have, oldest first.
func (s *session) sawBackup(ctx context.Context, n setName, known [][]string) error {
	a, err := s.write(ctx, http.MethodDelete, n, "", "", nil)
	if err != nil {
		return err
	}
	s.saw(a)
	if !a.ok() {
		return nil
	}
	if _, err := s.until(ctx, n.path(""), isGone); err != nil {
		return err
	}
	s.allow(ctx, n.backup().path(""), func(a answer) error {
		keys, _ := a.list("keys")
		if !a.ok() || len(known) > 0 && !slices.Equal(kids(keys), known[len(known)-1]) {
			return errUnseen
		}
		return nil
	})
	return s.sees(ctx, n.backup().path(""), func(a answer) []string {
		keys, _ := a.list("keys")
		facts := []string{counted(len(keys), "key")}
		for i, kidsOf := range known {
			if slices.Equal(kids(keys), kidsOf) {
				facts = append(facts, "those of the "+fact(i == 0, "first", "second")+" deletion")
			}
		}
		return facts
	})
}

// replaceQuestions are about PUT and PATCH on key sets, which the provider never
// sends.
func replaceQuestions() []question {
	var all []question
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		all = append(all, question{strings.ToLower(method), "What does " + method + " on a key set do?", func(ctx context.Context, s *session) error {
			k := s.newSecret()
			for i, body := range []string{`{"keys":[]}`, `{"keys":[{"use":"sig","kty":"oct","k":"` + k + `"}]}`} {
				n, made, err := s.keySet(ctx, fmt.Sprint(i), octSig)
				if err != nil {
					return err
				}
				a, err := s.write(ctx, method, n, "", body, nil)
				if err != nil {
					return err
				}
				s.saw(a)
				if a.ok() {
					s.allow(ctx, n.path(""), func(a answer) error {
						if keys, _ := a.list("keys"); slices.Equal(kids(keys), made) {
							return errUnseen
						}
						return nil
					})
				}
				if err := s.sees(ctx, n.path(""), func(a answer) []string {
					keys, _ := a.list("keys")
					return []string{counted(len(keys), "key"), fact(slices.Equal(kids(keys), made), "as before", "not as before")}
				}); err != nil {
					return err
				}
				if err := s.sees(ctx, n.backup().path(""), nil); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	return all
}
