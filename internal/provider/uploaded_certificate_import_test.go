// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// uploadedByOthers puts the certificate's key into the set Signing, as another process does, and returns its kid.
func uploadedByOthers(t *testing.T, w *world, u upload, config map[string]string) (kid string) {
	t.Helper()
	s := newServer(t, w)
	made, err := s.create(u.resource, config)
	if err != nil {
		t.Fatal(err)
	}
	w.ResetJournal()
	return s.attributes(made)["kid"]
}

// TestAccUploadedCertificate_Import_WritesNothingAndPlansEmpty, whichever way the key is imported.
func TestAccUploadedCertificate_Import_WritesNothingAndPlansEmpty(t *testing.T) {
	t.Parallel()
	f := newWallet()
	for name, row := range map[string]struct {
		identity bool
		block    func(kid string) string // "" for the command
	}{
		"command":     {block: func(string) string { return "" }},
		"block by id": {block: func(kid string) string { return importBlock("ADDRESS", fmt.Sprintf("id = %q", "signing/"+kid)) }},
		"block by identity": {identity: true, block: func(kid string) string {
			return importBlock("ADDRESS", identityOf("key_set_id", "B2C_1A_Signing", "kid", kid))
		}},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				if row.identity {
					skipUnless(t, featureIdentity())
				}
				w := signingWorld(t, emulator.Switches{})
				leaf := f.certificate(t, "a")
				given := u.config(t, f.key(t, "a"), leaf, 1)
				kid, address := uploadedByOthers(t, w, u, given), u.resource+".test"
				// The first version given to a key is recorded in place, and so it is left out here.
				delete(given, "pkcs12_wo_version")
				block := row.block(kid)
				tf := w.inProcess(t, w.Provider()+hcl(u.resource, given)+strings.ReplaceAll(block, "ADDRESS", address))
				if block == "" {
					tf.command("import", address, "Signing/"+kid)
					if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
						t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
					}
				}
				if o := tf.apply(true); len(o.diagnostics) > 0 || !strings.Contains(o.stdout, "0 added, 0 changed, 0 destroyed") {
					t.Errorf("%v\n%s", o.diagnostics, o.stdout)
				}
				if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
					t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
				}
				got := tf.state(address)
				for attribute, value := range shown(leaf) {
					if got[attribute] != value {
						t.Errorf("%s is %v, want %s", attribute, got[attribute], value)
					}
				}
				if got["kid"] != kid || got["use"] != "sig" || len(w.Writes()) > 0 {
					t.Errorf("%d writes; the state has %v", len(w.Writes()), got)
				}
			})
		}
	}
}

// TestProtocol_UploadedCertificate_Import_WithAnySpelling: what the configuration says of an imported key's certificate
// is no change if it is that certificate, and makes a new key if it is another.
func TestProtocol_UploadedCertificate_Import_WithAnySpelling(t *testing.T) {
	t.Parallel()
	f, u := newWallet(), uploads()[0]
	leaf := f.certificate(t, "a")
	for name, switches := range map[string]emulator.Switches{"": {}, ", of which listings show nothing": {ListWithoutKeys: true}, ", with its dates": {CertificateDates: true}} {
		for spelling, arguments := range spellings(leaf) {
			t.Run(spelling+name, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, switches)
				kid := uploadedByOthers(t, w, u, u.config(t, f.key(t, "a"), leaf, 1))
				s := newServer(t, w)
				imported, told := s.adopt(certificateType, "", map[string]string{"key_set_id": "signing", "kid": kid})
				if len(told) > 0 {
					t.Fatalf("%q", told)
				}
				config := maps.Clone(arguments)
				config["key_set_id"] = "Signing"
				if p := s.look(imported, config); p.changes || p.replaces || len(p.said) > 0 {
					t.Errorf("%+v", p)
				}
				if p := s.look(imported, u.config(t, nil, f.certificate(t, "b"), 1)); !p.replaces || p.said.failed() {
					t.Errorf("another certificate: %+v", p)
				}
				if len(w.Writes()) > 0 {
					t.Errorf("%d writes", len(w.Writes()))
				}
			})
		}
	}
}

