// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// lifeCycle is what the key sets and keys of a configuration go through, on any tenant. How the service
// behaves where the facts are unsure, it learns on the way.
type lifeCycle struct {
	*tenant
	tf                  *client
	nbf, exp, secondExp int64
	first               string // the dated key's first kid

	// What was learned of the service.
	learned behavior
}

// behavior is what a configuration has to take care of, or can't have.
type behavior struct {
	noStatus           bool // a key's status can't be shown or changed
	newKeysAreDisabled bool // a key must be enabled before it is used
	fillsNbf           bool // an undated key gets a date, and so comes before the dated one
}

// config has a set with an undated and a dated signing key, a set with two symmetric ones, and an empty
// set, and reads them.
func (l *lifeCycle) config(exp int64, arguments ...string) string {
	enabled := ""
	if l.learned.newKeysAreDisabled {
		enabled = `status = "enabled"`
	}
	return fmt.Sprintf(`
resource "trustframework_key_set" "signing" {
  name          = "%[1]s_Signing"
  delete_backup = true
}

resource "trustframework_key_set" "encryption" {
  name          = "B2C_1A_%[1]s_Encryption"
  delete_backup = true
}

resource "trustframework_key_set" "empty" {
  name          = "%[1]s_Empty"
  delete_backup = true
}

resource "trustframework_generated_key" "undated" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
  %[2]s
}

resource "trustframework_generated_key" "dated" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
  nbf        = %[3]d
  exp        = %[4]d
  %[5]s
  depends_on = [trustframework_generated_key.undated]
}

resource "trustframework_generated_key" "symmetric" {
  key_set_id = trustframework_key_set.encryption.id
  use        = "enc"
  kty        = "oct"
}

# Told from the symmetric one by its date, should an answer be lost.
resource "trustframework_generated_key" "other" {
  key_set_id = trustframework_key_set.encryption.id
  use        = "enc"
  kty        = "oct"
  exp        = %[6]d
}

data "trustframework_key_set" "signing" {
  name       = "%[1]s_Signing"
  depends_on = [trustframework_generated_key.dated]
}

data "trustframework_key_set" "empty" {
  name = trustframework_key_set.empty.id
}

data "trustframework_active_key" "signing" {
  key_set_id = trustframework_key_set.signing.id
  depends_on = [trustframework_generated_key.undated, trustframework_generated_key.dated]
}

output "active" {
  value = data.trustframework_active_key.signing.kid
}

output "kids" {
  value = join(" ", concat(data.trustframework_key_set.signing.keys, data.trustframework_key_set.empty.keys)[*].kid)
}
`, l.prefix, enabled, l.nbf, exp, strings.Join(arguments, "\n  "), l.exp)
}

const (
	undatedAddress   = "trustframework_generated_key.undated"
	datedAddress     = "trustframework_generated_key.dated"
	symmetricAddress = "trustframework_generated_key.symmetric"
	signingAddress   = "trustframework_key_set.signing"
)

func (l *lifeCycle) kid(address string) string {
	kid, _ := l.tf.state(address)["kid"].(string)
	return kid
}

// shows expects the data sources to show the keys of the signing set, and which is active.
func (l *lifeCycle) shows(step, active string, kids ...string) {
	l.t.Helper()
	if l.learned.fillsNbf {
		active = l.kid(undatedAddress)
	}
	outputs := l.tf.read().Outputs
	if outputs["kids"].Value != strings.Join(kids, " ") || outputs["active"].Value != active {
		l.t.Errorf("%s: %v, want %s of %v", step, outputs, active, kids)
	}
}

// settled expects that there is nothing left to do, and nothing to say.
func (l *lifeCycle) settled(step string) {
	l.t.Helper()
	if o, changes := l.tf.plan(); changes || len(o.diagnostics) > 0 {
		l.t.Errorf("%s: changes: %t, %v\n%s", step, changes, o.diagnostics, o.stdout)
	}
}

// run makes, replaces, disables, loses, imports and destroys.
func (l *lifeCycle) run() {
	l.t.Helper()
	l.nbf, l.exp, l.secondExp = l.in(-time.Hour), l.in(30*24*time.Hour), l.in(60*24*time.Hour)
	l.tf = l.client(l.config(l.exp))
	l.make()
	l.replace()
	l.disable()
	if l.world != nil {
		l.lose()
	}
	l.adopt()
	l.destroy()
}

