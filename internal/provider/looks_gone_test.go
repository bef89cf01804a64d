// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// dropped is the outcome of a refresh that takes the resource out of the state.
const dropped = "dropped"

// TestProtocol_Read_WhatLooksGoneAndIsNot: whatever a refresh is answered, a key set, a key, and a key whose status is
// managed leave the state only on the service's own word for a missing set, or with the key's set seen without it.
// The outcome is "" for a resource that is unchanged without a word, or what an error or a warning says of one that
// is unchanged, or dropped, with what a warning says. A row that has no age is for resources made a moment ago and long ago.
func TestProtocol_Read_WhatLooksGoneAndIsNot(t *testing.T) {
	t.Parallel()
	const list, get, all = emulator.OpList, emulator.OpGet, emulator.Op("")
	const young, old = 2 * time.Minute, 20 * time.Minute
	refusal := func(op emulator.Op, status int, code, message string) emulator.Fault {
		return emulator.Fault{Op: op, Status: status, Code: code, Message: message, Times: -1}
	}
	body := func(op emulator.Op, status int, body string) emulator.Fault {
		f := emulator.Fault{Op: op, Status: status, Body: body, ContentType: "application/json", Times: -1}
		if strings.HasPrefix(body, "<") {
			f.ContentType = "text/html"
		}
		return f
	}
	const html = "<html>Not here</html>"
	unlisted := body(list, 200, `{"value":[]}`)
	for name, row := range map[string]struct {
		faults []emulator.Fault
		// drift is what happens behind the provider's back.
		drift func(w *world, kid string)
		lag   time.Duration
		age   time.Duration
		// tenant of another directory is signed in to.
		elsewhere         bool
		set, key, managed string
	}{
		"403":                      {faults: []emulator.Fault{refusal(all, 403, "AADB2C", "no")}, set: "error: TrustFrameworkKeySet.ReadWrite.All", key: "error: Status: 403", managed: "error: Status: 403"},
		"401":                      {faults: []emulator.Fault{refusal(all, 401, "InvalidAuthenticationToken", "no")}, set: "error: Status: 401", key: "error: Status: 401", managed: "error: Status: 401"},
		"429 past the deadline":    {faults: []emulator.Fault{{Op: all, Status: 429, Code: "TooManyRequests", RetryAfter: "900", Times: -1}}, set: "error: slow down", key: "error: slow down", managed: "error: slow down"},
		"95043 past the deadline":  {faults: []emulator.Fault{refusal(all, 400, "AADB2C95043", "slow")}, set: "error: slow down", key: "error: slow down", managed: "error: slow down"},
		"500 that lasts":           {faults: []emulator.Fault{refusal(all, 500, "AADB2C90063", "There is a problem with the service.")}, set: "error: Status: 500", key: "error: Status: 500", managed: "error: Status: 500"},
		"502 page that lasts":      {faults: []emulator.Fault{body(all, 502, html)}, set: "error: Not here", key: "error: Status: 502", managed: "error: Status: 502"},
		"503 that lasts":           {faults: []emulator.Fault{refusal(all, 503, "ServiceUnavailable", "no")}, set: "error: Status: 503", key: "error: Status: 503", managed: "error: Status: 503"},
		"connections that end":     {faults: []emulator.Fault{{Op: all, Cut: true, Times: -1}}, set: "error: The service failed", key: "error: The service failed", managed: "error: The service failed"},
		"90130":                    {faults: []emulator.Fault{refusal(all, 400, "AADB2C90130", "no")}, set: "error: AADB2C90130", key: "error: AADB2C90130", managed: "error: AADB2C90130"},
		"95052":                    {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C95052", "not created")}, set: "error: AADB2C95052", key: "error: AADB2C95052", managed: "error: AADB2C95052"},
		"95028":                    {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C95028", "exists")}, set: "error: AADB2C95028", key: "error: AADB2C95028", managed: "error: AADB2C95028"},
		"AADB2C without a number":  {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C", "The 'keySet' field is invalid in request.")}, set: "error: Code: AADB2C\n", key: "error: Code: AADB2C\n", managed: "error: Code: AADB2C\n"},
		"unknown segment":          {faults: []emulator.Fault{refusal(all, 400, "BadRequest", "Resource not found for the segment 'keySets'.")}, set: "error: segment", key: "error: segment", managed: "error: segment"},
		"90073 in a 403":           {faults: []emulator.Fault{unlisted, refusal(get, 403, "AADB2C90073", "cannot be found")}, set: "error: Status: 403", key: "error: Status: 403", managed: "error: Status: 403"},
		"90073 in a message":       {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C", "AADB2C90073: cannot be found")}, set: "error: Status: 400", key: "error: Status: 400", managed: "error: Status: 400"},
		"404 UnknownError":         {faults: []emulator.Fault{unlisted, refusal(get, 404, "UnknownError", "")}, set: "error: Status: 404", key: "error: Status: 404", managed: "error: Status: 404"},
		"404 page":                 {faults: []emulator.Fault{unlisted, body(get, 404, html)}, set: "error: Not here", key: "error: Status: 404", managed: "error: Status: 404"},
		"404 of the listing":       {faults: []emulator.Fault{refusal(list, 404, "ResourceNotFound", "no"), refusal(get, 404, "ResourceNotFound", "no")}, set: "error: Status: 404", key: "error: Status: 404", managed: "error: Status: 404"},
		"90073 of the listing":     {faults: []emulator.Fault{refusal(list, 400, "AADB2C90073", "cannot be found")}},
		"200 page":                 {faults: []emulator.Fault{body(all, 200, html)}, set: "error: The service failed", key: "error: The service failed", managed: "error: The service failed"},
		"204":                      {faults: []emulator.Fault{unlisted, {Op: get, Status: 204, Times: -1}}, set: "error: The service failed", key: "error: The service failed", managed: "error: The service failed"},
		"a listing without it":     {faults: []emulator.Fault{unlisted.Repeat(1)}},
		"listings without it":      {faults: []emulator.Fault{unlisted}},
		"a listing without keys":   {faults: []emulator.Fault{body(list, 200, `{"value":[{"id":"B2C_1A_Signing","keys":[]}]}`)}},
		"an empty page of many":    {faults: []emulator.Fault{body(list, 200, `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x"}`).Repeat(1), unlisted}},
		"pages in a circle":        {faults: []emulator.Fault{body(list, 200, `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x"}`)}},
		"a listing of another set": {faults: []emulator.Fault{body(list, 200, `{"value":[{"id":"B2C_1A_Signing.bak","keys":[]}]}`)}},
		"an answer about another":  {faults: []emulator.Fault{unlisted, body(get, 200, `{"id":"B2C_1A_Signing.bak","keys":[]}`)}, set: "error: is about", key: "error: is about", managed: "error: is about"},
		"an answer without keys":   {faults: []emulator.Fault{unlisted, body(get, 200, `{"id":"B2C_1A_Signing"}`)}, key: "error: doesn't show the keys", managed: "error: doesn't show the keys"},
		"keys that are null":       {faults: []emulator.Fault{unlisted, body(get, 200, `{"id":"B2C_1A_Signing","keys":null}`)}, key: "error: doesn't show the keys", managed: "error: doesn't show the keys"},
		"a key without a kid":      {faults: []emulator.Fault{unlisted, body(get, 200, `{"id":"B2C_1A_Signing","keys":[{"use":"sig","kty":"oct"}]}`)}, key: "error: doesn't show the keys", managed: "error: doesn't show the keys"},
		"another tenant":           {elsewhere: true, set: "error: another tenant", key: "error: another tenant", managed: "error: another tenant"},
		"lag":                      {lag: 40 * time.Second, age: time.Nanosecond},
		"90073 for a moment":       {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C90073", "cannot be found").Repeat(3)}, age: young},
		"without it for a moment":  {faults: []emulator.Fault{unlisted, body(get, 200, `{"id":"B2C_1A_Signing","keys":[]}`).Repeat(3)}, age: young},

		"keys_v2: 403":          {faults: []emulator.Fault{refusal(emulator.OpListKeys, 403, "AADB2C", "no")}, managed: "warning: TrustFrameworkKeySet.ReadWrite.All"},
		"keys_v2: 90073":        {faults: []emulator.Fault{refusal(emulator.OpListKeys, 400, "AADB2C90073", "no")}, managed: "warning: Unable to read key's status"},
		"keys_v2: 404":          {faults: []emulator.Fault{refusal(emulator.OpListKeys, 404, "ResourceNotFound", "no"), refusal(emulator.OpGetKey, 404, "ResourceNotFound", "no")}, managed: "warning: Unable to read key's status"},
		"keys_v2: empty":        {faults: []emulator.Fault{body(emulator.OpListKeys, 200, `{"value":[]}`)}, managed: "warning: Unable to read key's status"},
		"keys_v2: 500":          {faults: []emulator.Fault{refusal(emulator.OpListKeys, 500, "AADB2C90063", "no")}, managed: "error: Status: 500"},
		"keys_v2: another key":  {faults: []emulator.Fault{refusal(emulator.OpListKeys, 400, "AADB2C", "no"), body(emulator.OpGetKey, 200, `{"kid":"x","status":"disabled"}`)}, managed: "warning: Unable to read key's status"},
		"keys_v2: 429 for ever": {faults: []emulator.Fault{{Op: emulator.OpListKeys, Status: 429, RetryAfter: "900", Times: -1}}, managed: "error: slow down"},

		// What really is gone goes.
		"90073":                   {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C90073", "cannot be found")}, set: dropped, key: dropped, managed: dropped},
		"90073 in a 404":          {faults: []emulator.Fault{unlisted, refusal(get, 404, "AADB2C90073", "cannot be found")}, set: dropped, key: dropped, managed: dropped},
		"404 with a code":         {faults: []emulator.Fault{unlisted, refusal(get, 404, "ResourceNotFound", "no")}, set: dropped, key: dropped, managed: dropped},
		"90073 once, long ago":    {faults: []emulator.Fault{unlisted, refusal(get, 400, "AADB2C90073", "cannot be found").Repeat(1)}, age: old, set: dropped, key: dropped, managed: dropped},
		"the set is deleted":      {drift: func(w *world, _ string) { w.RemoveKeySet("B2C_1A_Signing") }, set: dropped, key: dropped, managed: dropped},
		"only its backup is left": {drift: func(w *world, _ string) { w.RemoveKeySet("B2C_1A_Signing"); w.AddKeySet("B2C_1A_Signing.bak") }, set: dropped, key: dropped, managed: dropped},
		"the key has vanished":    {drift: func(w *world, kid string) { w.RemoveKey("B2C_1A_Signing", kid) }, key: dropped + ": Key has vanished", managed: dropped + ": Key has vanished"},
	} {
		ages := map[string]time.Duration{"young": young, "old": old}
		if row.age != 0 {
			ages = map[string]time.Duration{"": row.age}
		}
		for age, since := range ages {
			t.Run(name+"/"+age, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{})
				w.SetLag(row.lag)
				objects := threeKinds(t, newServer(t, w))
				w.clock.Advance(since)
				w.ResetJournal()
				if row.drift != nil {
					row.drift(w, objects[1].kid)
					row.drift(w, objects[2].kid)
				}
				variables := w.Variables()
				if row.elsewhere {
					other := w.Server.NewTenant(emulator.TenantConfig{})
					variables["ARM_TENANT_ID"], variables["ARM_CLIENT_ID"], variables["ARM_CLIENT_SECRET"] = other.ID(), other.ClientID(), other.ClientSecret()
				}
				for i, want := range []string{row.set, row.key, row.managed} {
					// A provider of its own for each, which knows nothing from reading the others.
					s := newServerWith(t, w, variables)
					w.ClearFaults()
					for _, f := range row.faults {
						if f.Op != "" {
							w.Inject(f)
							continue
						}
						for _, op := range []emulator.Op{list, get, emulator.OpListKeys, emulator.OpGetKey} {
							f.Op = op
							w.Inject(f)
						}
					}
					o := objects[i]
					left, told := s.refresh(o.managed)
					after, said := s.attributes(left), told.String()
					verdict, text, _ := strings.Cut(want, ": ")
					if isDropped := after == nil; isDropped != (verdict == dropped) || !isDropped && !maps.Equal(after, o.attributes) {
						t.Errorf("%s: the state has %v, had %v", o.label, after, o.attributes)
					}
					if (said == "") != (text == "") || !strings.Contains(said, text) || verdict == "error" != strings.HasPrefix(said, "error: ") {
						t.Errorf("%s: %q, want %q", o.label, said, want)
					}
				}
				if n := len(w.Writes()); n > 0 {
					t.Errorf("%d writes", n)
				}
			})
		}
	}
}

// stored is a resource in state, and what is known of it.
type stored struct {
	managed
	label, kid string
	attributes map[string]string
}

// threeKinds makes a key set, a key in it, and one whose status is managed.
func threeKinds(t *testing.T, s *server) [3]stored {
	t.Helper()
	var all [3]stored
	key := map[string]string{"key_set_id": "B2C_1A_Signing", "use": "sig", "kty": "oct"}
	withStatus := maps.Clone(key)
	withStatus["status"] = "enabled"
	for i, o := range []struct {
		name, resource string
		attributes     map[string]string
	}{
		{"key set", "trustframework_key_set", map[string]string{"name": "Signing"}},
		{"key", "trustframework_generated_key", key},
		{"managed key", "trustframework_generated_key", withStatus},
	} {
		made, err := s.create(o.resource, o.attributes)
		if err != nil {
			t.Fatal(err)
		}
		attributes := s.attributes(made)
		all[i] = stored{managed: made, label: o.name, kid: attributes["kid"], attributes: attributes}
	}
	return all
}

// TestProtocol_Destroy_WhatLooksGoneAndIsNot: the end of a key set is a success only if the service has deleted it or
// says that there is none. The plan says what it can't tell, and goes on.
func TestProtocol_Destroy_WhatLooksGoneAndIsNot(t *testing.T) {
	t.Parallel()
	const html = "<html>Not here</html>"
	refusal := func(status int, code, message string) emulator.Fault {
		return emulator.Fault{Status: status, Code: code, Message: message, Times: -1}
	}
	for name, row := range map[string]struct {
		fault emulator.Fault
		// fails is what the error says; "" for none.
		fails string
		// cantTell is true if reads with this answer leave open what would be deleted.
		cantTell bool
	}{
		"403":                     {refusal(403, "AADB2C", "no"), "Status: 403", true},
		"429 past the deadline":   {emulator.Fault{Status: 429, Code: "TooManyRequests", RetryAfter: "900", Times: -1}, "slow down", true},
		"500 that lasts":          {refusal(500, "AADB2C90063", "no"), "Status: 500", true},
		"502 page that lasts":     {emulator.Fault{Status: 502, Body: html, ContentType: "text/html", Times: -1}, "Status: 502", true},
		"503 that lasts":          {refusal(503, "ServiceUnavailable", "no"), "Status: 503", true},
		"90130":                   {refusal(400, "AADB2C90130", "no"), "Code: AADB2C90130", true},
		"95052":                   {refusal(400, "AADB2C95052", "no"), "Code: AADB2C95052", true},
		"AADB2C without a number": {refusal(400, "AADB2C", "no"), "Code: AADB2C", true},
		"unknown segment":         {refusal(400, "BadRequest", "Resource not found for the segment 'keySets'."), "Code: BadRequest", true},
		"90073 in a 403":          {refusal(403, "AADB2C90073", "no"), "Status: 403", true},
		"404 UnknownError":        {refusal(404, "UnknownError", ""), "Status: 404", true},
		"404 page":                {emulator.Fault{Status: 404, Body: html, ContentType: "text/html", Times: -1}, "Status: 404", true},
		"200 page":                {emulator.Fault{Status: 200, Body: html, ContentType: "text/html", Times: -1}, "isn't the one that says that the work is done", true},
		"connections that end":    {emulator.Fault{Cut: true, Times: -1}, "The service failed", true},

		"90073":           {refusal(400, "AADB2C90073", "cannot be found"), "", false},
		"90073 in a 404":  {refusal(404, "AADB2C90073", "cannot be found"), "", true},
		"404 with a code": {refusal(404, "ResourceNotFound", "no"), "", true},
		"nothing":         {emulator.Fault{Lag: 1}, "", false},
	} {
		for age, since := range map[string]time.Duration{"young": time.Minute, "old": 20 * time.Minute} {
			t.Run(name+"/"+age, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{})
				set := threeKinds(t, newServer(t, w))[0]
				w.clock.Advance(since)
				for _, op := range []emulator.Op{emulator.OpList, emulator.OpGet, emulator.OpDelete} {
					fault := row.fault
					fault.Op = op
					w.Inject(fault)
				}
				_, planned, err := newServer(t, w).plan(set.managed, nil)
				if err != nil {
					t.Fatal(err)
				}
				if told := said(planned.Diagnostics); told.failed() || strings.Contains(told.String(), "can't tell whether it holds any") != row.cantTell {
					t.Errorf("the plan says %q", told)
				}
				w.ResetJournal()
				s := newServer(t, w)
				left, told := s.destroy(set.managed)
				after, said := s.attributes(left), told.String()
				if row.fails == "" {
					if after != nil || said != "" {
						t.Errorf("%q; the state has %v", said, after)
					}
				} else if !maps.Equal(after, set.attributes) || !strings.HasPrefix(said, "error: Unable to delete key set: ") || !strings.Contains(said, row.fails) {
					t.Errorf("%q, want %q; the state has %v, had %v", said, row.fails, after, set.attributes)
				}
				if len(w.Requests(emulator.OpDelete)) == 0 {
					t.Error("no DELETE was sent")
				}
			})
		}
	}
}
