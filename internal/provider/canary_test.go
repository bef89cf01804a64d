// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// lifeConfig has each kind of secret twice: in one tenant the secret and the file are ephemeral resources and the
// password is an ephemeral variable, in the other one it is the other way round.
func (r *canaryRun) lifeConfig(version int) string {
	return r.providers() + fmt.Sprintf(`
variable "secret" {
  type      = string
  ephemeral = true
}

variable "file" {
  type      = string
  ephemeral = true
}

variable "password" {
  type      = string
  ephemeral = true
}

ephemeral "stash_secret" "secret" {
  name = "secret"
}

ephemeral "stash_secret" "file" {
  name = "file"
}

ephemeral "stash_secret" "password" {
  name = "password"
}

resource "trustframework_key_set" "secrets" {
  name          = "Secrets"
  delete_backup = true
}

resource "trustframework_key_set" "files" {
  name          = "Files"
  delete_backup = true
}

resource "trustframework_uploaded_secret" "stashed" {
  key_set_id        = trustframework_key_set.secrets.id
  use               = "sig"
  secret_wo         = ephemeral.stash_secret.secret.value
  secret_wo_version = %[1]d
}

resource "trustframework_uploaded_pkcs12" "stashed" {
  key_set_id        = trustframework_key_set.files.id
  pkcs12_wo         = ephemeral.stash_secret.file.value
  password_wo       = var.password
  pkcs12_wo_version = %[1]d
}

resource "trustframework_key_set" "other_secrets" {
  provider      = trustframework.other
  name          = "Secrets"
  delete_backup = true
}

resource "trustframework_key_set" "other_files" {
  provider      = trustframework.other
  name          = "Files"
  delete_backup = true
}

resource "trustframework_uploaded_secret" "given" {
  provider          = trustframework.other
  key_set_id        = trustframework_key_set.other_secrets.id
  use               = "sig"
  secret_wo         = var.secret
  secret_wo_version = %[1]d
}

resource "trustframework_uploaded_pkcs12" "given" {
  provider          = trustframework.other
  key_set_id        = trustframework_key_set.other_files.id
  pkcs12_wo         = var.file
  password_wo       = ephemeral.stash_secret.password.value
  pkcs12_wo_version = %[1]d
}

output "thumbprints" {
  value = [trustframework_uploaded_pkcs12.stashed.x5t, trustframework_uploaded_pkcs12.given.kid]
}
`, version)
}

// fill gives the life's inputs new values, and returns what they are called.
func (r *canaryRun) fill(generation string) (names []string) {
	r.t.Helper()
	file := newCanaryFile(r.t)
	r.secrets = append(r.secrets, file.canaries(generation+" private key")...)
	stashed, given := r.secret(generation+" stashed secret"), r.secret(generation+" given secret")
	stashedPassword, givenPassword := r.secret(generation+" stashed password"), r.secret(generation+" given password")
	stashedFile, givenFile := file.in(r.t, pkcs12.LegacyDES, givenPassword), file.in(r.t, pkcs12.LegacyDES, stashedPassword)
	r.secrets = append(r.secrets, fileCanaries(r.t, generation+" stashed file", stashedFile)...)
	r.secrets = append(r.secrets, fileCanaries(r.t, generation+" given file", givenFile)...)
	r.keep("secret", stashed.text())
	r.keep("file", stashedFile)
	r.keep("password", stashedPassword.text())
	r.variable("secret", given.text())
	r.variable("file", givenFile)
	r.variable("password", givenPassword.text())
	return []string{
		stashed.name, given.name, stashedPassword.name, givenPassword.name,
		generation + " stashed file in base64", generation + " given file in base64",
	}
}

// TestAccCanary_Life makes keys of secrets, makes them anew, imports, refreshes and destroys them, with every log
// turned on, and finds none of the secrets in anything that is left. Then it leaks them on purpose.
func TestAccCanary_Life(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	sent := append(r.fill("first"), "other client secret", "token 1")
	r.configure(r.lifeConfig(1))
	r.do(true, nil, "validate", "-json")
	r.do(true, nil, "plan", "-input=false", "-out=saved.tfplan")
	r.do(true, []string{`"resource_changes"`}, "show", "-json", "saved.tfplan")
	r.do(true, []string{"8 added"}, "apply", "-input=false", "saved.tfplan")
	r.do(true, []string{`"secret_wo_version":1`}, "show", "-json")

	sent = append(sent, r.fill("second")...)
	r.configure(r.lifeConfig(2))
	r.do(true, []string{`"add":4,"change":0,"import":0,"remove":4`}, "apply", "-json", "-auto-approve", "-input=false")

	imports := ""
	for _, address := range []string{"trustframework_uploaded_secret.stashed", "trustframework_uploaded_pkcs12.given"} {
		id, _ := r.state(address)["id"].(string)
		r.do(true, nil, "state", "rm", address)
		imports += importBlock(address, fmt.Sprintf("id = %q", id))
	}
	r.configure(r.lifeConfig(2) + imports)
	r.do(true, []string{"2 imported, 0 added"}, "apply", "-auto-approve", "-input=false")
	r.do(true, nil, "apply", "-refresh-only", "-auto-approve", "-input=false")
	r.do(true, []string{"8 destroyed"}, "destroy", "-auto-approve", "-input=false")

	s := r.end(sent...)
	r.findsNothing(s)
	r.control(s, "work/terraform.tfstate", "work/terraform.tfstate.backup",
		"work/saved.tfplan!tfplan", "work/saved.tfplan!tfstate", "work/saved.tfplan!tfconfig/m-/main.tf",
		"output/03-show.stdout", "output/05-show.stdout", "output/04-apply.stdout", "output/04-apply.stderr",
		"log/04-apply.log: the provider's", "log/04-apply.log: the client's", "emulator/journal.json")
}