func (l *lifeCycle) make() {
	l.t.Helper()
	if o := l.tf.run("apply", "-auto-approve", "-input=false"); o.has("error", "Unable to read active key", "names no key") {
		l.learned.newKeysAreDisabled = true
		l.configure(l.tf, l.config(l.exp))
		l.tf.apply(true)
	} else if o.exit != 0 {
		l.t.Fatal(o.diagnostics)
	}
	l.settled("made")
	undated, dated, symmetric := l.tf.state(undatedAddress), l.tf.state(datedAddress), l.tf.state(symmetricAddress)
	l.learned.fillsNbf = undated["nbf"] != nil
	if id := "B2C_1A_" + l.prefix + "_Signing"; l.tf.state(signingAddress)["id"] != id || dated["id"] != id+"/"+l.kid(datedAddress) {
		l.t.Errorf("ids %v, %v", l.tf.state(signingAddress)["id"], dated["id"])
	}
	l.first = l.kid(datedAddress)
	active := l.first
	if l.learned.newKeysAreDisabled {
		active = l.kid(undatedAddress)
	}
	l.shows("made", active, l.kid(undatedAddress), l.first)
	if dated["exp"] != float64(l.exp) || dated["nbf"] != float64(l.nbf) || dated["kty"] != "RSA" || dated["public_key_pem"] == nil {
		l.t.Errorf("the dated key: %v", dated)
	}
	if symmetric["kty"] != "oct" || symmetric["use"] != "enc" || symmetric["exp"] != nil || symmetric["n"] != nil || symmetric["public_key_jwk"] != nil {
		l.t.Errorf("the symmetric key: %v", symmetric)
	}
}

// replace changes exp: the dated key gets a successor, and nothing else moves.
func (l *lifeCycle) replace() {
	l.t.Helper()
	undated := l.kid(undatedAddress)
	l.configure(l.tf, l.config(l.secondExp))
	l.tf.apply(true)
	if kid := l.kid(datedAddress); kid == l.first || l.kid(undatedAddress) != undated || l.tf.state(datedAddress)["exp"] != float64(l.secondExp) {
		l.t.Errorf("kids %s, %s, were %s, %s", kid, l.kid(undatedAddress), l.first, undated)
	}
}

// disable disables the dated key, whose predecessor was kept, and enables it again.
func (l *lifeCycle) disable() {
	l.t.Helper()
	kid := l.kid(datedAddress)
	for _, status := range []string{"disabled", "enabled"} {
		l.configure(l.tf, l.config(l.secondExp, fmt.Sprintf("status = %q", status)))
		if o := l.tf.run("apply", "-auto-approve", "-input=false"); o.has("error", "Unable to set key's status", "Nothing was changed") {
			l.learned.noStatus = true
			break
		} else if o.exit != 0 {
			l.t.Fatal(o.diagnostics)
		}
		active := kid
		if status == "disabled" {
			l.settled(status)
			active = l.first
			if l.learned.newKeysAreDisabled {
				active = l.kid(undatedAddress)
			}
		}
		l.shows(status, active, l.kid(undatedAddress), l.first, kid)
		if got := l.tf.state(datedAddress); got["status"] != status || got["kid"] != kid {
			l.t.Errorf("status %v, want %s; kid %v, was %s", got["status"], status, got["kid"], kid)
		}
	}
	l.configure(l.tf, l.config(l.secondExp))
	l.tf.apply(true)
	l.settled("no longer managed")
}

// lose takes a key set away behind Terraform's back, and lets it be made again.
func (l *lifeCycle) lose() {
	l.t.Helper()
	kid := l.kid(symmetricAddress)
	l.world.RemoveKeySet("B2C_1A_" + l.prefix + "_Encryption")
	l.world.clock.Advance(time.Hour)
	o := l.tf.apply(true)
	want := map[string]string{symmetricAddress: "create", "trustframework_generated_key.other": "create", "trustframework_key_set.encryption": "create"}
	if got := o.actions(); !maps.Equal(got, want) || l.kid(symmetricAddress) == kid {
		l.t.Errorf("lost: actions %v", got)
	}
	l.settled("made again")
}

// adopt forgets what it can and imports it again, by ids without the prefix and by an identity.
func (l *lifeCycle) adopt() {
	l.t.Helper()
	addresses := []string{datedAddress, undatedAddress, symmetricAddress, signingAddress}
	blocks := ""
	for _, address := range addresses {
		id, _ := l.tf.state(address)["id"].(string)
		keySetID, kid, _ := strings.Cut(id, "/")
		if address == datedAddress && has(l.t, featureIdentity()) {
			blocks += importBlock(address, identityOf("key_set_id", keySetID, "kid", kid))
			continue
		}
		blocks += importBlock(address, fmt.Sprintf("id = %q", strings.TrimPrefix(id, "B2C_1A_")))
	}
	before := l.kid(datedAddress)
	l.tf.command(append([]string{"state", "rm"}, addresses...)...)
	l.configure(l.tf, l.config(l.secondExp)+blocks)
	o := l.tf.apply(true)
	// delete_backup, and the status where it is managed, can only be recorded.
	if len(o.diagnostics) > 0 || !strings.Contains(o.stdout, "4 imported, 0 added, ") || !strings.Contains(o.stdout, " 0 destroyed") || l.kid(datedAddress) != before {
		l.t.Errorf("imported: %v\n%s", o.diagnostics, o.stdout)
	}
	l.settled("imported")
}

