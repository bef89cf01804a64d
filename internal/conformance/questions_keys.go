// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
)

// requestQuestions are about what generateKey takes.
func requestQuestions() []question {
	return []question{
		{"kty", "How may kty be spelled, and how is it answered?", func(ctx context.Context, s *session) error {
			return errors.Join(
				s.variants(ctx, "rsa", `{"use":"sig","kty":"rsa"}`),
				s.variants(ctx, "oct", octSig, `{"use":"sig","kty":"OCT"}`, `{"use":"sig","kty":"Oct"}`),
				s.variants(ctx, "bad", `{"use":"sig","kty":"EC"}`, `{"use":"sig","kty":null}`, `{"use":"sig"}`, `{"use":"sig","kty":1}`),
			)
		}},
		{"use", "How may use be spelled?", func(ctx context.Context, s *session) error {
			return errors.Join(
				s.variants(ctx, "sig", `{"use":"SIG","kty":"oct"}`, `{"use":"Sig","kty":"oct"}`),
				s.variants(ctx, "bad", `{"use":"sign","kty":"oct"}`, `{"use":null,"kty":"oct"}`, `{"kty":"oct"}`),
			)
		}},
		{"extra", "Which other members may generateKey have?", func(ctx context.Context, s *session) error {
			return s.variants(ctx, "", `{"use":"sig","kty":"oct","k":null}`, `{"use":"sig","kty":"oct","nbf":null,"exp":null}`,
				`{"use":"sig","kty":"oct","kid":"chosen"}`, `{"use":"sig","kty":"oct","k":"`+s.newSecret()+`"}`,
				`{"use":"sig","kty":"oct","unknown":1}`, `{"use":"sig","kty":"oct","@odata.type":"#microsoft.graph.trustFrameworkKey"}`,
				`{"use":"sig","kty":"oct","status":"disabled"}`, `{"Use":"sig","Kty":"oct"}`)
		}},
		{"json", "How lenient is the reading of a body?", func(ctx context.Context, s *session) error {
			return s.variants(ctx, "", `{"use":"sig","kty":"oct",}`, `{"use":"sig","kty":"oct"`, `{"use":"sig","use":"sig","kty":"oct"}`, `[]`, `{}`)
		}},
		{"type", "Which content types may a body have?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			for _, media := range []string{"text/plain", "application/json; charset=iso-8859-1", "application/json;odata.metadata=minimal"} {
				a, err := s.write(ctx, http.MethodPost, n, "/generateKey", octSig, http.Header{"Content-Type": {media}})
				if err != nil {
					return err
				}
				a.request += " as " + media
				s.sawKey(a)
			}
			return nil
		}},
		{"nbf", "How near, or how far in the past, may nbf be?", func(ctx context.Context, s *session) error {
			at := s.now()
			return s.variants(ctx, "", begun(at), begun(at+hour), begun(at+4*hour), begun(at-hour), begun(at-3650*day), begun(0), begun(-1))
		}},
		{"far", "How near may exp be, and how far?", func(ctx context.Context, s *session) error {
			at := s.now()
			expires := func(exp int64) string { return fmt.Sprintf(`{"use":"sig","kty":"oct","exp":%d}`, exp) }
			return s.variants(ctx, "", expires(at-hour), expires(at+hour), expires(at+36500*day), expires(253402300799), expires(253402300800))
		}},
		{"order", "May nbf be equal to exp, or after it?", func(ctx context.Context, s *session) error {
			at := s.now()
			return s.variants(ctx, "", dated(at+day, at+day), dated(at+2*day, at+day))
		}},
		{"numbers", "May a date be a string, a fraction, or in milliseconds?", func(ctx context.Context, s *session) error {
			at := s.now() + day
			var bodies []string
			for _, form := range []string{`"N"`, `N.0`, `N.5`, `Ne0`, `N000`, `"tomorrow"`} {
				bodies = append(bodies, `{"use":"sig","kty":"oct","nbf":`+strings.ReplaceAll(form, "N", fmt.Sprint(at))+`}`)
			}
			return s.variants(ctx, "", bodies...)
		}},
		{"mix", "What is answered to a key of another use or kty?", func(ctx context.Context, s *session) error {
			n, _, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			for _, body := range []string{`{"use":"enc","kty":"oct"}`, rsaSig, `{"use":"enc","kty":"RSA"}`} {
				a, err := s.generate(ctx, n, body)
				if err != nil {
					return err
				}
				s.sawKey(a)
			}
			return nil
		}},
	}
}

