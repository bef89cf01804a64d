// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// exampleTime is before the dates in the examples.
func exampleTime() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }

// exampleKeyID is the kid in the examples of imports.
const exampleKeyID = "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"

// giveUploads gives a client what the examples of uploads ask for: a secret, a certificate, and a file with a private
// key and its password. All are made here and now.
func giveUploads(t *testing.T, tf *client) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "saml.contoso.com"},
		NotBefore:    exampleTime().AddDate(0, -1, 0),
		NotAfter:     exampleTime().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	password := rand.Text()
	file, err := pkcs12.LegacyDES.Encode(key, certificate, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	givePartner(t, tf, der)
	tf.environment = append(tf.environment,
		"TF_VAR_facebook_secret="+rand.Text(),
		"TF_VAR_contoso_secret="+rand.Text(),
		"TF_VAR_saml_pfx="+base64.StdEncoding.EncodeToString(file),
		"TF_VAR_saml_pfx_password="+password,
		`TF_VAR_tfc_azure_dynamic_credentials={default={client_id_file_path="c",oidc_token_file_path="t"},aliases={TEST={client_id_file_path="c",oidc_token_file_path="t"}}}`)
}

// givePartner writes the certificate that the example of uploaded_certificate reads.
func givePartner(t *testing.T, tf *client, der []byte) {
	t.Helper()
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(tf.dir, "partner.pem"), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAccExamples_Apply applies every example that the reference pages show, and expects a second plan
// to be empty. The example of the provider block names a tenant of its own and is planned only.
func TestAccExamples_Apply(t *testing.T) {
	t.Parallel()
	const root = "../../examples"
	files, err := filepath.Glob(root + "/*/*/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		if kind := filepath.Dir(filepath.Dir(name)); kind == "demo" || kind == "modules" || strings.HasPrefix(filepath.Base(name), "import-") {
			continue // make demo applies the first, and tests of their own the others
		}
		if filepath.Dir(filepath.Dir(name)) == "actions" {
			continue // TestAccSetKeyStatus_Examples invokes them
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorldAt(t, exampleTime(), emulator.Switches{})
			tf := w.inProcess(t, string(content))
			giveUploads(t, tf)
			tf.command("init", "-input=false")
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			tf.configure(strings.ReplaceAll(string(content), "prevent_destroy = true", "prevent_destroy = false"))
			tf.apply(true, "-destroy")
		})
	}
	if len(files) < 10 {
		t.Errorf("only %d examples found", len(files))
	}
}

// TestAccExamples_Import imports what each example of an import names. No secret is given: what exists needs none.
func TestAccExamples_Import(t *testing.T) {
	t.Parallel()
	const root = "../../examples/resources/"
	exp := exampleTime().AddDate(2, 0, 0).Unix()
	certificate := emulator.CertificateSpec{Subject: "partner", NotBefore: exampleTime(), NotAfter: exampleTime().AddDate(1, 0, 0)}
	for name, feature := range map[string]feature{
		"import.sh":               {name: "import", terraform: "1.0.0", opentofu: "1.0.0"},
		"import-by-string-id.tf":  {name: "import", terraform: "1.0.0", opentofu: "1.0.0"},
		"import-with-identity.tf": featureIdentity(),
	} {
		for _, row := range []struct {
			resource, name, set string
			key                 emulator.KeySpec
			creates             int
		}{
			{"trustframework_key_set", "signing", "B2C_1A_TokenSigningKeyContainer", emulator.KeySpec{Exp: &exp}, 0},
			{"trustframework_generated_key", "signing", "B2C_1A_TokenSigningKeyContainer", emulator.KeySpec{Exp: &exp}, 1},
			{"trustframework_key_rotation", "signing", "B2C_1A_TokenSigningKeyContainer", emulator.KeySpec{Exp: &exp}, 1},
			{"trustframework_uploaded_secret", "facebook", "B2C_1A_FacebookSecret", emulator.KeySpec{Kty: "oct"}, 0},
			{"trustframework_uploaded_certificate", "partner", "B2C_1A_PartnerCertificate", emulator.KeySpec{Certificate: &certificate}, 0},
			{"trustframework_uploaded_pkcs12", "saml", "B2C_1A_SamlMessageSigning", emulator.KeySpec{Certificate: &certificate}, 0},
		} {
			t.Run(row.resource+"/"+name, func(t *testing.T) {
				t.Parallel()
				skipUnless(t, feature)
				read := func(file string) string {
					content, err := os.ReadFile(filepath.Join(root, row.resource, file))
					if err != nil {
						t.Fatal(err)
					}
					return string(content)
				}
				w := newWorldAt(t, exampleTime(), emulator.Switches{})
				w.AddKeySet(row.set)
				kid := w.AddKey(row.set, row.key)
				example := strings.ReplaceAll(read(name), exampleKeyID, kid)
				config := read("resource.tf")
				tf := w.inProcess(t, config)
				if chain := w.keys(row.set)[0].X5C; len(chain) > 0 {
					der, err := base64.StdEncoding.DecodeString(chain[0])
					if err != nil {
						t.Fatal(err)
					}
					givePartner(t, tf, der)
				}
				tf.command("init", "-input=false")
				if row.resource != "trustframework_key_set" {
					tf.command("import", "trustframework_key_set."+row.name, row.set)
				}
				if command, ok := strings.CutPrefix(lastLine(example), "terraform "); ok {
					tf.command(strings.Fields(command)...)
				} else {
					tf.configure(config + example)
				}
				tf.apply(true)
				if got := tf.state(row.resource + "." + row.name)["id"]; got != row.set && got != row.set+"/"+kid {
					t.Errorf("id %v", got)
				}
				// The example of generated_key has a second key, and that of key_rotation a safety net.
				if writes := w.Writes(); len(writes) != row.creates {
					t.Errorf("%d writes, want %d: %v", len(writes), row.creates, writes)
				}
				if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
					t.Errorf("changes: %t, %v", changes, o.diagnostics)
				}
			})
		}
	}
}