func (l *lifeCycle) destroy() {
	l.t.Helper()
	l.tf.apply(true, "-destroy")
	if l.world != nil {
		for _, s := range l.world.KeySets() {
			// The copy of an empty set may not come at all, and isn't waited for.
			if s.ID != "B2C_1A_"+l.prefix+"_Empty.bak" {
				l.t.Errorf("key set %s is left", s.ID)
			}
		}
	}
}

func TestAccTenant_LifeCycle(t *testing.T) {
	t.Parallel()
	l := lifeCycle{tenant: anyTenant(t)}
	l.run()
	t.Logf("the service: %+v", l.learned)
}

// TestAccTenant_Disappears deletes a key set behind the back of the configuration that made it.
func TestAccTenant_Disappears(t *testing.T) {
	t.Parallel()
	n := anyTenant(t)
	config := fmt.Sprintf(`
resource "trustframework_key_set" "signing" {
  name          = "%s_Gone"
  delete_backup = true
}

resource "trustframework_generated_key" "dated" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "oct"
}
`, n.prefix)
	tf := n.client(config)
	tf.apply(true)
	kid := tf.state(datedAddress)["kid"]
	other := n.client(config[:strings.Index(config, `resource "trustframework_generated_key"`)])
	other.command("import", "-input=false", signingAddress, n.prefix+"_Gone")
	other.apply(true)
	other.apply(true, "-destroy")
	if o, changes := tf.plan(); !changes || !strings.Contains(o.stdout, "Plan: 2 to add, 0 to change, 0 to destroy.") {
		t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
	}
	tf.apply(true)
	if got := tf.state(datedAddress)["kid"]; got == kid || got == nil {
		t.Errorf("kid %v, was %v", got, kid)
	}
	if _, changes := tf.plan(); changes {
		t.Error("the second plan has changes")
	}
}

// TestAccTenant_Refusals are mistakes that the service or the provider must tell of.
func TestAccTenant_Refusals(t *testing.T) {
	t.Parallel()
	n := anyTenant(t)
	base := fmt.Sprintf(`
resource "trustframework_key_set" "signing" {
  name          = "%s_Refusals"
  delete_backup = true
}

resource "trustframework_generated_key" "dated" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "oct"
}
`, n.prefix)
	tf := n.client(base)
	tf.apply(true)
	id, _ := tf.state(datedAddress)["id"].(string)
	for _, row := range []struct{ more, summary, words string }{
		{`resource "trustframework_key_set" "again" { name = "PREFIX_refusals" }`, "Unable to create key set", "terraform import trustframework_key_set.NAME B2C_1A_" + n.prefix},
		{`resource "trustframework_generated_key" "rsa" {
			key_set_id = trustframework_key_set.signing.id
			use = "sig"
			kty = "RSA"
		}`, "Key doesn't fit its key set", "can't mix"},
		{`resource "trustframework_generated_key" "lost" {
			key_set_id = "PREFIX_Missing"
			use = "sig"
			kty = "oct"
		}`, "Unable to generate key", "There is no key set"},
		{`data "trustframework_key_set" "missing" { name = "PREFIX_Missing" }`, "Unable to read key set", "There is no key set"},
		{`data "trustframework_active_key" "missing" { key_set_id = "PREFIX_Missing" }`, "Unable to read active key", "There is no key set"},
		{importBlock("trustframework_generated_key.none", `id = "PREFIX_Refusals/none"`) + `resource "trustframework_generated_key" "none" {
			key_set_id = trustframework_key_set.signing.id
			use = "sig"
			kty = "oct"
		}`, "Key to import is not in its key set", id},
	} {
		n.configure(tf, base+strings.ReplaceAll(row.more, "PREFIX", n.prefix))
		if o := tf.apply(false); !o.has("error", row.summary, row.words) {
			t.Errorf("%s: %v", row.summary, o.diagnostics)
		}
	}
	n.configure(tf, base)
	if _, changes := tf.plan(); changes {
		t.Error("a refusal has changed something")
	}
}

