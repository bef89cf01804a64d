// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestTenant_Inject_Constructors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault     emulator.Fault
		status    int // 0 for a cut
		code      string
		committed bool
	}{
		"Throttled":      {emulator.Throttled(emulator.OpGenerateKey, "2.128"), 429, "TooManyRequests", false},
		"Unavailable":    {emulator.Unavailable(emulator.OpGenerateKey), 503, "ServiceUnavailable", false},
		"GatewayTimeout": {emulator.GatewayTimeout(emulator.OpGenerateKey), 504, "UnknownError", true},
		"CutAfterCommit": {emulator.CutAfterCommit(emulator.OpGenerateKey), 0, "", true},
		"CutBeforeWork":  {emulator.CutBeforeWork(emulator.OpGenerateKey), 0, "", false},
		"ServiceProblem": {emulator.ServiceProblem(emulator.OpGenerateKey), 500, "AADB2C90063", false},
		"EmptyAnswer":    {emulator.EmptyAnswer(emulator.OpGenerateKey), 200, "", true},
		"CommitsLate":    {emulator.CommitsLate(emulator.OpGenerateKey, time.Minute), 504, "UnknownError", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{})
			c.make("A")
			c.tenant.ResetJournal()
			c.tenant.Inject(test.fault)
			r := c.try(http.MethodPost, "/beta/trustFramework/keySets/B2C_1A_A/generateKey", octSig,
				http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}})
			switch {
			case test.status == 0:
				if r.err == nil || !errors.Is(r.err, io.EOF) && !errors.Is(r.err, syscall.ECONNRESET) {
					t.Errorf("error %v, want an end of the connection; answer %d", r.err, r.status)
				}
			case r.err != nil:
				t.Fatal(r.err)
			default:
				r.want(t, test.status, test.code)
			}
			if name == "EmptyAnswer" && len(r.body) != 0 {
				t.Errorf("body %q", r.body)
			}
			if name == "Throttled" {
				_, message, inner := r.failure(t)
				if r.header.Get("Retry-After") != "2.128" || message != "Please retry again later." || inner["code"] != "429" ||
					inner["status"] != "429" || inner["message"] != "Please retry after" {
					t.Errorf("Retry-After %q, body %s", r.header.Get("Retry-After"), r.body)
				}
			}
			keys := len(c.tenant.KeySets()[0].Keys)
			if committed := keys == 1; committed != test.committed {
				t.Errorf("%d keys, want committed to be %t", keys, test.committed)
			}
			journal := c.tenant.Journal()
			if len(journal) != 1 || journal[0].Fault != name || journal[0].Status != test.status || journal[0].Committed != test.committed {
				t.Errorf("journal %v", journal)
			}
			// It hits once.
			c.generate("B2C_1A_A", octSig)
		})
	}
}

func TestTenant_Inject_CountsMatches(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	list := func() int { return c.call(http.MethodGet, "/trustFramework/keySets", "").status }
	sequence := func(n int) (got []int) {
		for range n {
			got = append(got, list())
		}
		return got
	}
	check := func(name string, got []int, want ...int) {
		t.Helper()
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %v, want %v", name, got, want)
				return
			}
		}
	}
	c.tenant.Inject(emulator.Unavailable(emulator.OpList).After(1).Repeat(2))
	check("skip and times", sequence(4), 200, 503, 503, 200)

	c.tenant.Inject(emulator.Unavailable(emulator.OpList))
	c.tenant.Inject(emulator.Throttled(emulator.OpList, "1"))
	check("in order", sequence(3), 503, 429, 200)

	c.tenant.Inject(emulator.Unavailable(emulator.OpGet))
	check("other operation", sequence(1), 200)
	c.tenant.ClearFaults()

	c.tenant.Inject(emulator.Unavailable("").Repeat(-1))
	check("any operation, always", sequence(3), 503, 503, 503)
	c.tenant.ClearFaults()
	check("cleared", sequence(1), 200)
}