// failing is a key set with an upload of a secret, in a tenant of its own if the arguments say so.
func failing(name, arguments string) string {
	return fmt.Sprintf(`
resource "trustframework_key_set" %[1]q {
  name = %[1]q
  %[2]s
}

resource "trustframework_uploaded_secret" %[1]q {
  key_set_id = trustframework_key_set.%[1]s.id
  use        = "sig"
  secret_wo  = ephemeral.stash_secret.%[1]s.value
  %[2]s
}
`, name, arguments)
}

func stashed(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "ephemeral \"stash_secret\" %[1]q {\n  name = %[1]q\n}\n\n", name)
	}
	return b.String()
}

// TestAccCanary_Failures lets everything fail that can, at plan and at apply, some of it in words that repeat the
// secret.
func TestAccCanary_Failures(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	file := newCanaryFile(t)
	r.secrets = append(r.secrets, file.canaries("private key")...)
	password, wrong := r.secret("password"), r.secret("wrong password")
	good, modern := file.in(t, pkcs12.LegacyDES, password), file.in(t, pkcs12.Modern2023, password)
	r.secrets = append(r.secrets, fileCanaries(t, "file", good)...)
	r.secrets = append(r.secrets, fileCanaries(t, "modern file", modern)...)
	r.keep("password", password.text())
	r.keep("file", good)
	sent := []string{"password", "file in base64", "token 1", "wrong client secret"}

	// What the plan refuses.
	wrongClientSecret, unsent := r.secret("wrong client secret"), r.secret("secret that can't be sent")
	r.keep("wrong", wrong.text())
	r.keep("modern", modern)
	r.keep("blank", " \t ")
	r.keep("unsent", unsent.text())
	der, err := x509.MarshalPKCS8PrivateKey(file.key)
	if err != nil {
		t.Fatal(err)
	}
	inPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	r.secrets = append(r.secrets, longCanary("private key in PEM", []byte(strings.ReplaceAll(inPEM, "\n", ""))), longCanary("PEM", []byte(strings.Split(inPEM, "\n")[9])))
	r.variable("mistake", inPEM)
	r.variable("wrong_client_secret", wrongClientSecret.text())
	r.world.AddKeySet("B2C_1A_Mine")
	r.configure(r.providers() + stashed("file", "password", "wrong", "modern", "blank", "unsent") + `
variable "wrong_client_secret" {
  type      = string
  ephemeral = true
}

variable "mistake" {
  type      = string
  sensitive = true
}

provider "trustframework" {
  alias         = "wrong"
  client_secret = var.wrong_client_secret
}

resource "trustframework_uploaded_pkcs12" "wrong" {
  key_set_id  = "B2C_1A_Mine"
  pkcs12_wo   = ephemeral.stash_secret.file.value
  password_wo = ephemeral.stash_secret.wrong.value
}

resource "trustframework_uploaded_pkcs12" "modern" {
  key_set_id  = "B2C_1A_Mine"
  pkcs12_wo   = ephemeral.stash_secret.modern.value
  password_wo = ephemeral.stash_secret.password.value
}

resource "trustframework_uploaded_pkcs12" "swapped" {
  key_set_id  = "B2C_1A_Mine"
  pkcs12_wo   = ephemeral.stash_secret.password.value
  password_wo = ephemeral.stash_secret.file.value
}

resource "trustframework_uploaded_secret" "blank" {
  key_set_id = "B2C_1A_Mine"
  use        = "sig"
  secret_wo  = ephemeral.stash_secret.blank.value
}

resource "trustframework_uploaded_certificate" "mistake" {
  key_set_id      = "B2C_1A_Mine"
  certificate_pem = var.mistake
}

resource "trustframework_uploaded_secret" "unsent" {
  provider   = trustframework.wrong
  key_set_id = "B2C_1A_Mine"
  use        = "sig"
  secret_wo  = ephemeral.stash_secret.unsent.value
}
`)
	for _, form := range [][]string{{"plan", "-input=false"}, {"plan", "-json", "-input=false"}} {
		r.do(false, []string{"The password doesn't open", "openssl pkcs12", "isn't base64", "Invalid secret", "private key", "AADSTS7000215"}, form...)
	}

	// What the service refuses, loses and repeats.
	names := []string{"clear", "base64", "hex", "query", "page", "strange", "denied", "problem", "lost", "half", "late"}
	texts := map[string]canary{}
	for _, name := range names {
		texts[name] = r.secret(name + " secret")
		r.keep(name, texts[name].text())
		sent = append(sent, name+" secret")
	}
	r.keep("slow", r.secret("slow secret").text())
	config := r.providers() + stashed("file", "password", "slow")
	for _, name := range names {
		config += stashed(name) + failing(name, "")
	}
	config += failing("slow", "provider = trustframework.other") + `
resource "trustframework_key_set" "refused" {
  name = "refused"
}

resource "trustframework_uploaded_pkcs12" "refused" {
  key_set_id  = trustframework_key_set.refused.id
  pkcs12_wo   = ephemeral.stash_secret.file.value
  password_wo = ephemeral.stash_secret.password.value
}
`
	config = strings.Replace(config, "  secret_wo  = ephemeral.stash_secret.slow.value\n", "  secret_wo  = ephemeral.stash_secret.slow.value\n  timeouts = { create = \"1s\" }\n", 1)
	const upload = emulator.OpUploadSecret
	repeats := func(s string) emulator.Fault {
		return emulator.Fault{Op: upload, Status: http.StatusBadRequest, Code: "AADB2C90136",
			Message: fmt.Sprintf("The request is missing parameters or has the wrong parameters. 'k' has the value '%s'. Expected value is 'a string'.", s)}
	}
	page := func(name string, status int) emulator.Fault {
		return emulator.Fault{Op: upload, Status: status, ContentType: "text/html", Body: "<html>You have sent " + texts[name].text() + "</html>", Times: -1}.On(name)
	}
	for _, fault := range []emulator.Fault{
		repeats(texts["clear"].text()).On("clear"),
		repeats(base64.StdEncoding.EncodeToString(texts["base64"].whole)).On("base64"),
		repeats(fmt.Sprintf("%x", texts["hex"].whole)).On("hex"),
		repeats(url.QueryEscape(texts["query"].text())).On("query"),
		page("page", http.StatusBadGateway),
		page("strange", http.StatusOK),
		{Op: upload, Status: http.StatusForbidden, Code: "AADB2C", Message: "The application may not send " + texts["denied"].text(), KeySet: "denied"},
		emulator.ServiceProblem(upload).On("problem"),
		emulator.CutAfterCommit(upload).On("lost"),
		emulator.HalfAnswer(upload).On("half"),
		emulator.GatewayTimeout(upload).On("late"),
		{Op: emulator.OpUploadPKCS12, Status: http.StatusBadRequest, Code: "AADB2C90213",
			Message: fmt.Sprintf("The certificate password %q provided in request is incorrect for %s.", password.text(), good)},
	} {
		r.world.Inject(fault)
	}
	r.other.Inject(emulator.Throttled(upload, "3600"))
	r.configure(config)
	said := r.do(false, []string{
		"The service's words are left out here", "found after a lost answer", "denied access", "slow down for longer", "AADB2C90213",
	}, "apply", "-json", "-auto-approve", "-input=false", "-parallelism=20")
	if n := strings.Count(said, "The service's words are left out here"); n < 7 {
		t.Errorf("%d errors have left out what the service repeats:\n%s", n, said)
	}

	// What doesn't answer, and what isn't there.
	if err := os.Rename(filepath.Join(r.dir, "terraform.tfstate"), filepath.Join(r.dir, "failed.tfstate")); err != nil {
		t.Fatal(err) // what is in state would be looked at first, for as long as the plan of its end may take
	}
	r.configure(r.providers() + `
data "trustframework_key_set" "stalled" {
  name     = "Mine"
  timeouts = { read = "1s" }
}

data "trustframework_key_set" "unreachable" {
  provider = trustframework.other
  name     = "Theirs"
  timeouts = { read = "30s" }
}
`)
	for _, op := range []emulator.Op{emulator.OpList, emulator.OpGet} {
		r.world.Inject(emulator.Fault{Op: op, Stall: true, Times: -1})
	}
	r.otherWire.close()
	r.do(false, []string{"refused", "deadline exceeded"}, "plan", "-input=false", "-refresh=false")

	s := r.end(sent...)
	r.findsNothing(s)
	r.control(s, "output/01-plan.stderr", "output/02-plan.stdout", "output/03-apply.stdout", "output/04-plan.stderr",
		"log/03-apply.log: the provider's", "log/03-apply.log: the client's", "work/failed.tfstate", "emulator/journal.json")
}

