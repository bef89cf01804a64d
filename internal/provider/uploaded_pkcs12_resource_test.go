// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const pkcs12Address = pkcs12Type + ".test"

// ephemeralPFX is a PKCS#12 file's resource in the set Signing, whose file and password come by ephemeral variables.
func ephemeralPFX(lines ...string) string {
	return `
variable "pfx" {
  type      = string
  ephemeral = true
}

variable "password" {
  type      = string
  ephemeral = true
}

` + hcl(pkcs12Type, nil, append([]string{`key_set_id = "B2C_1A_Signing"`, "pkcs12_wo = var.pfx", "password_wo = var.password"}, lines...)...)
}

// give puts a file into the environment, from where the variables of ephemeralPFX take it.
func (tf *client) give(t *testing.T, key *rsa.PrivateKey, leaf *x509.Certificate) (file string) {
	t.Helper()
	file = pfx(t, key, leaf)
	tf.environment = append(tf.environment, "TF_VAR_pfx="+file, "TF_VAR_password="+pfxPassword)
	return file
}

// checkNothingKept looks for a file and its password in what commands leave behind.
func (tf *client) checkNothingKept(t *testing.T, file string, outcomes ...outcome) {
	t.Helper()
	secrets := map[string]string{"pkcs12_wo": file, "password_wo": pfxPassword}
	kept, err := filepath.Glob(filepath.Join(tf.dir, "terraform.tfstate*"))
	if err != nil || len(kept) == 0 {
		t.Fatal("no state", err)
	}
	for _, name := range kept {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		checkConcealed(t, string(content), secrets)
	}
	for _, o := range outcomes {
		checkConcealed(t, o.stdout+o.stderr, secrets)
	}
}

// TestAccUploadedPKCS12_LifeCycle makes a key from ephemeral variables, records a version, and replaces the key by
// another one, the way a certificate is renewed.
func TestAccUploadedPKCS12_LifeCycle(t *testing.T) {
	t.Parallel()
	w, f := signingWorld(t, emulator.Switches{}), newWallet()
	tf := w.inProcess(t, w.Provider()+ephemeralPFX())
	file := tf.give(t, f.key(t, "a"), f.certificate(t, "a"))
	created := tf.apply(true)
	second, changes := tf.plan()
	if changes || len(created.diagnostics)+len(second.diagnostics) > 0 || len(w.Requests(emulator.OpUploadPKCS12)) != 1 {
		t.Errorf("changes: %t, %v, %v", changes, created.diagnostics, second.diagnostics)
	}
	got := tf.state(pkcs12Address)
	want := shown(f.certificate(t, "a"))
	want["use"] = "sig"
	for attribute, value := range want {
		if got[attribute] != value {
			t.Errorf("%s is %v, want %s", attribute, got[attribute], value)
		}
	}
	if got["pkcs12_wo"] != nil || got["password_wo"] != nil || got["nbf"] != nil || got["exp"] != nil || got["id"] != fmt.Sprintf("B2C_1A_Signing/%s", got["kid"]) {
		t.Errorf("the state has %v", got)
	}
	tf.checkNothingKept(t, file, created, second)

	// The first version is recorded in place, whatever the file.
	w.ResetJournal()
	tf.configure(w.Provider() + ephemeralPFX("pkcs12_wo_version = 1"))
	recorded := tf.apply(true)
	if actions := recorded.actions(); !maps.Equal(actions, map[string]string{pkcs12Address: "update"}) || len(w.Writes()) > 0 || tf.state(pkcs12Address)["kid"] != got["kid"] {
		t.Errorf("actions %v, %d writes", actions, len(w.Writes()))
	}

	// The same file under another version is refused before anything is lost.
	tf.configure(w.Provider() + ephemeralPFX("pkcs12_wo_version = 2"))
	refused := tf.expect(false, "apply", "-auto-approve")
	if !refused.has("error", "Certificate is in the key set already", "another version") || len(w.Writes()) > 0 || tf.state(pkcs12Address)["kid"] != got["kid"] {
		t.Errorf("%v, %d writes", refused.diagnostics, len(w.Writes()))
	}
	tf.checkNothingKept(t, file, recorded, refused)

	// Another file alone is no change; with another version it makes another key, and the old one stays.
	file = tf.give(t, f.key(t, "b"), f.certificate(t, "b"))
	tf.configure(w.Provider() + ephemeralPFX("pkcs12_wo_version = 1"))
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	tf.configure(w.Provider() + ephemeralPFX("pkcs12_wo_version = 2"))
	replaced := tf.apply(true)
	after := tf.state(pkcs12Address)
	if actions := replaced.actions(); actions[pkcs12Address] != "replace" || after["kid"] == got["kid"] || after["x5t"] != shown(f.certificate(t, "b"))["x5t"] {
		t.Errorf("actions %v; the state has %v", actions, after)
	}
	if keys := w.keys("B2C_1A_Signing"); len(keys) != 2 || keys[0].Kid != got["kid"] || len(w.Writes()) != 1 {
		t.Errorf("%d keys, %d writes", len(keys), len(w.Writes()))
	}
	tf.checkNothingKept(t, file, replaced)
	if _, changes := tf.plan(); changes {
		t.Error("the next plan has changes")
	}

	// Destroying leaves both.
	w.ResetJournal()
	destroyed := tf.apply(true, "-destroy")
	if !destroyed.has("warning", "Key stays in its key set") || len(w.Writes()) > 0 || len(w.keys("B2C_1A_Signing")) != 2 {
		t.Errorf("%v, %d writes", destroyed.diagnostics, len(w.Writes()))
	}
	tf.checkNothingKept(t, file, destroyed)
}