// TestProtocol_UploadedPKCS12_Import: file, password and version are recorded in place, if at all, and not sent.
func TestProtocol_UploadedPKCS12_Import(t *testing.T) {
	t.Parallel()
	f, u := newWallet(), uploads()[1]
	for name, row := range map[string]struct {
		without []string // arguments that are left out
		changes bool
	}{
		"whole":            {changes: true},
		"without version":  {without: []string{"pkcs12_wo_version"}},
		"without the file": {without: []string{"pkcs12_wo", "password_wo", "pkcs12_wo_version"}},
		"with the version": {without: []string{"pkcs12_wo", "password_wo"}, changes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			config := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 3)
			kid := uploadedByOthers(t, w, u, config)
			s := newServer(t, w)
			imported, told := s.adopt(pkcs12Type, "B2C_1A_Signing/"+kid, nil)
			if len(told) > 0 {
				t.Fatalf("%q", told)
			}
			for _, argument := range row.without {
				delete(config, argument)
			}
			if p := s.look(imported, config); p.changes != row.changes || p.replaces || len(p.said) > 0 {
				t.Errorf("%+v", p)
			}
			after, told := s.apply(pkcs12Type, imported, config)
			if p := s.look(after, config); len(told) > 0 || p.changes || s.attributes(after)["kid"] != kid || len(w.Writes()) > 0 {
				t.Errorf("%q, %+v, %d writes", told, p, len(w.Writes()))
			}
			if row.changes {
				// Now that there is a version, another one counts.
				config = u.config(t, f.key(t, "b"), f.certificate(t, "b"), 4)
				if p := s.look(after, config); !p.replaces || p.said.failed() {
					t.Errorf("the next version: %+v", p)
				}
			}
		})
	}
}

// TestAccUploadedCertificate_Import_OfACertificateThatIsNotShown: what the configuration says is recorded in place, and
// then known.
func TestAccUploadedCertificate_Import_OfACertificateThatIsNotShown(t *testing.T) {
	t.Parallel()
	f, u := newWallet(), uploads()[0]
	leaf := f.certificate(t, "a")
	for name, row := range map[string]struct {
		members map[string]any
		config  string
	}{
		"PEM":                 {map[string]any{"x5c": nil}, certificateConfig("certificate_pem", certificatePEM(leaf))},
		"base64":              {map[string]any{"x5c": nil}, certificateConfig("certificate_base64", certificateBase64(leaf))},
		"without thumbprints": {map[string]any{"x5c": []string{}, "x5t": nil}, certificateConfig("certificate_pem", certificatePEM(leaf))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			kid := uploadedByOthers(t, w, u, u.config(t, f.key(t, "a"), leaf, 1))
			tf := w.inProcess(t, w.Provider()+row.config, thin("", row.members))
			tf.command("import", certificateAddress, "Signing/"+kid)
			o := tf.apply(true)
			if got := o.actions(); !maps.Equal(got, map[string]string{certificateAddress: "update"}) || len(o.diagnostics) > 0 {
				t.Errorf("%v, %v", got, o.diagnostics)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
			}
			tf.apply(true, "-refresh-only")
			got := tf.state(certificateAddress)
			for attribute, value := range shown(leaf) {
				if got[attribute] != value {
					t.Errorf("%s is %v, want %s", attribute, got[attribute], value)
				}
			}
			if got["kid"] != kid || got["certificate_base64"] != certificateBase64(leaf) || len(w.Writes()) > 0 {
				t.Errorf("%d writes; the state has %v", len(w.Writes()), got)
			}
		})
	}
}

