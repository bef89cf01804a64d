// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/x509"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// Both resources that upload a certificate are answered alike, and so what is here goes through both.

// TestProtocol_UploadedCertificates_Answers: however a service that is unsure answers, the state says of the certificate
// what it is, and the second plan is empty.
func TestProtocol_UploadedCertificates_Answers(t *testing.T) {
	t.Parallel()
	const both = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	f := newWallet()
	key := f.key(t, "a")
	for name, row := range map[string]struct {
		usage    x509.KeyUsage
		switches emulator.Switches
		thin     func(http.RoundTripper) http.RoundTripper
		use      string // "" if the service refuses it
		dated    bool
		warning  string // of the plan
	}{
		"signing":                 {usage: x509.KeyUsageDigitalSignature, use: "sig"},
		"non-repudiation":         {usage: x509.KeyUsageContentCommitment, use: "sig"},
		"encryption":              {usage: x509.KeyUsageKeyEncipherment, use: "enc"},
		"encryption of data":      {usage: x509.KeyUsageDataEncipherment, use: "enc"},
		"both, which encrypt":     {usage: both, use: "enc"},
		"both, which sign":        {usage: both, switches: emulator.Switches{BothUsagesSign: true}, use: "sig"},
		"no usage, refused":       {usage: 0},
		"no usage, which signs":   {usage: 0, switches: emulator.Switches{NoUsageSigns: true}, use: "sig"},
		"dates":                   {usage: x509.KeyUsageDigitalSignature, switches: emulator.Switches{CertificateDates: true}, use: "sig", dated: true},
		"dates, as strings":       {usage: x509.KeyUsageDigitalSignature, switches: emulator.Switches{CertificateDates: true, NumbersAsStrings: true}, use: "sig", dated: true},
		"disabled at first":       {usage: x509.KeyUsageDigitalSignature, switches: emulator.Switches{DisabledAtFirst: true}, use: "sig"},
		"listing without keys":    {usage: x509.KeyUsageDigitalSignature, switches: emulator.Switches{ListWithoutKeys: true}, use: "sig"},
		"listing refused":         {usage: x509.KeyUsageDigitalSignature, switches: emulator.Switches{ListRefused: true, OctSpelling: "OCT"}, use: "sig"},
		"documented as of oct":    {usage: x509.KeyUsageDigitalSignature, thin: thin("upload", map[string]any{"kty": "oct", "n": nil, "e": nil, "x5c": []string{}, "x5t": nil}), use: "sig"},
		"as of OCT":               {usage: x509.KeyUsageDigitalSignature, thin: thin("upload", map[string]any{"kty": "OCT"}), use: "sig"},
		"no certificate shown":    {usage: x509.KeyUsageDigitalSignature, thin: thin("", map[string]any{"x5c": nil}), use: "sig"},
		"no thumbprint either":    {usage: x509.KeyUsageDigitalSignature, thin: thin("", map[string]any{"x5c": []string{}, "x5t": nil}), use: "sig"},
		"a hexadecimal x5t":       {usage: x509.KeyUsageDigitalSignature, thin: thin("", map[string]any{"x5t": strings.Repeat("AB", 20)}), use: "sig"},
		"a certificate of no use": {usage: x509.KeyUsageDigitalSignature, thin: thin("", map[string]any{"x5c": []string{"MIIB"}}), use: "sig"},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, row.switches)
				var wrap []func(http.RoundTripper) http.RoundTripper
				if row.thin != nil {
					wrap = append(wrap, row.thin)
				}
				s, leaf := newServer(t, w, wrap...), selfSigned(t, key, withUsage(row.usage))
				config := u.config(t, key, leaf, 1)
				made, told := s.apply(u.resource, managed{}, config)
				if row.use == "" {
					if made.state != nil || !strings.Contains(told.String(), "error: "+u.failure) || !strings.Contains(told.String(), "AADB2C90215") || !strings.Contains(told.String(), "neither for signatures") {
						t.Errorf("%q, %v", told, s.attributes(made))
					}
					return
				}
				if len(told) > 0 {
					t.Errorf("create: %q", told)
				}
				want := shown(leaf)
				want["use"] = row.use
				if row.dated {
					want["activates_at"], want["expires_at"] = want["not_before"], want["not_after"]
				}
				for _, step := range []string{"created", "refreshed"} {
					got := s.attributes(made)
					for attribute, value := range want {
						if got[attribute] != value {
							t.Errorf("%s: %s is %q, want %q", step, attribute, got[attribute], value)
						}
					}
					if !row.dated && (got["activates_at"] != "" || got["expires_at"] != "") {
						t.Errorf("%s: dates %q, %q", step, got["activates_at"], got["expires_at"])
					}
					if p := s.look(made, config); p.changes || len(p.said) > 0 {
						t.Errorf("%s: %+v", step, p)
					}
					w.clock.Advance(time.Hour)
					made, told = s.refresh(made)
					if name == "a certificate of no use" {
						told = told.without("Unable to show certificate")
					}
					if len(told) > 0 {
						t.Errorf("%s: %q", step, told)
					}
				}
				if n := len(w.Requests(u.op)); n != 1 {
					t.Errorf("%d uploads", n)
				}
			})
		}
	}
}