// TestAccGuide_SecretsAndCertificates changes a secret for another as the guide says, and goes back on the way.
func TestAccGuide_SecretsAndCertificates(t *testing.T) {
	t.Parallel()
	const (
		root = "../../examples/guides/secrets-and-certificates/"
		set  = "B2C_1A_ContosoAppSecret"
	)
	read := func(file string) string {
		content, err := os.ReadFile(root + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	w := newWorldAt(t, exampleTime(), emulator.Switches{})
	config := read("main.tf")
	tf := w.inProcess(t, config)
	tf.command("init", "-input=false")
	environment := tf.environment
	secret := func() string {
		value := rand.Text()
		tf.environment = append(slices.Clone(environment), "TF_VAR_contoso_secret="+value)
		return value
	}
	secrets := []string{secret()}
	tf.apply(true)
	tf.environment = environment
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("without the secret: changes: %t, %v", changes, o.diagnostics)
	}

	version := []string{"-var", "contoso_secret_version=2"}
	if o := tf.apply(false, version...); !o.has("error", "Secret is missing") {
		t.Errorf("a new version without a secret: %v", o.diagnostics)
	}
	secrets = append(secrets, secret())
	tf.apply(true, version...)
	tf.environment = environment
	keys := w.keys(set)
	if len(keys) != 2 || keys[0].Status != "enabled" || keys[1].Status != "enabled" {
		t.Fatalf("after the second secret: %v", keys)
	}

	back := strings.Replace(config, "var.contoso_secret_version\n", "var.contoso_secret_version\n  status = \"disabled\"\n", 1)
	tf.configure(back)
	tf.apply(true, version...)
	if keys := w.keys(set); keys[0].Status != "enabled" || keys[1].Status != "disabled" {
		t.Errorf("after going back: %v", keys)
	}
	tf.configure(strings.Replace(back, `"disabled"`, `"enabled"`, 1))
	tf.apply(true, version...)

	tf.configure(config + strings.Replace(read("import-retired.tf"), exampleKeyID, keys[0].Kid, 1))
	tf.apply(true, version...)
	if keys := w.keys(set); keys[0].Status != "disabled" || keys[1].Status != "enabled" {
		t.Errorf("after the retirement: %v", keys)
	}
	if o, changes := tf.plan(version...); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	tf.configure(config)
	tf.apply(true, version...)
	if keys := w.keys(set); len(keys) != 2 || keys[0].Status != "disabled" {
		t.Errorf("after the retired key was forgotten: %v", keys)
	}
	state, err := os.ReadFile(filepath.Join(tf.dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	for i, secret := range secrets {
		if strings.Contains(string(state), secret) {
			t.Errorf("secret %d is in state", i+1)
		}
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