const crashConfig = `
resource "trustframework_key_set" "secrets" {
  name = "Secrets"
}

resource "trustframework_uploaded_secret" "secret" {
  key_set_id = trustframework_key_set.secrets.id
  use        = "sig"
  secret_wo  = ephemeral.stash_secret.secret.value
}

resource "trustframework_key_set" "files" {
  name = "Files"
}

resource "trustframework_uploaded_pkcs12" "file" {
  key_set_id  = trustframework_key_set.files.id
  pkcs12_wo   = ephemeral.stash_secret.file.value
  password_wo = ephemeral.stash_secret.password.value
}
`

// fillCrash gives crashConfig its inputs.
func (r *canaryRun) fillCrash(generation string) {
	r.t.Helper()
	file := newCanaryFile(r.t)
	r.secrets = append(r.secrets, file.canaries(generation+" private key")...)
	password := r.secret(generation + " password")
	inBase64 := file.in(r.t, pkcs12.LegacyDES, password)
	r.secrets = append(r.secrets, fileCanaries(r.t, generation+" file", inBase64)...)
	r.keep("secret", r.secret(generation+" secret").text())
	r.keep("password", password.text())
	r.keep("file", inBase64)
	r.configure(r.providers() + stashed("secret", "password", "file") + crashConfig)
}