// TestProtocol_UploadedPKCS12_Version: what another version, another file and another key set plan.
func TestProtocol_UploadedPKCS12_Version(t *testing.T) {
	t.Parallel()
	f, u := newWallet(), uploads()[1]
	for name, row := range map[string]struct {
		before, after     string // versions; "" for none
		set               string // of the second configuration
		replaces, changes bool
	}{
		"none":               {set: "B2C_1A_Signing"},
		"the same":           {before: "1", after: "1", set: "B2C_1A_Signing"},
		"the first":          {after: "7", set: "B2C_1A_Signing", changes: true},
		"another":            {before: "1", after: "2", set: "B2C_1A_Signing", replaces: true, changes: true},
		"a smaller one":      {before: "2", after: "1", set: "B2C_1A_Signing", replaces: true, changes: true},
		"none any more":      {before: "1", set: "B2C_1A_Signing", replaces: true, changes: true},
		"the set, respelled": {before: "1", after: "1", set: "signing"},
		"another set":        {before: "1", after: "1", set: "Other", replaces: true, changes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Other")
			s := newServer(t, w)
			config := func(name, version, set string) map[string]string {
				config := u.config(t, f.key(t, name), f.certificate(t, name), 0)
				config["key_set_id"], config["pkcs12_wo_version"] = set, version
				if version == "" {
					delete(config, "pkcs12_wo_version")
				}
				return config
			}
			made, err := s.create(pkcs12Type, config("a", row.before, "B2C_1A_Signing"))
			if err != nil {
				t.Fatal(err)
			}
			kid := s.attributes(made)["kid"]
			next := config("b", row.after, row.set)
			if p := s.look(made, next); p.replaces != row.replaces || p.changes != row.changes || p.said.failed() {
				t.Fatalf("%+v", p)
			}
			want, uploads, after := "a", 1, made
			switch {
			case row.replaces:
				want, uploads = "b", 2
				after, _ = s.replace(made, next)
			case row.changes:
				after, _ = s.apply(pkcs12Type, made, next)
			}
			if got := s.attributes(after); (got["kid"] == kid) == row.replaces || got["x5t"] != shown(f.certificate(t, want))["x5t"] || len(w.Requests(u.op)) != uploads {
				t.Errorf("%d uploads; the state has %v", len(w.Requests(u.op)), got)
			}
			if keys := w.keys("B2C_1A_Signing"); keys[0].Kid != kid {
				t.Error("the old key is gone")
			}
		})
	}
}

