// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestAccDataSource_WhatCantBeRead_IsAnError(t *testing.T) {
	t.Parallel()
	const set, sets, active = "Unable to read key set", "Unable to list key sets", "Unable to read active key"
	fault := func(f emulator.Fault) func(*world) {
		return func(w *world) { f.Times = -1; w.Inject(f) }
	}
	noRole := func(w *world) { w.SetRoles("Directory.Read.All") }
	empty := func(w *world) { w.AddKeySet("Empty") }
	permission := []string{"denied access", "Its application permissions: Directory.Read.All. Reading needs TrustFrameworkKeySet.Read.All", "az ad app permission admin-consent", "Status: 403", "Code: AADB2C", "Request ID: "}
	for name, row := range map[string]struct {
		config  string
		prepare func(*world)
		summary string
		texts   []string
		code    string // the line of the configuration that the error points at, as JSON has it
	}{
		"set: missing":        {keySetData("None"), nil, set, []string{`There is no key set "B2C_1A_None"`, "Code: AADB2C90073", "Request ID: "}, `name = \"None\"`},
		"set: forbidden":      {keySetData("None"), noRole, set, permission, ""},
		"set: failing":        {keySetData("None"), fault(emulator.ServiceProblem(emulator.OpList)), set, []string{"The service failed", "Code: AADB2C90063"}, ""},
		"set: keys hidden":    {keySetData("Empty"), fault(emulator.Fault{Op: emulator.OpGet, Status: 200, ContentType: "application/json", Body: `{"id":"B2C_1A_Empty"}`}), set, []string{"doesn't show the keys"}, ""},
		"sets: forbidden":     {keySetsData(), noRole, sets, append(permission, "the tenant's key sets"), ""},
		"sets: refused":       {keySetsData(), fault(emulator.Fault{Op: emulator.OpList, Status: 400, Code: "AADB2C", Message: "No lists today."}), sets, []string{"refused the request for the tenant's key sets", "No lists today.", "Code: AADB2C"}, ""},
		"sets: failing":       {keySetsData(), fault(emulator.ServiceProblem(emulator.OpList)), sets, []string{"The service failed on the request for the tenant's key sets", "Code: AADB2C90063"}, ""},
		"sets: not a list":    {keySetsData(), fault(emulator.Fault{Op: emulator.OpList, Status: 200, ContentType: "application/json", Body: `{}`}), sets, []string{"The service failed", "the answer has no value"}, ""},
		"active: no set":      {activeKeyData("None"), nil, active, []string{`There is no key set "B2C_1A_None"`, "Code: AADB2C90073", "Request ID: "}, `key_set_id = \"None\"`},
		"active: no key":      {activeKeyData("Empty"), empty, active, []string{`names no key of key set "B2C_1A_Empty"`, "does not has a valid key", "Code: AADB2C90019", "Request ID: "}, `key_set_id = \"Empty\"`},
		"active: forbidden":   {activeKeyData("Empty"), noRole, active, permission, ""},
		"active: failing":     {activeKeyData("Empty"), fault(emulator.ServiceProblem(emulator.OpGetActiveKey)), active, []string{"The service failed", "Code: AADB2C90063"}, ""},
		"active: not a key":   {activeKeyData("Empty"), fault(emulator.Fault{Op: emulator.OpGetActiveKey, Status: 200, ContentType: "application/json", Body: `{}`}), active, []string{"the answer has no kid"}, ""},
		"set: out of time":    {keySetData("None", `timeouts = { read = "5s" }`), fault(emulator.Throttled(emulator.OpList, "60")), set, []string{"raise the timeout"}, ""},
		"sets: out of time":   {keySetsData(`timeouts = { read = "5s" }`), fault(emulator.Throttled(emulator.OpList, "60")), sets, []string{"raise the timeout"}, ""},
		"active: out of time": {activeKeyData("None", `timeouts = { read = "5s" }`), fault(emulator.Throttled(emulator.OpGetActiveKey, "60")), active, []string{"raise the timeout"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			if row.prepare != nil {
				row.prepare(w)
			}
			tf := w.inProcess(t, w.Provider()+row.config)
			o := tf.expect(false, "plan")
			// The listing goes on for others who may want it, but a read of one's own ends with its timeout.
			if took := w.clock.Now().Sub(start()); name == "active: out of time" && took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if !o.has("error", row.summary, row.texts...) || len(o.diagnostics) != 1 {
				t.Errorf("got %v", o.diagnostics)
			}
			if row.code != "" && !strings.Contains(o.stdout, `"code":"  `+row.code) {
				t.Errorf("the error doesn't point at %s: %s", row.code, o.stdout)
			}
			if len(w.Writes()) > 0 {
				t.Errorf("%d writes", len(w.Writes()))
			}
		})
	}
}

