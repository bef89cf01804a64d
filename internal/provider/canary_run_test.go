// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// canaryRun is a configuration on the client under test, as a user runs it who has turned on every log. All
// that it leaves behind is below one folder; secrets come in by the environment and by ephemeral resources.
type canaryRun struct {
	*client
	world *world
	wire  *wire
	// other is a second tenant, whose client secret comes from a variable, and which is reached over a wire of its own.
	other     *emulator.Tenant
	otherWire *wire

	root     string
	mu       sync.Mutex // guards stash, which the client reads from another goroutine
	stash    map[string]string
	secrets  []canary
	commands int
}

func newCanaryRun(t *testing.T) *canaryRun {
	t.Helper()
	r := &canaryRun{root: t.TempDir(), stash: map[string]string{}, world: &world{}}
	for _, dir := range []string{"work", "log", "output", "emulator"} {
		if err := os.Mkdir(filepath.Join(r.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	clientSecret, otherSecret := newCanary(t, "client secret"), newCanary(t, "other client secret")
	r.secrets = append(r.secrets, clientSecret, otherSecret)
	connections, err := os.Create(filepath.Join(r.root, "emulator", "connections.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connections.Close() })
	r.world.Env = acctest.Start(t, emulator.Config{Observe: r.world.observe, ErrorLog: log.New(connections, "", 0)})
	r.world.Tenant = r.world.Server.NewTenant(emulator.TenantConfig{ClientSecret: clientSecret.text()})
	r.other = r.world.Server.NewTenant(emulator.TenantConfig{ClientSecret: otherSecret.text()})
	r.wire, r.otherWire = newWire(t, r.world.Server), newWire(t, r.world.Server)

	authorities := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authorities, append(r.wire.authority(), r.otherWire.authority()...), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := r.world.Variables()
	maps.Copy(variables, map[string]string{
		"ARM_MSGRAPH_ENDPOINT":        r.wire.server.URL,
		"AZURE_AUTHORITY_HOST":        r.wire.server.URL,
		"TRUSTFRAMEWORK_CA_CERT_FILE": authorities,
		"TRUSTFRAMEWORK_SETTLE_TIME":  "1s",
		"TF_VAR_client_secret":        otherSecret.text(),
		"TF_LOG":                      "TRACE",
	})
	r.client = ownProcess(t, "", variables)
	r.dir = filepath.Join(r.root, "work")
	r.environment = append(r.environment, "TF_REATTACH_PROVIDERS="+serveStash(t, r))
	return r
}

// providers are the provider blocks: one takes all from the environment, the other one's client secret is an
// ephemeral variable.
func (r *canaryRun) providers() string {
	return fmt.Sprintf(`
variable "client_secret" {
  type      = string
  ephemeral = true
}

provider "trustframework" {}

provider "trustframework" {
  alias            = "other"
  tenant_id        = %q
  client_id        = %q
  client_secret    = var.client_secret
  msgraph_endpoint = %q
  authority_host   = %q
}
`, r.other.ID(), r.other.ClientID(), r.otherWire.server.URL, r.otherWire.server.URL)
}

// secret makes a canary that is to be found nowhere.
func (r *canaryRun) secret(name string) canary {
	r.t.Helper()
	c := newCanary(r.t, name)
	r.secrets = append(r.secrets, c)
	return c
}

// variable hands a value to an ephemeral variable.
func (r *canaryRun) variable(name, value string) {
	r.environment = append(r.environment, "TF_VAR_"+name+"="+value)
}

// keep hands a value to the ephemeral resource of that name.
func (r *canaryRun) keep(name, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stash[name] = value
}

// begin says where the next command leaves its log and its output.
func (r *canaryRun) begin(name string) (stdout, stderr string) {
	r.commands++
	name = fmt.Sprintf("%02d-%s", r.commands, name)
	r.environment = append(r.environment, "TF_LOG_PATH="+filepath.Join(r.root, "log", name+".log")) // the last one counts
	return filepath.Join(r.root, "output", name+".stdout"), filepath.Join(r.root, "output", name+".stderr")
}

// do runs a command and returns what it has written, in which all texts must be.
func (r *canaryRun) do(ok bool, texts []string, arguments ...string) string {
	r.t.Helper()
	stdoutFile, stderrFile := r.begin(arguments[0])
	command, cancel := r.prepare(arguments...)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); (err == nil) != ok {
		r.t.Fatalf("%v: %v\n%s%s", arguments, err, &stdout, &stderr)
	}
	r.leaves(stdoutFile, stdout.Bytes())
	r.leaves(stderrFile, stderr.Bytes())
	said := stdout.String() + stderr.String()
	// Clients break lines where they like, and draw a line beside an error.
	plain := strings.Join(strings.Fields(strings.ReplaceAll(said, "│", " ")), " ")
	for _, text := range texts {
		if !strings.Contains(plain, text) {
			r.t.Errorf("%v doesn't say %q:\n%s", arguments, text, said)
		}
	}
	return said
}

// interrupted runs an apply during which something happens to it, and expects it to fail with one of the texts.
func (r *canaryRun) interrupted(name string, start func(*running), texts ...string) {
	r.t.Helper()
	stdoutFile, stderrFile := r.begin(name)
	command := r.startApply()
	start(command)
	o := command.finish()
	if o.exit == 0 {
		r.t.Errorf("%s: the apply has succeeded", name)
	}
	r.leaves(stdoutFile, []byte(o.stdout))
	r.leaves(stderrFile, []byte(o.stderr))
	if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(o.stdout+o.stderr, text) }) {
		r.t.Errorf("%s says none of %q:\n%s%s", name, texts, o.stdout, o.stderr)
	}
}

func (r *canaryRun) leaves(file string, content []byte) {
	r.t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// log is where the log of the last command is.
func (r *canaryRun) log() string {
	last := ""
	for _, v := range r.environment {
		if path, ok := strings.CutPrefix(v, "TF_LOG_PATH="); ok {
			last = path
		}
	}
	return last
}

// end writes down what the emulator knows, and returns a searcher for all secrets there were, the tokens among them.
// Each that was to be sent must have been.
func (r *canaryRun) end(sent ...string) *searcher {
	r.t.Helper()
	r.wire.close()
	r.otherWire.close()
	r.world.quiet()
	journal, err := json.MarshalIndent(r.world.Server.Journal(), "", "  ")
	if err != nil {
		r.t.Fatal(err)
	}
	r.leaves(filepath.Join(r.root, "emulator", "journal.json"), journal)
	tokens := append(r.wire.issued(), r.otherWire.issued()...)
	if len(tokens) == 0 {
		r.t.Error("no token was issued")
	}
	for i, token := range tokens {
		r.secrets = append(r.secrets, tokenCanary(i, token)...)
	}
	s := newSearcher(r.secrets)
	seen := map[leak]bool{}
	for _, w := range []*wire{r.wire, r.otherWire} {
		if err := s.in("wire", bytes.NewReader(w.recorded()), seen); err != nil {
			r.t.Error(err)
		}
	}
	names := map[string]bool{}
	for l := range seen {
		names[l.secret] = true
	}
	for _, name := range append(sent, "client secret", "token 0") {
		if !names[name] {
			r.t.Errorf("%s was never sent, so that nothing could leak it", name)
		}
	}
	return s
}

// findsNothing searches all that the run has left.
func (r *canaryRun) findsNothing(s *searcher) {
	r.t.Helper()
	for l := range s.tree(r.t, r.root) {
		r.t.Errorf("%s is in %s, spelled %s", l.secret, l.place, l.spelling)
	}
}
