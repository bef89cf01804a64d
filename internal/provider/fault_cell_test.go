// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/graph"
)

// fault is a row of the tables: something that goes wrong with a request.
type fault struct {
	// answer is what the emulator does to a request of op; nil for nothing.
	answer func(c *cell, op emulator.Op) emulator.Fault
	// before goes wrong before the request is sent; nil if nothing does. An error is that of the attempt.
	before func(c *cell) error
	// asks is the pause that the service asks for.
	asks time.Duration
	// connection: it is about a connection that is new.
	connection bool
	// lasts: every such request meets it, and not only one.
	lasts bool
	// ofKey: the resource that is read is a key, whatever is read of it.
	ofKey bool
	// skips are the operations that the fault isn't about.
	skips []emulator.Op
}

// faults are the rows by their names on the page.
func faults() map[string]fault {
	status := func(status int, code string) fault {
		return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault {
			return emulator.Fault{Op: op, Status: status, Code: code, Message: "The emulator was told to say so."}
		}}
	}
	throttled := func(retryAfter string, asks time.Duration) fault {
		return fault{asks: asks, answer: func(c *cell, op emulator.Op) emulator.Fault {
			switch {
			case c.signsIn():
				return emulator.Throttled(op, "1") // azcore waits in real time
			case retryAfter == "date":
				return emulator.Throttled(op, c.clock.Now().Add(asks).Format(http.TimeFormat))
			}
			return emulator.Throttled(op, retryAfter)
		}}
	}
	plain := func(f func(emulator.Op) emulator.Fault) fault {
		return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault { return f(op) }}
	}
	cut := func(f func(emulator.Op) emulator.Fault) fault {
		broken := plain(f)
		broken.connection = true
		return broken
	}
	body := func(status int, contentType, body string) fault {
		return fault{answer: func(_ *cell, op emulator.Op) emulator.Fault {
			return emulator.Fault{Op: op, Status: status, Body: body, ContentType: contentType, Commit: status == http.StatusOK}
		}}
	}
	challenge := func(op emulator.Op) emulator.Fault {
		claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"1"}}}`))
		return emulator.Fault{
			Op: op, Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: "Continuous access evaluation resulted in challenge",
			Challenge: `Bearer realm="", error="insufficient_claims", claims="` + claims + `"`,
		}
	}
	return map[string]fault{
		"The connection is refused": {before: func(c *cell) error {
			if c.signsIn() {
				c.Server.RefuseConnections(map[bool]int{true: 100, false: 1}[c.times < 0])
				return nil
			}
			return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}, connection: true},
		"The connection is reset in the TLS handshake": {before: func(c *cell) error {
			c.Server.RefuseConnections(1)
			return nil
		}, connection: true},
		"The connection is reset before any work":                            cut(emulator.CutBeforeWork),
		"The connection is reset after the work":                             cut(emulator.CutAfterCommit),
		"`500` with `AADB2C90063`, \"There is a problem with the service.\"": plain(emulator.ServiceProblem),
		"`502` with a proxy's HTML page":                                     body(http.StatusBadGateway, "text/html", "<html><body>Bad Gateway</body></html>"),
		"`503`":                                                              plain(emulator.Unavailable),
		"`504` after the work":                                               plain(emulator.GatewayTimeout),
		"`504`, and the work is done half a minute later":                    plain(func(op emulator.Op) emulator.Fault { return emulator.CommitsLate(op, 30*time.Second) }),
		"`429` with `Retry-After: 30`":                                       throttled("30", 30*time.Second),
		"`429` with `Retry-After: 2.128`, in decimals as Graph sends it":     throttled("2.128", 2128*time.Millisecond),
		"`429` with `Retry-After` as an HTTP date":                           throttled("date", 2*time.Minute),
		"`429` without `Retry-After`":                                        throttled("", 0),
		"`AADB2C95043`, throttled":                                           status(http.StatusBadRequest, "AADB2C95043"),
		"`AADB2C90229`, throttled":                                           status(http.StatusBadRequest, "AADB2C90229"),
		"`AADB2C90244`, throttled":                                           status(http.StatusBadRequest, "AADB2C90244"),
		"`AADB2C95053`, \"Multiple concurrent writes\"":                      status(http.StatusBadRequest, "AADB2C95053"),
		"Half of the answer arrives":                                         plain(emulator.HalfAnswer),
		"`200` with JSON that ends too early, after the work":                body(http.StatusOK, "application/json", `{"kid":`),
		"`200` with nothing in it, after the work":                           plain(emulator.EmptyAnswer),
		"No answer at all, after the work":                                   plain(emulator.NoAnswer),
		"`401`, the token has expired midway":                                {before: func(c *cell) error { c.ExpireTokens(); return nil }},
		"`401`":                                                              status(http.StatusUnauthorized, "InvalidAuthenticationToken"),
		"`401` with a claims challenge":                                      plain(challenge),
	}
}

const (
	setType    = "trustframework_key_set"
	keyType    = "trustframework_generated_key"
	activeType = "trustframework_active_key"
)

// cell is an operation that meets a fault.
type cell struct {
	*world
	op    emulator.Op
	fault fault
	times int // how many requests meet it; less than 0 for all
	begun time.Time

	*server // that of the provider under test, once it runs

	source *keySource // nil if the operation makes no key
	were   int        // keys in the set Signing before
	sets   int        // key sets before
	before managed
	after  managed
	active *tfprotov6.DynamicValue // what the data source of the active key has read

	mu   sync.Mutex
	sent int    // attempts of op, whether they arrive or not
	end  func() // ends the attempt under way
}

// newCell prepares a tenant with the key set Signing and what the operation needs in it.
func newCell(t *testing.T, sources map[emulator.Op]keySource, op emulator.Op, f fault, times int) *cell {
	t.Helper()
	c := &cell{op: op, fault: f, times: times, world: newWorld(t, emulator.Switches{
		ListRefused: op == emulator.OpGet, KeysV2Unlistable: op == emulator.OpGetKey,
	})}
	// A connection that was used before can't be refused, and Go's client sends a read again by itself if it is cut.
	c.Server.SetKeepAlives(!f.connection)
	source, makesKey := sources[op]
	if makesKey {
		c.source = &source
	}
	source.prepare(t, c.world)
	s := newServer(t, c.world)
	c.server = s
	var said said
	switch {
	case makesKey, op == emulator.OpGetActiveKey, op == emulator.OpCreate:
	case op == emulator.OpPatchKey, f.ofKey && (op == emulator.OpList || op == emulator.OpGet):
		c.before, said = s.apply(keyType, managed{}, signingKey())
	case op == emulator.OpListKeys, op == emulator.OpGetKey:
		c.before, said = s.apply(keyType, managed{}, signingKey("status", "enabled"))
	default:
		c.before, said = s.apply(setType, managed{}, map[string]string{"name": "Other"})
	}
	if len(said) > 0 {
		t.Fatal(said)
	}
	c.ResetJournal()
	c.clock.Advance(20 * time.Minute) // what was made is old by now, so that its absence is believed at once
	return c
}

// signingKey is the configuration of a key in the set that is there.
func signingKey(more ...string) map[string]string {
	config := map[string]string{"key_set_id": "B2C_1A_Signing", "use": "sig", "kty": "oct"}
	for i := 0; i+1 < len(more); i += 2 {
		config[more[i]] = more[i+1]
	}
	return config
}

func (c *cell) signsIn() bool { return c.op == emulator.OpToken || c.op == emulator.OpDiscovery }

// run has a provider of its own do the operation while the fault lasts, and returns what it said.
func (c *cell) run() said {
	c.t.Helper()
	c.server = newServer(c.t, c.world, c.transport)
	s := c.server
	if c.fault.answer != nil {
		ops := []emulator.Op{c.op}
		if reads := operations()["Read"]; c.times < 0 && c.op != emulator.OpGetActiveKey && slices.Contains(reads, c.op) {
			ops = reads // what can't be read in one way is read in another
		}
		for _, op := range ops {
			times := c.times
			if c.fault.lasts {
				times = -1
			}
			c.Inject(c.fault.answer(c, op).Repeat(times))
		}
	}
	c.were, c.sets = len(c.keys("B2C_1A_Signing")), len(c.KeySets())
	if c.fault.before != nil && c.signsIn() {
		if err := c.fault.before(c); err != nil {
			c.t.Fatal(err)
		}
	}
	c.onEvery(func(e emulator.Entry) {
		if e.Fault == "NoAnswer" {
			c.giveUp()
		}
	})
	c.begun = c.clock.Now()
	var said said
	if c.signsIn() && strings.Contains(c.t.Name(), "No_answer") {
		return c.signInPatiently()
	}
	if c.source != nil {
		c.after, said = s.apply(c.source.resource, managed{}, c.source.config)
		return said
	}
	switch c.op {
	case emulator.OpCreate:
		c.after, said = s.apply(setType, managed{}, map[string]string{"name": "Other"})
	case emulator.OpDelete:
		c.after, said = s.apply(setType, c.before, nil)
	case emulator.OpPatchKey:
		c.after, said = s.apply(keyType, c.before, signingKey("status", "disabled"))
	case emulator.OpGetActiveKey:
		c.active, said = s.data(activeType, map[string]string{"key_set_id": "B2C_1A_Signing"})
	default:
		c.after, said = s.refresh(c.before)
	}
	return said
}

// signInPatiently signs in as the provider does, but waits for an answer for a part of the time only.
func (c *cell) signInPatiently() said {
	c.t.Helper()
	transport, err := graph.NewHTTPTransport(c.Server.CAPEM())
	if err != nil {
		c.t.Fatal(err)
	}
	credential, _, err := auth.NewCredential(auth.Config{
		TenantID: c.ID(), ClientID: auth.Text{Value: c.ClientID()}, ClientSecret: auth.Text{Value: c.ClientSecret()}, AuthorityHost: c.Server.URL(),
		DisableInstanceDiscovery: true, Transport: &http.Client{Transport: transport}, AttemptTimeout: time.Second,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.after = c.before
	if _, err := credential.GetToken(c.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}}); err != nil {
		return said{{Severity: tfprotov6.DiagnosticSeverityError, Summary: err.Error()}}
	}
	return nil
}

// transport is that of the provider under test.
func (c *cell) transport(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		ctx, end := context.WithCancel(req.Context())
		c.t.Cleanup(end) // not sooner: the answer's body is read later
		c.mu.Lock()
		c.end = end
		meets := false
		if opOf(req) == c.op {
			c.sent++
			meets = c.fault.before != nil && (c.times < 0 || c.sent <= c.times)
		}
		c.mu.Unlock()
		if meets {
			if err := c.fault.before(c); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(req.WithContext(ctx))
	})
}

// giveUp ends the attempt under way, as its timeout would.
func (c *cell) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end()
	}
}

// attempts is how often the operation was tried.
func (c *cell) attempts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.signsIn() {
		return len(c.Requests(c.op))
	}
	return c.sent
}

// opOf sorts a request as the emulator's journal does.
func opOf(req *http.Request) emulator.Op {
	parts := strings.Split(strings.TrimPrefix(req.URL.Path, "/beta/trustFramework/keySets"), "/")
	last := parts[len(parts)-1]
	switch {
	case req.Method == http.MethodDelete:
		return emulator.OpDelete
	case req.Method == http.MethodPatch:
		return emulator.OpPatchKey
	case last == "generateKey":
		return emulator.OpGenerateKey
	case last == "uploadSecret":
		return emulator.OpUploadSecret
	case last == "uploadCertificate":
		return emulator.OpUploadCertificate
	case last == "uploadPkcs12":
		return emulator.OpUploadPKCS12
	case req.Method == http.MethodPost:
		return emulator.OpCreate
	case last == "getActiveKey":
		return emulator.OpGetActiveKey
	case last == "keys_v2":
		return emulator.OpListKeys
	case len(parts) > 2:
		return emulator.OpGetKey
	case len(parts) == 2:
		return emulator.OpGet
	default:
		return emulator.OpList
	}
}

// silent expects the operation to have worked without a word, with so many attempts.
func (c *cell) silent(said said, attempts int) {
	c.t.Helper()
	if len(said) > 0 {
		c.t.Error(said)
	}
	// A connection that ends early isn't in the journal.
	if c.op == emulator.OpGetKey {
		attempts++ // there are two keys
	}
	if n := c.attempts(); n != attempts && (!c.signsIn() || c.fault.answer != nil) {
		c.t.Errorf("%d attempts, want %d", n, attempts)
	}
	c.worked()
}

// found expects what was made to have been found, and a warning that names it.
func (c *cell) found(said said) {
	c.t.Helper()
	if len(said) != 1 || said.failed() || !strings.HasSuffix(said[0].Summary, "found after a lost answer") {
		c.t.Error(said)
	}
	for _, d := range said {
		if kid := c.attributes(c.after)["kid"]; !strings.Contains(d.Detail, "B2C_1A_") || !strings.Contains(d.Detail, kid) {
			c.t.Errorf("no name in %q", d.Detail)
		}
	}
	if n := c.attempts(); n != 1 {
		c.t.Errorf("%d attempts", n)
	}
	c.worked()
}

// worked expects the service to hold what the state says, once.
func (c *cell) worked() {
	c.t.Helper()
	if c.source != nil {
		if keys := c.keys("B2C_1A_Signing"); len(keys) != c.were+1 || keys[c.were].Kid != c.attributes(c.after)["kid"] {
			c.t.Errorf("key %q in state, the set had %d keys and holds %v", c.attributes(c.after)["kid"], c.were, keys)
		}
		return
	}
	switch c.op {
	case emulator.OpCreate:
		if id := c.attributes(c.after)["id"]; len(c.KeySets()) != c.sets+1 || id != "B2C_1A_Other" {
			c.t.Errorf("key set %q in state, there were %d and are %v", id, c.sets, c.KeySets())
		}
	case emulator.OpDelete:
		if c.after.state != nil || slices.ContainsFunc(c.KeySets(), func(set emulator.KeySet) bool { return set.ID == "B2C_1A_Other" }) {
			c.t.Errorf("%v", c.KeySets())
		}
	case emulator.OpPatchKey:
		if keys := c.keys("B2C_1A_Signing"); keys[1].Status != "disabled" || c.attributes(c.after)["status"] != "disabled" {
			c.t.Errorf("%v", keys)
		}
	case emulator.OpGetActiveKey:
		if kid := c.strings(c.dataSources[activeType], c.active)["kid"]; kid != c.keys("B2C_1A_Signing")[0].Kid {
			c.t.Errorf("active key %q", kid)
		}
	default:
		if id := c.attributes(c.before)["id"]; id == "" || c.attributes(c.after)["id"] != id {
			c.t.Error("the state has changed")
		}
	}
}

// refused expects one error with a text, nothing new in state, and what was there still there.
func (c *cell) refused(said said, text string) {
	c.t.Helper()
	if !said.failed() || len(said) != 1 || !strings.Contains(said[0].Detail, text) {
		c.t.Errorf("no %q in %v", text, said)
	}
	if was, is := c.attributes(c.before)["id"], c.attributes(c.after)["id"]; was != is {
		c.t.Errorf("%q in state, was %q", is, was)
	}
	if was, is := c.attributes(c.before)["status"], c.attributes(c.after)["status"]; was != is {
		c.t.Errorf("status %q in state, was %q", is, was)
	}
	if n := len(c.keys("B2C_1A_Signing")); c.source != nil && n > c.were {
		c.t.Errorf("%d keys, were %d", n, c.were)
	}
	if n := len(c.KeySets()); c.op == emulator.OpCreate && n > c.sets {
		c.t.Errorf("%d key sets, were %d", n, c.sets)
	}
}