// TestAccCanary_Crashes ends applies before their time: Ctrl-C, a provider that is killed, and one that panics with
// the secrets in its hands.
func TestAccCanary_Crashes(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	r.fillCrash("first")
	pid := filepath.Join(t.TempDir(), "provider.pid")
	r.environment = append(r.environment, serveVariable+"="+pid) // the last one counts

	started := make(chan *running, 1)
	const upload = emulator.OpUploadSecret
	r.world.onAnswer(upload, 1, func() {
		(<-started).signalAll(syscall.SIGINT)
		for log := r.log(); t.Context().Err() == nil; runtime.Gosched() {
			if content, err := os.ReadFile(log); err != nil || strings.Contains(string(content), "stopping") {
				return // the client has heard it
			}
		}
	})
	r.world.Inject(emulator.ServiceProblem(upload))
	r.interrupted("interrupt", func(command *running) { started <- command }, "Interrupt received")

	r.world.onAnswer(upload, 1, func() {
		content, err := os.ReadFile(pid)
		if id, parseErr := strconv.Atoi(string(content)); err != nil || parseErr != nil || id <= 1 || syscall.Kill(id, syscall.SIGKILL) != nil {
			t.Errorf("no process to kill: %q, %v", content, err)
		}
	})
	// What the client says of a provider that is gone depends on which of its calls hears of it first.
	gone := []string{"did not respond", "Request cancelled"} //nolint:misspell // its words
	r.interrupted("kill", func(*running) {}, gone...)

	r.fillCrash("second")
	r.environment = append(r.environment, transportVariable+"=panics")
	r.interrupted("panic", func(*running) {}, gone...)
	// Terraform shows the trace on standard error too, OpenTofu in the log alone.
	if content, err := os.ReadFile(r.log()); err != nil || !strings.Contains(string(content), "panic: a bug in the provider") || !strings.Contains(string(content), "goroutine ") {
		t.Errorf("the log has no trace of the panic: %v", err)
	}

	s := r.end("first secret")
	r.findsNothing(s)
	r.control(s, "output/01-interrupt.stdout", "output/02-kill.stdout", "output/03-panic.stderr", "log/03-panic.log: the provider's", "log/03-panic.log: the client's")
}

// TestAccCanary_IsCaught_WhenTheProviderLogsIt has a provider that writes each upload and its token into its log.
func TestAccCanary_IsCaught_WhenTheProviderLogsIt(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	r.fillCrash("only")
	r.environment = append(r.environment, transportVariable+"=leaks")
	r.do(true, nil, "apply", "-auto-approve", "-input=false")
	s := r.end("only secret", "only password", "only file in base64")
	caught := map[string]bool{}
	for l := range s.tree(t, r.root) {
		if l.place != "log/01-apply.log" {
			t.Errorf("%s is in %s", l.secret, l.place)
		}
		caught[l.secret] = true
	}
	for _, name := range []string{"only secret", "only password", "only file in base64"} {
		if !caught[name] {
			t.Errorf("%s is in the log and wasn't found: %v", name, caught)
		}
	}
	tokens := 0
	for name := range caught {
		if strings.HasPrefix(name, "token ") {
			tokens++
		}
	}
	if tokens == 0 || caught["client secret"] {
		t.Errorf("caught %v", caught)
	}
}
