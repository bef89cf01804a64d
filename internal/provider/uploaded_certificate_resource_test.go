// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const certificateAddress = certificateType + ".test"

// certificateConfig is a certificate's resource in the set Signing.
func certificateConfig(argument, value string) string {
	return hcl(certificateType, map[string]string{"key_set_id": "B2C_1A_Signing", argument: value})
}

// shown is what the state says of a certificate.
func shown(c *x509.Certificate) map[string]string {
	sum, sum256 := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // x5t is a SHA-1
	return map[string]string{
		"certificate_pem": certificatePEM(c),
		"subject":         c.Subject.String(),
		"issuer":          c.Issuer.String(),
		"serial_number":   c.SerialNumber.String(),
		"not_before":      c.NotBefore.Format("2006-01-02T15:04:05Z"),
		"not_after":       c.NotAfter.Format("2006-01-02T15:04:05Z"),
		"x5t":             base64.RawURLEncoding.EncodeToString(sum[:]),
		"x5t_s256":        base64.RawURLEncoding.EncodeToString(sum256[:]),
		"kty":             "RSA",
		"e":               "AQAB",
	}
}

func TestAccUploadedCertificate_Create_IsOnePostAndThenNoChange(t *testing.T) {
	t.Parallel()
	w, f := newWorld(t, emulator.Switches{}), newWallet()
	ca, caKey := authority(t)
	cert := signed(t, f.key(t, "a").Public(), ca, caKey, nil)
	config := w.Provider() + "resource \"trustframework_key_set\" \"test\" {\n  name = \"Signing\"\n}\n" +
		hcl(certificateType, map[string]string{"certificate_pem": certificatePEM(cert)}, "key_set_id = trustframework_key_set.test.id")
	var checks []statecheck.StateCheck
	want := shown(cert)
	maps.Copy(want, map[string]string{
		"use": "sig", "certificate_base64": certificateBase64(cert), "subject": "CN=upload.test,O=Contoso", "issuer": "CN=Contoso CA",
		"serial_number": "4711", "not_before": "2029-07-01T12:00:00Z", "not_after": "2030-07-01T12:00:00Z",
		"n": base64.RawURLEncoding.EncodeToString(f.key(t, "a").N.Bytes()),
	})
	for name, value := range want {
		checks = append(checks, statecheck.ExpectKnownValue(certificateAddress, tfjsonpath.New(name), knownvalue.StringExact(value)))
	}
	for _, name := range []string{"nbf", "exp", "activates_at", "expires_at", "status"} {
		checks = append(checks, statecheck.ExpectKnownValue(certificateAddress, tfjsonpath.New(name), knownvalue.Null()))
	}
	checks = append(checks, statecheck.ExpectKnownValue(certificateAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^B2C_1A_Signing/[A-Za-z0-9_-]{43}$`))))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factories(nil),
		Steps: []resource.TestStep{
			{
				Config:            config,
				ConfigStateChecks: checks,
				Check:             w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1, emulator.OpCreate: 1, emulator.OpUploadCertificate: 1}),
			},
			{Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
		},
	})
}

// spellings are ways to write one certificate, by argument.
func spellings(c *x509.Certificate) map[string]map[string]string {
	pem, der := certificatePEM(c), certificateBase64(c)
	crlf := strings.ReplaceAll(pem, "\n", "\r\n")
	return map[string]map[string]string{
		"PEM":                     {"certificate_pem": pem},
		"PEM with CRLF":           {"certificate_pem": crlf},
		"PEM with comments":       {"certificate_pem": "Bag Attributes\n    friendlyName: x\n# " + c.Subject.String() + "\n" + pem + "\nthe end\n"},
		"base64":                  {"certificate_base64": der},
		"base64 with line breaks": {"certificate_base64": der[:64] + "\r\n" + der[64:128] + "\n" + der[128:] + "\n"},
		"both":                    {"certificate_pem": crlf, "certificate_base64": der + "\n"},
	}
}

// TestProtocol_UploadedCertificate_Spelling_IsNoChange moves from each way to write a certificate to each other.
func TestProtocol_UploadedCertificate_Spelling_IsNoChange(t *testing.T) {
	t.Parallel()
	cert := newWallet().certificate(t, "a")
	for from, before := range spellings(cert) {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			s := newServer(t, w)
			config := maps.Clone(before)
			config["key_set_id"] = "B2C_1A_Signing"
			made, err := s.create(certificateType, config)
			if err != nil {
				t.Fatal(err)
			}
			made, told := s.refresh(made)
			got := s.attributes(made)
			for argument, value := range before {
				if got[argument] != value {
					t.Errorf("the state has %s %q, want it as it was written", argument, got[argument])
				}
			}
			if len(told) > 0 || got["certificate_pem"] == "" || got["certificate_base64"] == "" {
				t.Errorf("%q, %v", told, got)
			}
			for to, after := range spellings(cert) {
				config := maps.Clone(after)
				config["key_set_id"] = "signing"
				if p := s.look(made, config); p.changes || len(p.said) > 0 {
					t.Errorf("to %s: %+v", to, p)
				}
			}
			// One that is left out altogether is no change either: the key is there.
			if p := s.look(made, map[string]string{"key_set_id": "B2C_1A_Signing"}); p.changes || len(p.said) > 0 {
				t.Errorf("to none: %+v", p)
			}
			if n := len(w.Requests(emulator.OpUploadCertificate)); n != 1 {
				t.Errorf("%d uploads", n)
			}
		})
	}
}

func TestAccUploadedCertificate_Spelling_IsNoChange(t *testing.T) {
	t.Parallel()
	w := signingWorld(t, emulator.Switches{})
	cert := newWallet().certificate(t, "a")
	tf := w.inProcess(t, w.Provider()+certificateConfig("certificate_pem", "# made elsewhere\r\n"+strings.ReplaceAll(certificatePEM(cert), "\n", "\r\n")))
	tf.apply(true)
	for _, config := range []string{
		certificateConfig("certificate_pem", certificatePEM(cert)),
		certificateConfig("certificate_base64", certificateBase64(cert)+"\n"),
	} {
		tf.configure(w.Provider() + config)
		if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
			t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
		}
	}
}

// TestAccUploadedCertificate_Replace_LeavesTheOldKey: from either argument to either.
func TestAccUploadedCertificate_Replace_LeavesTheOldKey(t *testing.T) {
	t.Parallel()
	f := newWallet()
	first, second := f.certificate(t, "a"), f.certificate(t, "b")
	for name, row := range map[string]struct{ before, after string }{
		"PEM":           {certificateConfig("certificate_pem", certificatePEM(first)), certificateConfig("certificate_pem", certificatePEM(second))},
		"PEM to base64": {certificateConfig("certificate_pem", certificatePEM(first)), certificateConfig("certificate_base64", certificateBase64(second))},
		"base64 to PEM": {certificateConfig("certificate_base64", certificateBase64(first)), certificateConfig("certificate_pem", certificatePEM(second))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			tf := w.inProcess(t, w.Provider()+row.before)
			tf.apply(true)
			before := tf.state(certificateAddress)
			w.ResetJournal()
			tf.configure(w.Provider() + row.after)
			o := tf.apply(true)
			if got := o.actions()[certificateAddress]; got != "replace" || !o.has("warning", "Key would be used too soon", "takes no dates for a certificate") {
				t.Errorf("%s, %v", got, o.diagnostics)
			}
			after := tf.state(certificateAddress)
			for attribute, value := range shown(second) {
				if after[attribute] != value {
					t.Errorf("%s is %v, want %s", attribute, after[attribute], value)
				}
			}
			if after["kid"] == before["kid"] || after["certificate_base64"] != certificateBase64(second) {
				t.Errorf("%v, was %v", after, before)
			}
			if keys := w.keys("B2C_1A_Signing"); len(keys) != 2 || keys[0].Kid != before["kid"] || len(w.Writes()) != 1 {
				t.Errorf("%d keys, %d writes", len(keys), len(w.Writes()))
			}
			if _, changes := tf.plan(); changes {
				t.Error("the next plan has changes")
			}
		})
	}
}

// TestAccUploadedCertificate_RotateWhenChanged_NeedsAnotherCertificate: what would make the key that is there already
// is refused before anything of the resource is lost.
func TestAccUploadedCertificate_RotateWhenChanged_NeedsAnotherCertificate(t *testing.T) {
	t.Parallel()
	w, f := signingWorld(t, emulator.Switches{}), newWallet()
	config := func(tag, key string) string {
		return w.Provider() + hcl(certificateType, map[string]string{"key_set_id": "Signing", "certificate_pem": certificatePEM(f.certificate(t, key))},
			fmt.Sprintf("rotate_when_changed = { tag = %q }", tag))
	}
	tf := w.inProcess(t, config("1", "a"))
	tf.apply(true)
	before := tf.state(certificateAddress)
	tf.configure(config("2", "a"))
	kid := fmt.Sprint(before["kid"])
	if o := tf.expect(false, "apply", "-auto-approve"); !o.has("error", "Certificate is in the key set already", "rotate_when_changed", "terraform import trustframework_uploaded_certificate.NAME B2C_1A_Signing/"+kid) {
		t.Errorf("%v", o.diagnostics)
	}
	if after := tf.state(certificateAddress); after["kid"] != kid || len(w.Requests(emulator.OpUploadCertificate)) != 1 {
		t.Errorf("%v", after)
	}
	tf.configure(config("2", "b"))
	tf.apply(true)
	if after := tf.state(certificateAddress); after["kid"] == kid || len(w.keys("B2C_1A_Signing")) != 2 {
		t.Errorf("%v", after)
	}
}

// TestAccUploadedCertificate_GenerateConfig: what a client writes for a key that is imported has both spellings.
func TestAccUploadedCertificate_GenerateConfig(t *testing.T) {
	t.Parallel()
	w := signingWorld(t, emulator.Switches{})
	kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{Certificate: &emulator.CertificateSpec{
		Subject: "idp.test", Issuer: "idp.test CA", NotBefore: start().AddDate(0, -1, 0), NotAfter: start().AddDate(1, 0, 0),
	}})
	tf := w.inProcess(t, w.Provider()+importBlock(certificateAddress, fmt.Sprintf("id = %q", "Signing/"+kid)))
	tf.expect(true, "plan", "-input=false", "-generate-config-out=generated.tf")
	generated, err := os.ReadFile(filepath.Join(tf.dir, "generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(generated), "certificate_pem") || !strings.Contains(string(generated), "certificate_base64") {
		t.Errorf("generated:\n%s", generated)
	}
	if o := tf.apply(true); len(o.diagnostics) > 0 {
		t.Errorf("%v", o.diagnostics)
	}
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
	}
	if got := tf.state(certificateAddress); got["subject"] != "CN=idp.test" || got["issuer"] != "CN=idp.test CA" || got["kid"] != kid || len(w.Writes()) > 0 {
		t.Errorf("%v; %d writes", got, len(w.Writes()))
	}
}

// TestAccUploadedCertificate_Unknown_AndThenTheSame: a replacement that turns out to be none keeps its key, and sends nothing.
func TestAccUploadedCertificate_Unknown_AndThenTheSame(t *testing.T) {
	t.Parallel()
	leaf := newWallet().certificate(t, "a")
	for name, row := range map[string]struct {
		onDestroy string
		beside    int // other keys in the set
		apply     bool
	}{
		"retained": {"retain", 1, true},
		// The old key is disabled by then: to keep it so would leave the set without one, unasked.
		"disabled":            {"disable", 1, false},
		"the last usable one": {"disable", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			for range row.beside { // so that the other one may be disabled
				w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			}
			config := func(version string) string {
				return w.Provider() + hcl("terraform_data", map[string]string{"input": certificatePEM(leaf)}, `triggers_replace = "`+version+`"`) +
					hcl(certificateType, map[string]string{"on_destroy": row.onDestroy}, `key_set_id = "B2C_1A_Signing"`, "certificate_pem = terraform_data.test.output")
			}
			tf := w.inProcess(t, config("1"))
			tf.apply(true)
			before := tf.state(certificateAddress)
			w.ResetJournal()
			tf.configure(config("2"))
			o := tf.apply(row.apply)
			if !row.apply {
				if kid, _ := before["kid"].(string); !o.has("error", "Certificate is in the key set already", kid) {
					t.Errorf("%v", o.diagnostics)
				}
				return
			}
			if got := o.actions()[certificateAddress]; got != "replace" || !o.has("warning", "Certificate was in the key set already", "Nothing was sent") {
				t.Errorf("%s, %v", got, o.diagnostics)
			}
			if after := tf.state(certificateAddress); after["kid"] != before["kid"] || after["x5t"] != before["x5t"] || len(w.Writes()) > 0 {
				t.Errorf("state %v; %d writes", after, len(w.Writes()))
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
		})
	}
}

// TestAccUploadedCertificate_UnknownValues_WaitForApply, where they are looked at before anything is sent.
func TestAccUploadedCertificate_UnknownValues_WaitForApply(t *testing.T) {
	t.Parallel()
	f := newWallet()
	good := f.certificate(t, "a")
	for name, row := range map[string]struct{ argument, value, fails string }{
		"PEM":            {"certificate_pem", certificatePEM(good), ""},
		"base64":         {"certificate_base64", certificateBase64(good), ""},
		"expired":        {"certificate_pem", certificatePEM(selfSigned(t, f.key(t, "a"), func(c *x509.Certificate) { c.NotAfter = start() })), "expired at 2030-01-01T12:00:00Z"},
		"an EC key":      {"certificate_base64", certificateBase64(selfSigned(t, curveKey(t), nil)), "isn't RSA"},
		"no certificate": {"certificate_pem", "none", "holds no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			if row.fails == "expired at 2030-01-01T12:00:00Z" {
				w.clock.Advance(1) // a moment after its last second
			}
			tf := w.inProcess(t, w.Provider()+hcl("terraform_data", map[string]string{"input": row.value})+
				hcl(certificateType, nil, `key_set_id = "B2C_1A_Signing"`, row.argument+" = terraform_data.test.output"))
			tf.expect(true, "plan")
			o := tf.apply(row.fails == "")
			uploads := len(w.Requests(emulator.OpUploadCertificate))
			if row.fails != "" {
				if uploads > 0 || len(o.diagnostics) != 1 || !strings.Contains(o.diagnostics[0].Detail, row.fails) {
					t.Errorf("%d uploads, %v", uploads, o.diagnostics)
				}
				return
			}
			if _, changes := tf.plan(); changes || uploads != 1 {
				t.Errorf("changes: %t, %d uploads", changes, uploads)
			}
		})
	}
}
