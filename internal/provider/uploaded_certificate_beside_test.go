// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_UploadedCertificates_InASetThatHoldsOthers: what the service is known to refuse is refused at plan; what
// it makes of a certificate with both usages is left to it.
func TestProtocol_UploadedCertificates_InASetThatHoldsOthers(t *testing.T) {
	t.Parallel()
	const both = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	key := newWallet().key(t, "a")
	for name, row := range map[string]struct {
		holds    emulator.KeySpec
		usage    x509.KeyUsage
		switches emulator.Switches
		fails    string
		sent     bool
	}{
		"signing beside encryption":  {holds: emulator.KeySpec{Use: "enc"}, usage: x509.KeyUsageDigitalSignature, fails: `use = "enc"`},
		"encryption beside signing":  {holds: emulator.KeySpec{}, usage: x509.KeyUsageKeyEncipherment, fails: `use = "sig"`},
		"beside a symmetric key":     {holds: emulator.KeySpec{Kty: "oct"}, usage: x509.KeyUsageDigitalSignature, fails: `kty = "oct"`},
		"beside an OCT key":          {holds: emulator.KeySpec{Kty: "oct"}, switches: emulator.Switches{OctSpelling: "OCT"}, usage: x509.KeyUsageDigitalSignature, fails: `kty = "oct"`},
		"both beside signing":        {holds: emulator.KeySpec{}, usage: both, fails: "The key container has a different use", sent: true},
		"both beside encryption":     {holds: emulator.KeySpec{Use: "enc"}, usage: both, sent: true},
		"both, which sign, likewise": {holds: emulator.KeySpec{Use: "enc"}, usage: both, switches: emulator.Switches{BothUsagesSign: true}, fails: "The key container has a different use", sent: true},
		"both beside a symmetric":    {holds: emulator.KeySpec{Kty: "oct"}, usage: both, fails: `kty = "oct"`},
		"encryption beside its like": {holds: emulator.KeySpec{Use: "enc"}, usage: x509.KeyUsageKeyEncipherment, sent: true},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, row.switches)
				held := w.AddKey("B2C_1A_Signing", row.holds)
				s := newServer(t, w)
				made, told := s.apply(u.resource, managed{}, u.config(t, key, selfSigned(t, key, withUsage(row.usage)), 1))
				if told.failed() != (row.fails != "") || (made.state == nil) != (row.fails != "") || !strings.Contains(told.String(), row.fails) {
					t.Errorf("%q; the state has %v", told, s.attributes(made))
				}
				switch {
				case !row.sent:
					if !strings.Contains(told.String(), "Key doesn't fit its key set") || !strings.Contains(told.String(), held) || told.where() != "key_set_id" ||
						!strings.Contains(told.String(), "Use another key set.\n") || len(w.Writes()) > 0 {
						t.Errorf("at %q, %d writes: %q", told.where(), len(w.Writes()), told)
					}
				case row.fails != "":
					if !strings.Contains(told.String(), "AADB2C90215") || told.where() != "key_set_id" || len(w.Requests(u.op)) != 1 {
						t.Errorf("at %q: %q", told.where(), told)
					}
				}
			})
		}
	}
}

// TestProtocol_UploadedCertificates_AlreadyThere: the same certificate once more is refused before it is sent, and what
// can't be seen at plan is answered by the service.
func TestProtocol_UploadedCertificates_AlreadyThere(t *testing.T) {
	t.Parallel()
	f := newWallet()
	key, leaf := f.key(t, "a"), f.certificate(t, "a")
	renewed := selfSigned(t, key, func(c *x509.Certificate) { c.NotAfter = start().AddDate(2, 0, 0) })
	for name, row := range map[string]struct {
		second   *x509.Certificate
		switches emulator.Switches
		thin     func(http.RoundTripper) http.RoundTripper
		texts    []string // of the error; none if another key is made
		posts    int
	}{
		"the same":                         {second: leaf, texts: []string{"Certificate is in the key set already"}, posts: 1},
		"the same, by its thumbprint":      {second: leaf, thin: thin("", map[string]any{"x5c": nil}), texts: []string{"Certificate is in the key set already"}, posts: 1},
		"the same, in a service that can":  {second: leaf, switches: emulator.Switches{DuplicateKeys: true}, texts: []string{"Certificate is in the key set already"}, posts: 1},
		"the same, which can't be seen":    {second: leaf, thin: thin("", map[string]any{"x5c": nil, "x5t": nil}), texts: []string{"holds this key already", "AADB2C90180"}, posts: 2},
		"renewed for the key":              {second: renewed, texts: []string{"holds this key already", "AADB2C90180"}, posts: 2},
		"renewed, in a service that can":   {second: renewed, switches: emulator.Switches{DuplicateKeys: true}, posts: 2},
		"of another key, as it should be ": {second: f.certificate(t, "b"), posts: 2},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, row.switches)
				var wrap []func(http.RoundTripper) http.RoundTripper
				if row.thin != nil {
					wrap = append(wrap, row.thin)
				}
				s := newServer(t, w, wrap...)
				first, err := s.create(u.resource, u.config(t, key, leaf, 1))
				if err != nil {
					t.Fatal(err)
				}
				secondKey := key
				if name == "of another key, as it should be " {
					secondKey = f.key(t, "b")
				}
				second, told := s.apply(u.resource, managed{}, u.config(t, secondKey, row.second, 1))
				told = told.without("Key would be used too soon")
				if told.failed() != (row.texts != nil) || (second.state == nil) != (row.texts != nil) {
					t.Errorf("%q; the state has %v", told, s.attributes(second))
				}
				for _, text := range row.texts {
					if !strings.Contains(told.String(), text) {
						t.Errorf("no %q in %q", text, told)
					}
				}
				shared := row.posts == 2 && !strings.HasPrefix(name, "of another key")
				if strings.Contains(told.String(), "Certificate has the public key of another") != shared {
					t.Errorf("shared: %t, %q", shared, told)
				}
				if row.texts != nil && !strings.Contains(told.String(), "terraform import "+u.resource+".NAME B2C_1A_Signing/"+s.attributes(first)["kid"]) {
					t.Errorf("no import command: %q", told)
				}
				if n := len(w.Requests(u.op)); n != row.posts {
					t.Errorf("%d uploads, want %d", n, row.posts)
				}
			})
		}
	}
}
