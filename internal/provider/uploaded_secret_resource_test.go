// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const secretAddress = "trustframework_uploaded_secret.test"

// secretHCL is a key set and a secret in it, which comes from an ephemeral variable; arguments are lines of HCL for
// the secret, beside or instead of its own.
func secretHCL(arguments ...string) string {
	lines := []string{"key_set_id = trustframework_key_set.test.id", `use = "sig"`, "secret_wo = var.secret"}
	for _, argument := range arguments {
		name, _, _ := strings.Cut(argument, " ")
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+" ") })
		lines = append(lines, argument)
	}
	return fmt.Sprintf(`
variable "secret" {
  type      = string
  ephemeral = true
  default   = null
}

resource "trustframework_key_set" "test" {
  name = "Secrets"
}

resource "trustframework_uploaded_secret" "test" {
  %s
}
`, strings.Join(lines, "\n  "))
}

// setSecret gives the ephemeral variable a value, of which only the environment knows.
func (tf *client) setSecret(value string) {
	tf.environment = append(tf.environment, "TF_VAR_secret="+value) // the last one counts
}

// checkSecretNowhere looks for the secret in all that the client keeps and says.
func (tf *client) checkSecretNowhere(o outcome) {
	tf.t.Helper()
	files, err := filepath.Glob(filepath.Join(tf.dir, "terraform.tfstate*"))
	if err != nil || len(files) == 0 {
		tf.t.Fatal(files, err)
	}
	texts := map[string]string{"standard output": o.stdout, "standard error": o.stderr}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			tf.t.Fatal(err)
		}
		texts[file] = string(content)
	}
	for where, text := range texts {
		// A part that JSON spells like anybody else.
		for _, part := range []string{"tëxt/+=%7B", base64.StdEncoding.EncodeToString([]byte(plainText))[:20]} {
			if strings.Contains(text, part) {
				tf.t.Errorf("the secret is in %s", where)
			}
		}
	}
}

// TestAccUploadedSecret_LifeCycle: a secret from an ephemeral variable is one POST, and in nothing that is kept. A change of it alone
// is no change; another version makes another key beside the old one.
func TestAccUploadedSecret_LifeCycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	sent := &sentSecrets{}
	tf := w.inProcess(t, w.Provider()+secretHCL("secret_wo_version = 1"), sent.wrap)
	tf.setSecret(plainText)
	tf.checkSecretNowhere(tf.apply(true))
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: 1, emulator.OpUploadSecret: 1})(nil); err != nil {
		t.Error(err)
	}
	if want := []map[string]any{{"use": "sig", "k": plainText}}; !reflect.DeepEqual(sent.bodies, want) {
		t.Errorf("sent %q", sent.bodies)
	}
	first := tf.state(secretAddress)
	kid, _ := first["kid"].(string)
	want := map[string]any{
		"id": "B2C_1A_Secrets/" + kid, "key_set_id": "B2C_1A_Secrets", "kid": kid, "kty": "oct", "use": "sig", "on_destroy": "retain", "secret_wo_version": 1.0,
		"secret_wo": nil, "nbf": nil, "exp": nil, "activates_at": nil, "expires_at": nil, "status": nil, "rotate_when_changed": nil, "timeouts": nil,
		"n": nil, "e": nil, "public_key_pem": nil, "public_key_jwk": nil,
	}
	if !maps.Equal(first, want) || len(kid) != 43 {
		t.Errorf("state %v, want %v", first, want)
	}

	tf.setSecret("another " + plainText)
	o, changes := tf.plan()
	if changes || len(o.diagnostics) > 0 || len(w.Writes()) > 0 {
		t.Errorf("another secret alone: changes %t, %v", changes, o.diagnostics)
	}

	tf.configure(w.Provider() + secretHCL("secret_wo_version = 2"))
	o = tf.apply(true)
	tf.checkSecretNowhere(o)
	if got := o.actions(); !maps.Equal(got, map[string]string{secretAddress: "replace"}) || len(o.diagnostics) > 0 {
		t.Errorf("actions %v, %v", got, o.diagnostics)
	}
	if got := sent.texts(); !slices.Equal(got, []any{plainText, "another " + plainText}) {
		t.Errorf("sent %q", got)
	}
	keys := w.keys(uploadSetID)
	if len(keys) != 2 || keys[0].Kid != kid || keys[0].Status != "enabled" || keys[1].Kid != tf.state(secretAddress)["kid"] {
		t.Errorf("keys %+v; %v in state", keys, tf.state(secretAddress)["kid"])
	}
	if _, changes := tf.plan(); changes {
		t.Error("the plan after it has changes")
	}
}