func TestTenant_Inject_ByKeySet(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"A", "b2c_1a_a"} {
		c := newCaller(t, emulator.Config{})
		c.make("B")
		c.tenant.Inject(emulator.Unavailable("").On(name).Repeat(-1))
		c.call(http.MethodPost, "/trustFramework/keySets", `{"id":"A"}`).want(t, http.StatusServiceUnavailable, "")
		c.call(http.MethodGet, "/trustFramework/keySets('B2C_1A_A')", "").want(t, http.StatusServiceUnavailable, "")
		c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_B", "").want(t, http.StatusOK, "")
		c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	}
}

func TestTenant_Inject_AnyBody(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.Inject(emulator.Fault{Op: emulator.OpList, Status: 502, Body: "<html>Bad Gateway</html>", ContentType: "text/html"})
	r := c.call(http.MethodGet, "/trustFramework/keySets", "")
	r.want(t, http.StatusBadGateway, "")
	if string(r.body) != "<html>Bad Gateway</html>" || r.header.Get("Content-Type") != "text/html" {
		t.Errorf("%s %s", r.header.Get("Content-Type"), r.body)
	}
	c.tenant.Inject(emulator.Fault{Op: emulator.OpList, Body: `{"value":[`})
	r = c.call(http.MethodGet, "/trustFramework/keySets", "")
	r.want(t, http.StatusOK, "")
	if string(r.body) != `{"value":[` {
		t.Errorf("body %s", r.body)
	}
	c.tenant.Inject(emulator.Fault{Op: emulator.OpList, Status: 42})
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusInternalServerError, "")
}

func TestTenant_Inject_CommitOfARefusedRequest(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.tenant.Inject(emulator.GatewayTimeout(emulator.OpDelete))
	c.call(http.MethodDelete, "/trustFramework/keySets/B2C_1A_None", "").want(t, http.StatusGatewayTimeout, "")
	if journal := c.tenant.Journal(); len(journal) != 1 || journal[0].Committed {
		t.Errorf("journal %v", journal)
	}
}

func TestTenant_Inject_OwnLag(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	c.tenant.Inject(emulator.Fault{Op: emulator.OpGenerateKey, Lag: time.Minute})
	slow := c.generate("B2C_1A_A", octSig)
	c.generate("B2C_1A_A", octSig)
	kids := func() []string { return c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").kids(t) }
	if got := kids(); len(got) != 1 || got[0] == slow {
		t.Errorf("kids %q", got)
	}
	c.server.Advance(time.Minute)
	if got := kids(); len(got) != 2 || got[0] != slow {
		t.Errorf("kids after the lag %q", got)
	}
}

func TestTenant_Inject_IntoEntra(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	path := "/" + c.tenant.ID() + "/oauth2/v2.0/token"
	c.tenant.Inject(emulator.Fault{Op: emulator.OpToken, Status: 503, Code: "temporarily_unavailable", Message: "Try later.", RetryAfter: "3"})
	r := c.postForm(path, c.form())
	r.want(t, http.StatusServiceUnavailable, "")
	if r.text(t, "error") != "temporarily_unavailable" || !strings.HasPrefix(r.text(t, "error_description"), "Try later.\r\n") || r.header.Get("Retry-After") != "3" {
		t.Errorf("answer %s", r.body)
	}
	c.tenant.Inject(emulator.CutAfterCommit(emulator.OpToken))
	if r := c.try(http.MethodPost, path, "", nil); r.err == nil {
		t.Errorf("answer %d", r.status)
	}
	c.tenant.Inject(emulator.Unavailable(emulator.OpDiscovery))
	c.do(http.MethodGet, "/"+c.tenant.ID()+"/v2.0/.well-known/openid-configuration", "", nil).want(t, http.StatusServiceUnavailable, "")
	c.newToken()
}