// TestAcc_LifeCycle_UnderEveryVariant goes through the same with each answer of the service that the facts
// leave open, and with each kind of failure that passes.
func TestAcc_LifeCycle_UnderEveryVariant(t *testing.T) {
	t.Parallel()
	const html = "<html><body>Bad gateway</body></html>"
	reads := []emulator.Op{emulator.OpList, emulator.OpGet, emulator.OpGetActiveKey, emulator.OpListKeys}
	all := append([]emulator.Op{emulator.OpCreate, emulator.OpGenerateKey, emulator.OpPatchKey, emulator.OpDelete}, reads...)
	for name, row := range map[string]struct {
		switches emulator.Switches
		behavior behavior
		lag      time.Duration
		fault    emulator.Fault // for the first request of each operation in hit
		hit      []emulator.Op
	}{
		"none":                                 {},
		"a missing set answers 404":            {switches: emulator.Switches{MissingStatus: http.StatusNotFound}},
		"symmetric keys are OCT":               {switches: emulator.Switches{OctSpelling: "OCT"}},
		"listings without keys":                {switches: emulator.Switches{ListWithoutKeys: true}},
		"listings refused":                     {switches: emulator.Switches{ListRefused: true}},
		"listings in short pages":              {switches: emulator.Switches{PageSize: 1}},
		"nextLinks to another host":            {switches: emulator.Switches{PageSize: 1, NextLinkHost: "graph.microsoft.com"}},
		"status in listings":                   {switches: emulator.Switches{StatusInListing: true}},
		"new keys are disabled":                {switches: emulator.Switches{DisabledAtFirst: true}, behavior: behavior{newKeysAreDisabled: true}},
		"new keys are disabled, listings tell": {switches: emulator.Switches{DisabledAtFirst: true, StatusInListing: true}, behavior: behavior{newKeysAreDisabled: true}},
		"an omitted nbf is filled in":          {switches: emulator.Switches{FillNbf: true}, behavior: behavior{fillsNbf: true}},
		"numbers as strings":                   {switches: emulator.Switches{NumbersAsStrings: true}},
		"keys_v2 unlistable":                   {switches: emulator.Switches{KeysV2Unlistable: true}},
		"keys_v2 unlistable and wrapped":       {switches: emulator.Switches{KeysV2Unlistable: true, WrappedKeyV2: true, NumbersAsStrings: true}},
		"keys_v2 absent":                       {switches: emulator.Switches{NoKeysV2: true}, behavior: behavior{noStatus: true}},
		"no backup of empty sets":              {switches: emulator.Switches{NoBackupOfEmpty: true}},
		"overlapping writes refused":           {switches: emulator.Switches{OverlapRefused: true}},
		"opaque tokens":                        {switches: emulator.Switches{OpaqueTokens: true}},
		"lag":                                  {lag: 20 * time.Second},
		"500 AADB2C90063 once each":            {hit: all, fault: emulator.Fault{Status: 500, Code: "AADB2C90063", Message: "There is a problem with the service."}},
		"95053 once each":                      {hit: all, fault: emulator.Fault{Status: 400, Code: "AADB2C95053", Message: "Multiple concurrent writes"}},
		"429 once each":                        {hit: all, fault: emulator.Fault{Status: 429, Code: "TooManyRequests", RetryAfter: "2.128"}},
		"HTML once each":                       {hit: all, fault: emulator.Fault{Status: 502, Body: html, ContentType: "text/html"}},
		"reads answered with a page":           {hit: reads, fault: emulator.Fault{Status: 200, Body: html, ContentType: "text/html"}},
		"empty answers after the work":         {hit: all, fault: emulator.Fault{Commit: true, Status: 200}},
		"malformed answers after the work":     {hit: all, fault: emulator.Fault{Commit: true, Status: 200, Body: `{"kid":`, ContentType: "application/json"}},
		"answers cut off after the work":       {hit: all, fault: emulator.Fault{Commit: true, Cut: true}},
		"requests cut off before the work":     {hit: all, fault: emulator.Fault{Cut: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.SetLag(row.lag)
			for _, op := range row.hit {
				row.fault.Op = op
				w.Inject(row.fault)
			}
			l := lifeCycle{tenant: w.tenant(t)}
			l.run()
			if l.learned != row.behavior {
				t.Errorf("learned %+v, want %+v", l.learned, row.behavior)
			}
			l.checkJournal(row.hit)
		})
	}
}

// checkJournal looks at all that was asked: one key was made for each that was wanted, no two writes to one
// set were under way at the same time, and each operation met its fault.
func (l *lifeCycle) checkJournal(hit []emulator.Op) {
	l.t.Helper()
	made := 0
	met := map[emulator.Op]bool{}
	writes := l.world.Writes()
	for i, e := range writes {
		if e.Op == emulator.OpGenerateKey && e.Committed {
			made++
		}
		for _, other := range writes[:i] {
			if e.KeySet != "" && e.KeySet == other.KeySet && e.Overlaps(other) {
				l.t.Errorf("%s %s overlaps with %s %s", e.Op, e.KeySet, other.Op, other.KeySet)
			}
		}
	}
	if made != 7 {
		l.t.Errorf("%d keys made, want 7", made)
	}
	for _, e := range l.world.Requests() {
		met[e.Op] = met[e.Op] || e.Fault != ""
	}
	for _, op := range hit {
		if !met[op] {
			l.t.Errorf("no %s met its fault", op)
		}
	}
}