// TestProtocol_UploadedCertificates_Import_OfAChain: the key's own certificate counts, not those that issued it.
func TestProtocol_UploadedCertificates_Import_OfAChain(t *testing.T) {
	t.Parallel()
	f := newWallet()
	ca, caKey := authority(t)
	leaf := signed(t, f.key(t, "a").Public(), ca, caKey, nil)
	for _, u := range uploads() {
		t.Run(u.resource, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			// A PKCS#12 file brings the chain along.
			kid := uploadedByOthers(t, w, uploads()[1], map[string]string{
				"key_set_id": "Signing", "pkcs12_wo": pfx(t, f.key(t, "a"), leaf, ca), "password_wo": pfxPassword,
			})
			if n := len(w.keys("B2C_1A_Signing")[0].X5C); n != 2 {
				t.Fatalf("%d certificates in the chain", n)
			}
			s := newServer(t, w)
			imported, told := s.adopt(u.resource, "Signing/"+kid, nil)
			got := s.attributes(imported)
			for attribute, value := range shown(leaf) {
				if got[attribute] != value {
					t.Errorf("%s is %q, want %q", attribute, got[attribute], value)
				}
			}
			config := u.config(t, f.key(t, "a"), leaf, 1)
			delete(config, "pkcs12_wo_version")
			if p := s.look(imported, config); len(told) > 0 || p.changes || len(p.said) > 0 {
				t.Errorf("%q, %+v", told, p)
			}
		})
	}
}

// TestProtocol_UploadedCertificates_Import_Refuses what can't be such a key.
func TestProtocol_UploadedCertificates_Import_Refuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		switches emulator.Switches
		id       string // KID is that of a symmetric key
		texts    []string
	}{
		"a symmetric key": {id: "Signing/KID", texts: []string{"Key is of another type", `kty = "oct"`, `always has "RSA"`}},
		"an OCT key":      {switches: emulator.Switches{OctSpelling: "OCT"}, id: "Signing/KID", texts: []string{"Key is of another type"}},
		"a set":           {id: "Signing", texts: []string{"Import ID names a key set", "terraform import RESOURCE.NAME B2C_1A_Signing/KID"}},
		"an unknown kid":  {id: "Signing/none", texts: []string{"not in its key set", "terraform import RESOURCE.NAME B2C_1A_Signing/KID"}},
		"no such set":     {id: "None/KID", texts: []string{"AADB2C90073"}},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, row.switches)
				kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{Kty: "oct"})
				_, told := newServer(t, w).adopt(u.resource, strings.ReplaceAll(row.id, "KID", kid), nil)
				for _, text := range row.texts {
					if text = strings.NewReplacer("KID", kid, "RESOURCE", u.resource).Replace(text); !strings.Contains(told.String(), text) {
						t.Errorf("no %q in %q", text, told)
					}
				}
				if !told.failed() {
					t.Errorf("%q", told)
				}
			})
		}
	}
}

// TestProtocol_UploadedCertificates_Import_OfAGeneratedKey: it has no certificate to show, and none is made up.
func TestProtocol_UploadedCertificates_Import_OfAGeneratedKey(t *testing.T) {
	t.Parallel()
	for _, u := range uploads() {
		t.Run(u.resource, func(t *testing.T) {
			t.Parallel()
			w := signingWorld(t, emulator.Switches{})
			kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			s := newServer(t, w)
			imported, told := s.adopt(u.resource, "Signing/"+kid, nil)
			got := s.attributes(imported)
			if len(told) > 0 || got["kid"] != kid || got["certificate_pem"] != "" || got["x5t"] != "" || got["certificate_base64"] != "" {
				t.Errorf("%q; the state has %v", told, got)
			}
			if p := s.look(imported, map[string]string{"key_set_id": "Signing"}); p.changes || len(p.said) > 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestProtocol_UploadedCertificates_Drift: another certificate under the same kid, in a service that can, shows.
func TestProtocol_UploadedCertificates_Drift(t *testing.T) {
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
			other := f.certificate(t, "b")
			s := newServer(t, w, thin("", map[string]any{"x5c": []string{certificateBase64(other)}, "x5t": shown(other)["x5t"]}))
			drifted, told := s.refresh(made)
			got := s.attributes(drifted)
			if len(told) > 0 || got["x5t"] != shown(other)["x5t"] || got["certificate_pem"] != certificatePEM(other) || got["kid"] != s.attributes(made)["kid"] {
				t.Errorf("%q; the state has %v", told, got)
			}
			// What is configured is no longer what is there; of a write-only file nobody can tell.
			if p := s.look(drifted, config); p.replaces != (u.resource == certificateType) || p.said.failed() {
				t.Errorf("%+v", p)
			}
		})
	}
}