// TestAccDataSource_SignIn_FailsAsInResources: once for all, and without a request to Graph.
func TestAccDataSource_SignIn_FailsAsInResources(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{"set": keySetData("Test"), "sets": keySetsData(), "active": activeKeyData("Test")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider("client_secret", `"wrong"`)+config)
			o := tf.expect(false, "plan")
			if !o.has("error", "Unable to sign in", "AADSTS7000215", "Check client_secret (ARM_CLIENT_SECRET)", "Trace ID: ") || len(o.diagnostics) != 1 {
				t.Errorf("got %v", o.diagnostics)
			}
			if n := len(w.Requests()); n > 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestAccDataSource_Throttled_WaitsAndReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("Test")
	kid := w.AddKey("Test", emulator.KeySpec{})
	for _, op := range []emulator.Op{emulator.OpList, emulator.OpGetActiveKey} {
		w.Inject(emulator.Throttled(op, "2.5"))
		w.Inject(emulator.ServiceProblem(op))
	}
	begun := w.clock.Now()
	tf := w.inProcess(t, w.Provider()+keySetData("Test")+keySetsData()+activeKeyData("Test"))
	tf.apply(true)
	if got := tf.state(activeKeyDataAddress)["kid"]; got != kid || shownSets(tf.state(keySetsDataAddress)) != "Test:1" {
		t.Errorf("got %v", got)
	}
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 3, emulator.OpGetActiveKey: 3})(nil); err != nil {
		t.Error(err)
	}
	if waited := w.clock.Now().Sub(begun); waited < 2500*time.Millisecond {
		t.Errorf("waited %s", waited)
	}
}

func TestAccDataSource_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	for name, row := range map[string]struct{ config, want string }{
		"set with a slash":   {keySetData("a/b"), `can't name a key set: it has one of`},
		"set without a name": {keySetData(""), `can't name a key set: it is empty`},
		"active, with a dot": {activeKeyData(".."), `can't name a key set: it means a folder`},
		"expression":         {keySetsData(`name_regex = "("`), `Invalid regular expression.*RE2 syntax: error parsing regexp: missing closing \)`},
		"expression of Perl": {keySetsData(`name_regex = "(?!x)"`), `Invalid regular expression.*invalid or unsupported Perl syntax`},
		"timeout":            {keySetsData(`timeouts = { read = "soon" }`), `Invalid Attribute Value Time Duration`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factories(nil),
				Steps: []resource.TestStep{{
					Config:      w.Provider() + row.config,
					ExpectError: regexp.MustCompile("(?s)" + strings.ReplaceAll(row.want, " ", `\s+`)),
				}},
			})
			if n := len(w.Journal()); n > 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestAccDataSource_UnknownArguments_WaitForApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	for _, id := range []string{"One", "Two", "Two.bak"} {
		w.AddKeySet(id)
		w.AddKey(id, emulator.KeySpec{})
	}
	tf := w.inProcess(t, w.Provider()+`
resource "terraform_data" "later" {
  input = { name = "Two", regex = "Two", backups = true }
}

data "trustframework_key_set" "read" {
  name = terraform_data.later.output.name
}

data "trustframework_key_sets" "read" {
  name_regex      = terraform_data.later.output.regex
  include_backups = terraform_data.later.output.backups
}

data "trustframework_active_key" "read" {
  key_set_id = terraform_data.later.output.name
}
`)
	if o, _ := tf.plan(); len(o.diagnostics) > 0 || len(w.Requests()) > 0 {
		t.Errorf("plan: %v, %d requests", o.diagnostics, len(w.Requests()))
	}
	tf.apply(true)
	if got := tf.state(keySetDataAddress)["id"]; got != "B2C_1A_Two" {
		t.Errorf("key set %v", got)
	}
	if got := shownSets(tf.state(keySetsDataAddress)); got != "Two:1 Two.bak:1 (backup)" {
		t.Errorf("key sets %s", got)
	}
	if got := tf.state(activeKeyDataAddress)["kid"]; got != w.keys("B2C_1A_Two")[0].Kid {
		t.Errorf("active key %v", got)
	}
}

