// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// names are what a tenant holds, by its own account.
func names(tenant *emulator.Tenant) []string {
	var names []string
	for _, set := range tenant.KeySets() {
		names = append(names, set.ID)
	}
	return names
}

func TestTables_HaveALabelForEachRow(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range checks() {
		if seen[c.label] || !base64url.MatchString(c.label) || c.says == "" || c.mark == "" {
			t.Errorf("check %q", c.label)
		}
		seen[c.label] = true
	}
	for _, q := range questions() {
		if seen[q.label] || !base64url.MatchString(q.label) || q.title == "" {
			t.Errorf("question %q", q.label)
		}
		seen[q.label] = true
	}
}

// Every behavior that a switch of the emulator turns is a question that a report
// answers, so that the tenant's owner can tell which way it is to stand.
func TestQuestions_TellTheSwitchesApart(t *testing.T) {
	t.Parallel()
	for label, switches := range map[string]struct {
		question string
		on       emulator.Config
	}{
		"MissingStatus":       {"unmade", emulator.Config{Switches: emulator.Switches{MissingStatus: 404}}},
		"OctSpelling":         {"kty", emulator.Config{Switches: emulator.Switches{OctSpelling: "OCT"}}},
		"NumbersAsStrings":    {"shape", emulator.Config{Switches: emulator.Switches{NumbersAsStrings: true}}},
		"ListWithoutKeys":     {"options", emulator.Config{Switches: emulator.Switches{ListWithoutKeys: true}}},
		"ListRefused":         {"options", emulator.Config{Switches: emulator.Switches{ListRefused: true}}},
		"PageSize":            {"options", emulator.Config{Switches: emulator.Switches{PageSize: 1}}},
		"OverlapRefused":      {"atonce", emulator.Config{Switches: emulator.Switches{OverlapRefused: true}, Latency: 200 * time.Millisecond}},
		"NoBackupOfEmpty":     {"bakempty", emulator.Config{Switches: emulator.Switches{NoBackupOfEmpty: true}}},
		"FillNbf":             {"unset", emulator.Config{Switches: emulator.Switches{FillNbf: true}}},
		"StatusInListing":     {"initial", emulator.Config{Switches: emulator.Switches{StatusInListing: true}}},
		"DisabledAtFirst":     {"initial", emulator.Config{Switches: emulator.Switches{DisabledAtFirst: true}}},
		"WrappedKeyV2":        {"wrapped", emulator.Config{Switches: emulator.Switches{WrappedKeyV2: true}}},
		"NoKeysV2":            {"wrapped", emulator.Config{Switches: emulator.Switches{NoKeysV2: true}}},
		"BothUsagesSign":      {"certuse", emulator.Config{Switches: emulator.Switches{BothUsagesSign: true}}},
		"NoUsageSigns":        {"certuse", emulator.Config{Switches: emulator.Switches{NoUsageSigns: true}}},
		"CertificateDates":    {"certshape", emulator.Config{Switches: emulator.Switches{CertificateDates: true}}},
		"DuplicateKeys":       {"certtwice", emulator.Config{Switches: emulator.Switches{DuplicateKeys: true}}},
		"ModernPKCS12":        {"pfxcipher", emulator.Config{Switches: emulator.Switches{ModernPKCS12: true}}},
		"UploadSecretProblem": {"secretagain", emulator.Config{Switches: emulator.Switches{UploadSecretProblem: true}}},
		"none":                {"", emulator.Config{}},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			r := &run{service: emulated(t, switches.on), emulator: emulated(t, emulator.Config{})}
			for _, q := range questions() {
				if switches.question != "" && q.label != switches.question {
					continue
				}
				if err := r.ask(t.Context(), q); err != nil {
					t.Errorf("%s: %v", q.title, err)
				}
			}
			var differ []string
			for i, a := range r.asked {
				for _, row := range r.rows(i, a) {
					if row.differs != "" {
						differ = append(differ, row.request+": "+row.service+" and "+row.emulator)
					}
				}
			}
			if (len(differ) > 0) != (switches.question != "") {
				t.Errorf("differences: %q", differ)
			}
			if report := r.markdown(); strings.Contains(report, "from the emulator's: none") != (switches.question == "") {
				t.Error(report)
			}
		})
	}
}

