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

// question is something that nobody has published. Asking it fails only if
// there is no answer: whatever the answer is, it is observed.
type question struct {
	label string // in the names of its key sets
	title string
	ask   func(context.Context, *session) error
}

func questions() []question {
	return slices.Concat(nameQuestions(), requestQuestions(), keyQuestions(), secretQuestions(), certificateQuestions(), fileQuestions(),
		activeQuestions(), statusQuestions(), backupQuestions(), replaceQuestions(), readQuestions(), lagQuestions())
}

// observation is what was seen for one request.
type observation struct {
	request string
	gist    string // status, code, and what the question is about; compared
	detail  string // the service's own words, or the beginning of the body
	timed   bool   // the detail is a measurement, which is never the same twice
}

// saw observes an answer, and facts about it.
func (s *session) saw(a answer, facts ...string) {
	gist := fmt.Sprint(a.status)
	code, message := a.failure()
	if code != "" {
		gist += " " + s.plain(code)
	}
	for _, name := range leaked(a.object()) {
		facts = append(facts, "PRIVATE MEMBER "+name)
	}
	if len(facts) > 0 {
		gist += "; " + strings.Join(facts, "; ")
	}
	detail := cut(s.plain(message))
	if message == "" {
		detail = s.excerpt(a)
	}
	s.found(a.request, gist, detail)
}

// found observes what isn't the answer to one request alone.
func (s *session) found(request, gist, detail string) {
	s.observed = append(s.observed, observation{request: request, gist: gist, detail: detail})
}