// TestProtocol_UploadedCertificates_Refused: what the service says of an upload points at the argument it is about, and
// repeats no secret.
func TestProtocol_UploadedCertificates_Refused(t *testing.T) {
	t.Parallel()
	f := newWallet()
	key, leaf := f.key(t, "a"), f.certificate(t, "a")
	for name, row := range map[string]struct {
		code, message string
		status        int
		// where is the argument pointed at, by resource.
		where map[string]string
		texts []string
	}{
		"wrong password": {code: "AADB2C90213", message: "The certificate password provided in request is incorrect.",
			where: map[string]string{certificateType: "key_set_id", pkcs12Type: "password_wo"}, texts: []string{"password", "Nothing was changed"}},
		"no certificate": {code: "AADB2C90179", message: "not a valid X.509 certificate",
			where: map[string]string{certificateType: "certificate_pem", pkcs12Type: "key_set_id"}, texts: []string{"not a valid X.509 certificate"}},
		"bad format":       {code: "AADB2C90215", message: "The uploaded key is badly formatted.", where: map[string]string{certificateType: "key_set_id", pkcs12Type: "key_set_id"}, texts: []string{"badly formatted"}},
		"no such set":      {code: "AADB2C90073", message: "cannot be found", where: map[string]string{certificateType: "key_set_id", pkcs12Type: "key_set_id"}, texts: []string{"There is no key set"}},
		"denied":           {code: "AADB2C", message: "no", status: http.StatusForbidden, where: map[string]string{}, texts: []string{"TrustFrameworkKeySet.ReadWrite.All"}},
		"repeats":          {code: "AADB2C90136", message: "'password' has the value 'PASSWORD', 'key' has 'KEY'", where: map[string]string{certificateType: "key_set_id", pkcs12Type: "key_set_id"}},
		"repeats a part":   {code: "AADB2C90215", message: "at KEYPART and PASSWORDPART", where: map[string]string{certificateType: "key_set_id", pkcs12Type: "key_set_id"}},
		"repeats a secret": {code: "AADB2C90213", message: "not PASSWORD", where: map[string]string{certificateType: "key_set_id", pkcs12Type: "password_wo"}},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, emulator.Switches{})
				s, config := newServer(t, w), u.config(t, key, leaf, 1)
				file := config["pkcs12_wo"] + certificateBase64(leaf) // of a certificate nothing is secret
				status := http.StatusBadRequest
				if row.status != 0 {
					status = row.status
				}
				w.Inject(emulator.Fault{Op: u.op, Status: status, Code: row.code, Times: -1, Message: strings.NewReplacer(
					"PASSWORDPART", pfxPassword[:12], "PASSWORD", pfxPassword, "KEYPART", file[100:140], "KEY", file,
				).Replace(row.message)})
				made, told := s.apply(u.resource, managed{}, config)
				if made.state != nil || !told.failed() || !strings.HasPrefix(told.String(), "error: "+u.failure+": ") || told.where() != row.where[u.resource] {
					t.Errorf("at %q: %q; the state has %v", told.where(), told, s.attributes(made))
				}
				for _, text := range append(row.texts, row.code) {
					if !strings.Contains(told.String(), text) {
						t.Errorf("no %q in %q", text, told)
					}
				}
				if u.resource == pkcs12Type {
					checkConcealed(t, told.String(), config)
				}
				if n := len(w.Requests(u.op)); n != 1 || len(w.keys("B2C_1A_Signing")) > 0 {
					t.Errorf("%d uploads", n)
				}
			})
		}
	}
}

// checkConcealed looks for pieces of a PKCS#12 file and its password in a text. Shorter pieces of a file may be public: its
// certificate has a thumbprint of 27 characters, which the file repeats, and the shortest are in every
// certificate: both begin with the object identifiers of RSA's own company.
func checkConcealed(t *testing.T, text string, config map[string]string) {
	t.Helper()
	for argument, piece := range map[string]int{"pkcs12_wo": 30, "password_wo": 12} {
		for i := 0; i+piece <= len(config[argument]); i++ {
			if strings.Contains(text, config[argument][i:i+piece]) {
				t.Fatalf("a piece of %s is in a text", argument)
			}
		}
	}
}