// keyQuestions are about what generateKey makes.
func keyQuestions() []question {
	return []question{
		{"bits", "How long is a generated RSA key, and is its kid the thumbprint of RFC 7638?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			a, err := s.generate(ctx, n, rsaSig)
			if err != nil {
				return err
			}
			key := a.object()
			modulus, err := base64.RawURLEncoding.DecodeString(text(key, "n"))
			if !a.ok() || err != nil {
				s.saw(a)
				return nil //nolint:nilerr // an answer like any other
			}
			s.saw(a, fmt.Sprintf("%d bits, e %s", new(big.Int).SetBytes(modulus).BitLen(), text(key, "e")),
				fact(text(key, "kid") == thumbprint(key), "kid is the thumbprint", "kid isn't the thumbprint"),
				fmt.Sprintf("kid of %d characters", len(text(key, "kid"))))
			return nil
		}},
		{"octkid", "What does the kid of a symmetric key look like?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			a, err := s.generate(ctx, n, octSig)
			if err != nil {
				return err
			}
			s.saw(a, fmt.Sprintf("kid of %d characters", len(a.text("kid"))), fact(base64url.MatchString(a.text("kid")), "base64url", "not base64url"))
			return nil
		}},
		{"unset", "Is an omitted nbf or exp filled in?", func(ctx context.Context, s *session) error {
			n, _, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			return s.sees(ctx, n.path(""), func(a answer) []string {
				return s.ofKeys(a, "keys", func(key object) string { return "nbf " + s.date(key["nbf"]) + ", exp " + s.date(key["exp"]) })
			})
		}},
		{"shape", "Which members does a key have, and of which JSON type are its dates?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			at := s.now()
			a, err := s.generate(ctx, n, fmt.Sprintf(`{"use":"sig","kty":"RSA","nbf":%d,"exp":%d}`, at-hour, at+day))
			if err != nil {
				return err
			}
			about := func(key object) string {
				return fmt.Sprintf("%s; nbf is a %s", strings.Join(members(key), " "), fact(isNumber(key["nbf"]), "number", "string or missing"))
			}
			key := a.object()
			delete(key, "@odata.context")
			s.saw(a, about(key))
			if _, err = s.until(ctx, n.path(""), hasKid(text(key, "kid"))); err != nil {
				return err
			}
			if err := s.sees(ctx, n.path(""), func(a answer) []string { return s.ofKeys(a, "keys", about) }); err != nil {
				return err
			}
			return s.sees(ctx, n.path("/keys_v2"), func(a answer) []string { return s.ofKeys(a, "value", about) })
		}},
		{"sequence", "In which order does a key set have its keys, and does it take five?", func(ctx context.Context, s *session) error {
			at := s.now()
			n, made, err := s.keySet(ctx, "", begun(at-hour), octSig, begun(at-day), begun(at+day), octSig)
			if err != nil {
				return err
			}
			order := func(name string) func(answer) []string {
				return func(a answer) []string {
					keys, _ := a.list(name)
					return []string{counted(len(keys), "key"),
						fact(slices.Equal(kids(keys), made), "in the order in which they were made", "in another order")}
				}
			}
			if err := s.sees(ctx, n.path(""), order("keys")); err != nil {
				return err
			}
			return s.sees(ctx, n.path("/keys_v2"), order("value"))
		}},
		{"atonce", "What do two generateKey at the same time answer, and how many keys come of them?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			answers, err := s.together(ctx, 2, func(ctx context.Context) (answer, error) { return s.generate(ctx, n, octSig) })
			if err != nil {
				return err
			}
			want := 0
			for _, a := range answers {
				if a.ok() {
					want++
				}
			}
			var keys []object
			_, err = s.until(ctx, n.path(""), func(a answer) error {
				if keys, _ = a.list("keys"); len(keys) < want {
					return fmt.Errorf("%d keys", len(keys))
				}
				return nil
			})
			s.sawTogether(answers, counted(len(keys), "key")+" afterwards", fact(err == nil, "as many as 200s", "fewer than 200s"))
			return nil
		}},
	}
}

func isNumber(v any) bool {
	_, ok := v.(json.Number)
	return ok
}

// ofKeys is a fact for each key in an answer, equal ones told once.
func (s *session) ofKeys(a answer, name string, about func(object) string) []string {
	keys, ok := a.list(name)
	if !ok {
		return []string{"no list named " + name}
	}
	var facts []string
	for _, key := range keys {
		facts = append(facts, about(key))
	}
	return slices.Compact(facts)
}

// newSecret is a random symmetric key in base64url, which is kept out of all
// that is shown.
func (s *session) newSecret() string {
	k := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	s.hide(k)
	return k
}