// TestAccUploadedSecret_Import three ways: it writes nothing, and the plan after it is empty, with a secret in the
// configuration and without.
func TestAccUploadedSecret_Import(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		identity  bool
		block     func(kid string) string // none for the command
		arguments []string
	}{
		"command":                   {},
		"command, without a secret": {arguments: []string{"secret_wo = null"}},
		"block by id":               {block: func(kid string) string { return fmt.Sprintf("id = %q", "secrets/"+kid) }},
		"block by identity": {identity: true, block: func(kid string) string {
			return identityOf("key_set_id", uploadSetID, "kid", kid)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.identity {
				skipUnless(t, featureIdentity())
			}
			w, kid := secretWorld(t, emulator.Config{})
			config := w.Provider() + strings.ReplaceAll(secretHCL(append(row.arguments, `key_set_id = "B2C_1A_Secrets"`)...), "resource \"trustframework_key_set\" \"test\" {\n  name = \"Secrets\"\n}\n", "")
			if row.block != nil {
				config += importBlock(secretAddress, row.block(kid))
			}
			tf := w.inProcess(t, config)
			tf.setSecret(plainText)
			if row.block == nil {
				tf.command("import", secretAddress, "Secrets/"+kid)
			} else if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Error(o.diagnostics)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
			}
			if got := tf.state(secretAddress); got["id"] != uploadSetID+"/"+kid || got["kty"] != "oct" || got["use"] != "sig" || len(w.Writes()) > 0 {
				t.Errorf("state %v, %d writes", got, len(w.Writes()))
			}
		})
	}
}

// TestAccUploadedSecret_Disappears_IsPlannedAgain, and uploaded again with the secret of that time.
func TestAccUploadedSecret_Disappears_IsPlannedAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		vanish  func(w *world, kid string)
		actions map[string]string
		warning string
	}{
		"the key": {
			func(w *world, kid string) { w.RemoveKey(uploadSetID, kid) },
			map[string]string{secretAddress: "create"}, "Key has vanished from its key set",
		},
		"the key set": {
			func(w *world, _ string) { w.RemoveKeySet(uploadSetID) },
			map[string]string{secretAddress: "create", keySetAddress: "create"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			sent := &sentSecrets{}
			tf := w.inProcess(t, w.Provider()+secretHCL("secret_wo_version = 1"), sent.wrap)
			tf.setSecret(plainText)
			tf.apply(true)
			kid, _ := tf.state(secretAddress)["kid"].(string)
			w.clock.Advance(time.Hour)
			row.vanish(w, kid)
			tf.setSecret("another")
			o := tf.apply(true)
			if got := o.actions(); !maps.Equal(got, row.actions) || row.warning != "" && !o.has("warning", row.warning, kid) {
				t.Errorf("actions %v, %v", got, o.diagnostics)
			}
			if got := tf.state(secretAddress)["kid"]; got == kid || len(w.keys(uploadSetID)) != 1 || !slices.Equal(sent.texts(), []any{plainText, "another"}) {
				t.Errorf("kid %v, was %s; sent %q", got, kid, sent.texts())
			}
		})
	}
}