func TestRun_LeavesTheTenantAsItWas_DespiteLag(t *testing.T) {
	t.Parallel()
	s, tenant := emulatedTenant(t, emulator.Config{})
	tenant.AddKeySet("tfconformance_00000000_other") // of another run
	tenant.SetLag(60 * time.Millisecond)
	before := names(tenant)
	r := &run{service: s}
	for _, c := range checks() {
		if err := r.check(t.Context(), c); err != nil {
			t.Errorf("%s: %v", c.says, err)
		}
	}
	for _, q := range slices.Concat(backupQuestions(), lagQuestions()) {
		if err := r.ask(t.Context(), q); err != nil {
			t.Errorf("%s: %v", q.title, err)
		}
	}
	sweep(t, r)
	if after := names(tenant); !slices.Equal(after, before) {
		t.Errorf("before %v, after %v", before, after)
	}
	if !strings.Contains(r.markdown(), "`later`") {
		t.Error("the report has no lag")
	}
	for _, e := range tenant.Journal() {
		if e.Write() && !strings.HasPrefix(e.KeySet, s.prefix) {
			t.Errorf("%s %s on %q", e.Method, e.Path, e.KeySet)
		}
	}
}

func TestSweep_WhenTheListingIsRefused(t *testing.T) {
	t.Parallel()
	s, tenant := emulatedTenant(t, emulator.Config{Switches: emulator.Switches{ListRefused: true}})
	before := names(tenant)
	if _, _, err := s.session("left").keySet(t.Context(), "", octSig); err != nil {
		t.Fatal(err)
	}
	left, err := s.sweep(t.Context())
	if after := names(tenant); err == nil || len(left) > 0 || !slices.Equal(after, before) {
		t.Errorf("left %v (%v), before %v, after %v", left, err, before, after)
	}
}