// TestProtocol_UploadedCertificates_AnotherTenant: the same state, signed in elsewhere.
func TestProtocol_UploadedCertificates_AnotherTenant(t *testing.T) {
	t.Parallel()
	f := newWallet()
	for _, u := range uploads() {
		t.Run(u.resource, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			config := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
			made, err := newServer(t, w).create(u.resource, config)
			if err != nil {
				t.Fatal(err)
			}
			other := w.Server.NewTenant(emulator.TenantConfig{})
			other.AddKeySet("B2C_1A_Signing")
			variables := w.Variables()
			variables["ARM_TENANT_ID"], variables["ARM_CLIENT_ID"], variables["ARM_CLIENT_SECRET"] = other.ID(), other.ClientID(), other.ClientSecret()
			s := newServerWith(t, w, variables)
			left, told := s.refresh(made)
			if !strings.Contains(told.String(), "error: Resource belongs to another tenant") || s.attributes(left)["kid"] != s.attributes(made)["kid"] {
				t.Errorf("refresh: %q, %v", told, s.attributes(left))
			}
			next := u.config(t, f.key(t, "b"), f.certificate(t, "b"), 2)
			if p := s.look(made, next); !strings.Contains(p.said.String(), "error: Resource belongs to another tenant") {
				t.Errorf("plan: %+v", p)
			}
			for _, e := range other.Journal() {
				if e.Write() {
					t.Errorf("%s %s in the other tenant", e.Method, e.Path)
				}
			}
		})
	}
}

// TestProtocol_UploadedCertificates_FailedStatus_ReplacesNothing: once the key is made, what fails is a warning.
func TestProtocol_UploadedCertificates_FailedStatus_ReplacesNothing(t *testing.T) {
	t.Parallel()
	f := newWallet()
	for _, u := range uploads() {
		t.Run(u.resource, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			w.AddKey("B2C_1A_Signing", emulator.KeySpec{}) // the last usable one can't be disabled
			w.Inject(emulator.Fault{Op: emulator.OpPatchKey, Status: http.StatusForbidden, Code: "AADB2C", Message: "not you", Times: -1})
			s := newServer(t, w)
			config := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
			config["status"] = "disabled"
			made, told := s.apply(u.resource, managed{}, config)
			kid := s.attributes(made)["kid"]
			if told.failed() || !strings.Contains(told.String(), "not you") || kid == "" {
				t.Fatalf("%q; the state has %v", told, s.attributes(made))
			}
			w.ClearFaults()
			w.clock.Advance(time.Hour)
			made, _ = s.refresh(made)
			if p := s.look(made, config); p.replaces || !p.changes || p.said.failed() {
				t.Errorf("%+v", p)
			}
			made, told = s.apply(u.resource, made, config)
			if got := s.attributes(made); told.failed() || got["kid"] != kid || got["status"] != "disabled" || len(w.Requests(u.op)) != 1 {
				t.Errorf("%q; the state has %v", told, got)
			}
			left := maps.Clone(config)
			delete(left, "status")
			if p := s.look(made, left); p.replaces {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestProtocol_UploadedCertificates_Vanished: a key that vanished from its set, or with it, is planned again.
func TestProtocol_UploadedCertificates_Vanished(t *testing.T) {
	t.Parallel()
	f := newWallet()
	for name, row := range map[string]struct {
		vanish  func(w *world, kid string)
		warning string
	}{
		"the key": {func(w *world, kid string) { w.RemoveKey("B2C_1A_Signing", kid) }, "Key has vanished from its key set"},
		"the set": {func(w *world, _ string) { w.RemoveKeySet("B2C_1A_Signing") }, ""},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, emulator.Switches{})
				s, config := newServer(t, w), u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
				made, err := s.create(u.resource, config)
				if err != nil {
					t.Fatal(err)
				}
				w.clock.Advance(time.Hour)
				row.vanish(w, s.attributes(made)["kid"])
				left, told := s.refresh(made)
				if left.state != nil || (row.warning == "") != (len(told) == 0) || !strings.Contains(told.String(), row.warning) {
					t.Fatalf("%q; the state has %v", told, s.attributes(left))
				}
				w.AddKeySet("B2C_1A_Signing")
				again, err := newServer(t, w).create(u.resource, config) // what was just read needn't be read again
				if err != nil || s.attributes(again)["x5t"] != shown(f.certificate(t, "a"))["x5t"] || len(w.Requests(u.op)) != 2 {
					t.Errorf("%v; the state has %v", err, s.attributes(again))
				}
			})
		}
	}
}