// TestAccUploadedSecret_UnknownValues_WaitForApply, which checks them then, before anything is sent.
func TestAccUploadedSecret_UnknownValues_WaitForApply(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		secret string
		fails  string
	}{
		"a secret":   {secret: "not one that matters"},
		"an empty":   {"", "Invalid secret"},
		"no secret":  {"null", "Secret is missing"},
		"line break": {secret: "not one that matters\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			sent := &sentSecrets{}
			value := fmt.Sprintf("%q", row.secret)
			if row.secret == "null" {
				value = "null"
			}
			tf := w.inProcess(t, w.Provider()+fmt.Sprintf(`
resource "terraform_data" "later" {
  input = { set = "Secrets", use = "sig", secret = %s, version = 7, nbf = %d, exp = %d, tag = "x" }
}
`, value, in(time.Hour), in(2*time.Hour))+secretHCL("use = terraform_data.later.output.use", "secret_wo = terraform_data.later.output.secret",
				"secret_wo_version = terraform_data.later.output.version", "nbf = terraform_data.later.output.nbf", "exp = terraform_data.later.output.exp",
				"rotate_when_changed = { tag = terraform_data.later.output.tag }"), sent.wrap)
			if row.fails != "" {
				if o := tf.apply(false); !o.has("error", row.fails) || len(w.Requests(emulator.OpUploadSecret)) > 0 || tf.state(secretAddress) != nil {
					t.Errorf("%d POSTs, %v", len(w.Requests(emulator.OpUploadSecret)), o.diagnostics)
				}
				return
			}
			o := tf.apply(true)
			if got := tf.state(secretAddress); got["nbf"] != float64(in(time.Hour)) || got["exp"] != float64(in(2*time.Hour)) || got["secret_wo_version"] != 7.0 {
				t.Errorf("state %v", got)
			}
			if warned := o.has("warning", "Secret ends with a line break"); warned != (name == "line break") || !slices.Equal(sent.texts(), []any{row.secret}) {
				t.Errorf("sent %q, %v", sent.texts(), o.diagnostics)
			}
			if _, changes := tf.plan(); changes {
				t.Error("the plan after it has changes")
			}
		})
	}
}

// TestAccUploadedSecret_Ephemeral_MayDifferAtApply: the value that counts is that of the apply, which checks it too.
func TestAccUploadedSecret_Ephemeral_MayDifferAtApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	sent := &sentSecrets{}
	tf := w.inProcess(t, w.Provider()+secretHCL("secret_wo_version = 1"), sent.wrap)
	tf.setSecret(plainText)
	tf.expect(true, "plan", "-out=saved")
	tf.setSecret(" ")
	if o := tf.expect(false, "apply", "saved"); !o.has("error", "Invalid secret", "empty or only white space") || len(w.Requests(emulator.OpUploadSecret)) > 0 {
		t.Errorf("got %v", o.diagnostics)
	}
	tf.setSecret("another")
	tf.apply(true)
	if got := sent.texts(); !slices.Equal(got, []any{"another"}) {
		t.Errorf("sent %q", got)
	}
}

// TestAccUploadedSecret_RepeatedByTheService: what the service repeats of a secret is neither shown nor logged.
func TestAccUploadedSecret_RepeatedByTheService(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	encoded := base64.StdEncoding.EncodeToString([]byte(plainText))
	w.Inject(emulator.Fault{
		Op: emulator.OpUploadSecret, Status: 400, Code: "AADB2C90136",
		Message: "'k' has the value '" + plainText + "'. Expected value is '" + encoded + "'.",
	})
	tf := ownProcess(t, secretHCL(), w.Variables())
	tf.environment = append(tf.environment, "TF_LOG=TRACE")
	tf.setSecret(plainText)
	o := tf.apply(false)
	if !o.has("error", "Unable to upload secret", "(The service's words are left out here", "AADB2C90136", "Request ID: ") {
		t.Errorf("got %v", o.diagnostics)
	}
	// The control: the log is one, and tells of the request.
	if !strings.Contains(o.stderr, "uploadSecret") {
		t.Error("the log doesn't tell of the request")
	}
	tf.checkSecretNowhere(o)
}