// TestAccDataSource_ARegularExpressionThatTurnsOutToBeNone: the check at plan couldn't see it.
func TestAccDataSource_ARegularExpressionThatTurnsOutToBeNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+"resource \"terraform_data\" \"later\" {\n  input = \"(\"\n}\n"+keySetsData("name_regex = terraform_data.later.output"))
	if o := tf.apply(false); !o.has("error", "Invalid regular expression", "missing closing )") {
		t.Errorf("got %v", o.diagnostics)
	}
	if n := len(w.Requests()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// readers are all data sources, which are read after the key of keyConfig is made.
const readers = `
data "trustframework_key_set" "read" {
  name       = trustframework_key_set.test.name
  depends_on = [trustframework_generated_key.test]
}

data "trustframework_key_sets" "read" {
  depends_on = [trustframework_generated_key.test]
}

data "trustframework_active_key" "read" {
  key_set_id = trustframework_key_set.test.id
  depends_on = [trustframework_generated_key.test]
}
`

// TestAccDataSource_AfterAnApply_ShowsWhatItMade: whatever the lag, in the apply that made it.
func TestAccDataSource_AfterAnApply_ShowsWhatItMade(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		lag      time.Duration
		switches emulator.Switches
		first    map[emulator.Op]int // what the first apply costs; nil if it depends on waits
	}{
		"at once": {0, emulator.Switches{}, map[emulator.Op]int{
			emulator.OpList: 2, emulator.OpCreate: 1, emulator.OpGenerateKey: 1, emulator.OpGetActiveKey: 1,
		}},
		"without keys": {0, emulator.Switches{ListWithoutKeys: true}, nil},
		"under lag":    {40 * time.Second, emulator.Switches{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.AddKeySet("Other")
			w.AddKey("Other", emulator.KeySpec{Kty: "oct"})
			w.SetLag(row.lag)
			tf := w.inProcess(t, w.Provider()+keyConfig(fmt.Sprintf("exp = %d", in(24*time.Hour)))+readers)
			check := func(what string, keys int) {
				t.Helper()
				kid := tf.state(keyAddress)["kid"]
				listed, _ := tf.state(keySetDataAddress)["keys"].([]any)
				if len(listed) != keys {
					t.Fatalf("%s: %d keys", what, len(listed))
				}
				if last, _ := listed[keys-1].(map[string]any); last["kid"] != kid || last["active"] != true {
					t.Errorf("%s: last key %v, want %v", what, last, kid)
				}
				if got, want := shownSets(tf.state(keySetsDataAddress)), fmt.Sprintf("Other:1 Signing:%d", keys); got != want {
					t.Errorf("%s: key sets %s, want %s", what, got, want)
				}
				if got := tf.state(activeKeyDataAddress)["kid"]; got != kid {
					t.Errorf("%s: active key %v, want %v", what, got, kid)
				}
			}
			tf.apply(true)
			if row.first != nil {
				if err := w.CheckRequests(row.first)(nil); err != nil {
					t.Errorf("first apply: %v", err)
				}
			}
			check("first apply", 1)
			w.clock.Advance(row.lag)
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			tf.configure(w.Provider() + keyConfig(fmt.Sprintf("exp = %d", in(48*time.Hour))) + readers)
			tf.apply(true)
			check("rollover", 2)
		})
	}
}

// TestAccDataSource_AfterAReplacement_ShowsNothingDeleted: under lag the old set still shows.
func TestAccDataSource_AfterAReplacement_ShowsNothingDeleted(t *testing.T) {
	t.Parallel()
	config := func(name string) string {
		return keySetConfig(name) + keySetsData("include_backups = true", "depends_on = [trustframework_key_set.test]")
	}
	for name, lag := range map[string]time.Duration{"at once": 0, "under lag": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+config("One"))
			tf.apply(true)
			w.clock.Advance(time.Hour)
			w.SetLag(lag)
			tf.configure(w.Provider() + config("Two"))
			tf.apply(true)
			if got := strings.Replace(shownSets(tf.state(keySetsDataAddress)), "One.bak:0 (backup) ", "", 1); got != "Two:0" {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestAccDataSource_Plan_SharesTheResourcesListing: as many resources as data sources.
func TestAccDataSource_Plan_SharesTheResourcesListing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		more     map[emulator.Op]int
	}{
		"a listing with keys":    {emulator.Switches{}, nil},
		"in pages":               {emulator.Switches{PageSize: 1}, map[emulator.Op]int{emulator.OpList: 2}},
		"a listing without keys": {emulator.Switches{ListWithoutKeys: true}, map[emulator.Op]int{emulator.OpGet: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.AddKeySet("Other")
			w.AddKey("Other", emulator.KeySpec{Kty: "oct"})
			second := strings.ReplaceAll(keyConfig(), `"trustframework_generated_key" "test"`, `"trustframework_generated_key" "second"`)
			second = second[strings.Index(second, `resource "trustframework_generated_key"`):]
			tf := w.inProcess(t, w.Provider()+keyConfig()+second+readers)
			tf.apply(true)
			w.clock.Advance(time.Hour)
			w.ResetJournal()
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			want := map[emulator.Op]int{emulator.OpList: 1, emulator.OpGetActiveKey: 1}
			maps.Copy(want, row.more)
			if err := w.CheckRequests(want)(nil); err != nil {
				t.Error(err)
			}
		})
	}
}