// TestProtocol_UploadedPKCS12_Chain: the state has the certificate that the private key belongs to, wherever it stands.
func TestProtocol_UploadedPKCS12_Chain(t *testing.T) {
	t.Parallel()
	key := newWallet().key(t, "a")
	ca, caKey := authority(t)
	leaf := signed(t, key.Public(), ca, caKey, withUsage(x509.KeyUsageKeyEncipherment))
	for name, file := range map[string]string{"the leaf first": pfx(t, key, leaf, ca), "the issuer first": pfx(t, key, ca, leaf)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			s := newServer(t, w)
			config := map[string]string{"key_set_id": "signing", "pkcs12_wo": file, "password_wo": pfxPassword}
			made, err := s.create(pkcs12Type, config)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, want := s.attributes(made), shown(leaf)
				want["use"], want["issuer"] = "enc", "CN=Contoso CA"
				for attribute, value := range want {
					if got[attribute] != value {
						t.Errorf("%s is %q, want %q", attribute, got[attribute], value)
					}
				}
				if p := s.look(made, config); p.changes || len(p.said) > 0 {
					t.Errorf("%+v", p)
				}
				made, _ = s.refresh(made)
			}
			if n := len(w.keys("B2C_1A_Signing")[0].X5C); n != 2 {
				t.Errorf("%d certificates", n)
			}
		})
	}
}

// TestAccUploadedPKCS12_UnknownValues_WaitForApply, where they are looked at before anything is sent.
func TestAccUploadedPKCS12_UnknownValues_WaitForApply(t *testing.T) {
	t.Parallel()
	f := newWallet()
	file := pfx(t, f.key(t, "a"), f.certificate(t, "a"))
	const unknownFile, unknownPassword = "pkcs12_wo = terraform_data.test.output", "password_wo = terraform_data.test.output"
	for name, row := range map[string]struct {
		later, lines string
		fails        string
		texts        []string
	}{
		"file":            {file, unknownFile + "\n  password_wo = \"" + pfxPassword + `"`, "", nil},
		"password":        {pfxPassword, "pkcs12_wo = \"" + file + "\"\n  " + unknownPassword, "", nil},
		"wrong password":  {"another-password", "pkcs12_wo = \"" + file + "\"\n  " + unknownPassword, "PKCS#12 file can't be used", []string{"doesn't open"}},
		"blank password":  {" ", "pkcs12_wo = \"" + file + "\"\n  " + unknownPassword, "Invalid secret", []string{"empty or only white space"}},
		"no PKCS#12 file": {"Z2FyYmFnZQ==", unknownFile + "\n  password_wo = \"" + pfxPassword + `"`, "PKCS#12 file can't be used", []string{"not a PKCS#12 file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+hcl("terraform_data", map[string]string{"input": row.later})+
				hcl(pkcs12Type, nil, `key_set_id = "B2C_1A_Signing"`, row.lines))
			tf.expect(true, "plan")
			o := tf.apply(row.fails == "")
			uploads := len(w.Requests(emulator.OpUploadPKCS12))
			if row.fails != "" {
				if uploads > 0 || len(o.diagnostics) != 1 || !o.has("error", row.fails, row.texts...) {
					t.Errorf("%d uploads, %v", uploads, o.diagnostics)
				}
				return
			}
			if _, changes := tf.plan(); changes || uploads != 1 || strings.Contains(fmt.Sprint(tf.state(pkcs12Address)), pfxPassword) {
				t.Errorf("changes: %t, %d uploads", changes, uploads)
			}
		})
	}
}