func TestSweep_NamesWhatItCannotDelete(t *testing.T) {
	t.Parallel()
	s, tenant := emulatedTenant(t, emulator.Config{})
	session := s.session("left")
	n, err := session.make(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.make(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	tenant.Inject(emulator.Fault{Op: emulator.OpDelete, Status: http.StatusForbidden, Code: codeInvalid}.On(n.id).Repeat(-1))
	r := &run{service: s}
	r.left, r.leftErr = s.sweep(t.Context())
	if r.leftErr != nil || !slices.Equal(r.left, []string{n.id}) || !strings.Contains(r.markdown(), n.id) {
		t.Errorf("left %v (%v)", r.left, r.leftErr)
	}
}

// The service may choose a name (documented), and one that no run gives is not a
// run's to delete.
func TestSweep_NamesWhatTheServiceNamedOtherwise(t *testing.T) {
	t.Parallel()
	s, tenant, _ := wrong(t, distortion{on: `^POST .*/keySets$`, edit: put("id", "B2C_1A_Foreign")})
	session := s.session("stray")
	if _, err := session.create(t.Context(), session.set(""), "", nil); err != nil {
		t.Fatal(err)
	}
	if left, err := s.sweep(t.Context()); err != nil || !slices.Equal(left, []string{"B2C_1A_Foreign"}) {
		t.Errorf("left %v (%v)", left, err)
	}
	if !slices.Contains(names(tenant), "B2C_1A_Foreign") {
		t.Error("it was deleted")
	}
}

func TestSession_WritesToNothingElse(t *testing.T) {
	t.Parallel()
	s, tenant := emulatedTenant(t, emulator.Config{})
	session := s.session("own")
	n, err := session.make(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	tenant.ResetJournal()
	for name, write := range map[string]func() (answer, error){
		"DELETE of another's": func() (answer, error) {
			return session.write(t.Context(), http.MethodDelete, setName{id: "B2C_1A_Foreign"}, "", "", nil)
		},
		"generateKey in another run's": func() (answer, error) {
			return session.generate(t.Context(), setName{id: "B2C_1A_tfconformance_00000000_x"}, octSig)
		},
		"create of the prefix alone": func() (answer, error) {
			return session.create(t.Context(), setName{id: s.prefix, given: s.prefix}, "", nil)
		},
		"create of another name": func() (answer, error) {
			return session.create(t.Context(), setName{id: n.id, given: "Foreign"}, "", nil)
		},
		"PUT on what isn't made": func() (answer, error) {
			return session.write(t.Context(), http.MethodPut, session.set("unmade"), "", `{"keys":[]}`, nil)
		},
		"PATCH on a backup": func() (answer, error) {
			return session.write(t.Context(), http.MethodPatch, n.backup(), "", `{"keys":[]}`, nil)
		},
	} {
		if _, err := write(); !errors.Is(err, errForeign) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if journal := tenant.Journal(); len(journal) > 0 {
		t.Errorf("requests %v", journal)
	}
}

func TestService_WaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	s, tenant := emulatedTenant(t, emulator.Config{})
	tenant.Inject(emulator.Throttled(emulator.OpList, "0.3").Repeat(2))
	begin := now()
	a, err := s.get(t.Context(), "keySets")
	if took := now().Sub(begin); err != nil || a.status != http.StatusOK || took < 600*time.Millisecond {
		t.Errorf("status %d after %s (%v)", a.status, took, err)
	}
	tenant.Inject(emulator.Throttled(emulator.OpList, "86400"))
	if a, err := s.get(t.Context(), "keySets"); err != nil || a.status != http.StatusTooManyRequests {
		t.Errorf("status %d (%v)", a.status, err)
	}
	tenant.Inject(emulator.CutBeforeWork(emulator.OpGet).Repeat(2))
	if a, err := s.get(t.Context(), "keySets/B2C_1A_Foreign"); err != nil || a.status != http.StatusOK {
		t.Errorf("status %d (%v)", a.status, err)
	}
	tenant.Inject(emulator.CutAfterCommit(emulator.OpCreate))
	session := s.session("cut")
	if _, err := session.create(t.Context(), session.set(""), "", nil); err == nil {
		t.Error("a create whose answer was lost was sent again")
	}
	if left, err := s.sweep(t.Context()); err != nil || len(left) > 0 || slices.Contains(names(tenant), session.set("").id) {
		t.Errorf("left %v (%v)", left, err)
	}
}

func TestService_SparesATenant(t *testing.T) {
	t.Parallel()
	s := newService(target{graph: publicGraph, authority: publicAuthority})
	if s.gap < 300*time.Millisecond || s.patience != time.Minute || s.quiet == 0 { // 200 requests a minute
		t.Errorf("gap %s, patience %s, quiet %s", s.gap, s.patience, s.quiet)
	}
	s.gap = 50 * time.Millisecond
	begin := now()
	for range 3 {
		if err := s.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := now().Sub(begin); took < 100*time.Millisecond {
		t.Errorf("three turns took %s", took)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const otherwise = 7 * time.Second
	for header, want := range map[string]time.Duration{
		"2": 2 * time.Second, "2.128": 2128 * time.Millisecond, "0": 0, "": otherwise, "-1": otherwise, "soon": otherwise, "NaN": otherwise, "1e99": otherwise,
		"Mon, 02 Jan 2006 15:04:05 GMT": 0,
	} {
		if got := retryAfter(header, otherwise); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]string{
		0: "now", -19: "now", 45: "now+1m", 25: "now+20s", -25: "now-20s", hour: "now+1h", -hour + 5: "now-1h", 90 * minute: "now+90m", 2 * day: "now+2d",
	} {
		if got := distance(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
}

// A service that repeats what it was told is no reason to tell others.
func TestReport_HasNoSecrets(t *testing.T) {
	t.Parallel()
	const tenantID, clientID = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
	s := newService(target{tenantID: tenantID, clientID: clientID, clientSecret: "~secret~", graph: "https://graph.test", authority: "https://login.test"})
	s.hide("to.k.en")
	said := fmt.Sprintf("%s %s %s ~secret~ to.k.en https://graph.test/x contoso.onmicrosoft.com %s", tenantID, strings.ToUpper(tenantID), clientID, s.prefix)
	session := s.session("q")
	for _, body := range []string{
		`{"error":{"code":"` + said + `","message":"` + said + `"}}`,
		`{"kid":"x","k":"pr1vate","d":"pr1vate","use":"` + said + `"}`,
		`{"value":[{"id":"` + s.prefix + `q","k":"pr1vate"}],"@odata.nextLink":"https://graph.test?$skiptoken=Foreign&$top=1"}`,
		`{"value":[{"id":"B2C_1A_Foreign"}]}`, `{"id":"B2C_1A_tfconformance_00000000_Foreign"}`, `["B2C_1A_Foreign"]`, said,
	} {
		session.saw(answer{request: s.plain("GET " + said), status: http.StatusOK, body: []byte(body)})
	}
	session.saw(answer{request: "GET", status: http.StatusBadGateway, body: []byte(said)})
	r := &run{
		service: s, asked: []asked{{question: questions()[0], service: session.observed, err: errors.New(said)}},
		checked: []checked{{checks()[0], errors.New(said)}},
	}
	report := r.markdown()
	for _, word := range []string{"secret~", "to.k.en", "11111111", "66666666", "contoso", "graph.test", "pr1vate", "Foreign", s.prefix} {
		if strings.Contains(report, word) {
			t.Errorf("the report has %q:\n%s", word, report)
		}
	}
	for _, word := range []string{"PRIVATE MEMBER d; PRIVATE MEMBER k", "couldn't be asked", "**no:**"} {
		if !strings.Contains(report, word) {
			t.Errorf("the report lacks %q:\n%s", word, report)
		}
	}
}