// leaked are the private members with a value anywhere in an answer.
func leaked(v any) []string {
	var names []string
	switch v := v.(type) {
	case object:
		for name, member := range v {
			if member != nil && slices.Contains(privateMembers(), name) {
				names = append(names, name)
			}
			names = append(names, leaked(member)...)
		}
	case []any:
		for _, element := range v {
			names = append(names, leaked(element)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fact is a fact by its truth.
func fact(yes bool, so, otherwise string) string {
	if yes {
		return so
	}
	return otherwise
}

// counted is a number of things.
func counted(n int, thing string) string {
	return fmt.Sprintf("%d %s", n, thing) + fact(n == 1, "", "s")
}

// sees reads an address and observes the answer with the facts about it.
func (s *session) sees(ctx context.Context, path string, facts func(answer) []string) error {
	a, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	if facts != nil && a.ok() {
		s.saw(a, facts(a)...)
	} else {
		s.saw(a)
	}
	return nil
}

// variants sends one generateKey for each body, to key sets that get no more
// than five keys each, and observes the answers.
func (s *session) variants(ctx context.Context, rest string, bodies ...string) error {
	const most = 5
	for i := 0; len(bodies) > 0; i++ {
		n, err := s.make(ctx, fmt.Sprintf("%s%d", rest, i))
		if err != nil {
			return err
		}
		for _, body := range bodies[:min(most, len(bodies))] {
			a, err := s.generate(ctx, n, body)
			if err != nil {
				return err
			}
			s.sawKey(a)
		}
		bodies = bodies[min(most, len(bodies)):]
	}
	return nil
}

// sawKey observes the answer to a generateKey, with the dates of the key.
func (s *session) sawKey(a answer) {
	if !a.ok() {
		s.saw(a)
		return
	}
	key := a.object()
	s.saw(a, fmt.Sprintf("kty %s, use %s, nbf %s, exp %s", text(key, "kty"), text(key, "use"), s.date(key["nbf"]), s.date(key["exp"])))
}

// date is a NumericDate as a distance from now.
func (s *session) date(v any) string {
	switch n, ok := number(v); {
	case v == nil:
		return "unset"
	case !ok:
		return s.plain(fmt.Sprint(v))
	default:
		return fact(n > 1e9, s.plain(fmt.Sprint(n)), fmt.Sprint(n))
	}
}

func nameQuestions() []question {
	return []question{
		{"unprefixed", "Does a name without B2C_1A_ address the key set?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			return s.sees(ctx, "keySets/"+n.unprefixed().given, nil)
		}},
		{"Case", "Do addresses compare names without case, and whose spelling answers?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			for _, path := range []string{"keySets/" + strings.ToLower(n.id), "keySets/" + strings.ToUpper(n.id), "/beta/trustframework/keysets/" + n.id} {
				if err := s.sees(ctx, path, func(a answer) []string {
					return []string{fact(a.text("id") == n.id, "the spelling of the create", "another spelling")}
				}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"Twin", "Is a name that differs in case another key set?", func(ctx context.Context, s *session) error {
			if _, err := s.make(ctx, "A"); err != nil {
				return err
			}
			return s.sawCreate(ctx, s.set("a"), "")
		}},
		{"chars", "Which characters may a name have?", func(ctx context.Context, s *session) error {
			for _, rest := range []string{"-", "a.b", "a b", "ä", "~"} { // what could be deleted again
				if err := s.sawCreate(ctx, s.set(rest), ""); err != nil {
					return err
				}
			}
			return nil
		}},
		{"length", "How long may a name be?", func(ctx context.Context, s *session) error {
			for _, length := range []int{64, 100, 128, 129, 200, 256} {
				n := s.set(fmt.Sprint(length))
				n = s.set(fmt.Sprint(length) + strings.Repeat("a", length-len(n.id)))
				a, err := s.create(ctx, n, "", nil)
				if err != nil {
					return err
				}
				a.request = fmt.Sprintf("POST keySets, a name of %d characters", length)
				s.saw(a)
			}
			return nil
		}},
		{"baknamed", "Can a key set be created with a name that ends with .bak?", func(ctx context.Context, s *session) error {
			return s.sawCreate(ctx, s.set("").backup(), "")
		}},
		{"duplicate", "What is the status of a create of a name that exists?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			return s.sawCreate(ctx, n, "")
		}},
		{"race", "What do two creates of a name at the same time answer?", func(ctx context.Context, s *session) error {
			n := s.set("")
			answers, err := s.together(ctx, 2, func(ctx context.Context) (answer, error) { return s.create(ctx, n, "", nil) })
			if err != nil {
				return err
			}
			s.sawTogether(answers)
			return nil
		}},
		{"unmade", "What is answered for a key set that doesn't exist?", func(ctx context.Context, s *session) error {
			n := s.set("")
			for _, below := range []string{"", "/getActiveKey", "/keys_v2", "/keys_v2/none"} {
				if err := s.sees(ctx, n.path(below), nil); err != nil {
					return err
				}
			}
			a, err := s.generate(ctx, n, octSig)
			if err != nil {
				return err
			}
			s.saw(a)
			if a, err = s.write(ctx, http.MethodDelete, n, "", "", nil); err != nil {
				return err
			}
			s.saw(a)
			return nil
		}},
		{"again", "Can a deleted name be created again at once, and does it start empty?", func(ctx context.Context, s *session) error {
			n, _, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			a, err := s.write(ctx, http.MethodDelete, n, "", "", nil)
			if err != nil {
				return err
			}
			s.saw(a)
			if err := s.sawCreate(ctx, n, ""); err != nil {
				return err
			}
			return s.sees(ctx, n.path(""), func(a answer) []string {
				keys, _ := a.list("keys")
				return []string{counted(len(keys), "key")}
			})
		}},
		{"members", "Which members may a create have besides the id?", func(ctx context.Context, s *session) error {
			k := s.newSecret()
			for i, rest := range []string{
				`,"keys":[]`, `,"keys":null`, `,"usage":"sig","keys":[]`, `,"unknown":1`, `,`,
				`,"keys":[{"use":"sig","kty":"oct","k":"` + k + `"}]`,
			} {
				if err := s.sawCreate(ctx, s.set(fmt.Sprint(i)), rest); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// sawCreate creates a key set and observes the answer.
func (s *session) sawCreate(ctx context.Context, n setName, rest string) error {
	a, err := s.create(ctx, n, rest, nil)
	if err != nil {
		return err
	}
	keys, _ := a.list("keys")
	switch {
	case !a.ok():
		s.saw(a)
	default:
		s.saw(a, fact(a.text("id") == n.id, "named as asked", "named otherwise"), counted(len(keys), "key"))
	}
	return nil
}

// sawTogether observes the answers to equal requests at the same time, in an
// order of their own.
func (s *session) sawTogether(answers []answer, facts ...string) {
	var gists, details []string
	for _, a := range answers {
		code, message := a.failure()
		gists = append(gists, strings.TrimSpace(fmt.Sprint(a.status)+" "+code))
		details = append(details, s.plain(message))
	}
	slices.Sort(gists)
	slices.Sort(details)
	gist := strings.Join(append([]string{strings.Join(gists, " and ")}, facts...), "; ")
	s.found(fmt.Sprintf("%d times at once: %s", len(answers), answers[0].request), gist, cut(strings.Join(slices.Compact(details), " ")))
}
