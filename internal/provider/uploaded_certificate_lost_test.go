// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_UploadedCertificates_LostAnswer: one upload, whatever becomes of its answer, and the key of this
// certificate even if others come at the same moment.
func TestProtocol_UploadedCertificates_LostAnswer(t *testing.T) {
	t.Parallel()
	const found, twice = "Key found after a lost answer", "Key may have been made twice"
	f := newWallet()
	other := &emulator.CertificateSpec{Subject: "other.test", NotBefore: start(), NotAfter: start().AddDate(1, 0, 0)}
	for name, row := range map[string]struct {
		faults   []emulator.Fault // without Op
		switches emulator.Switches
		thin     func(http.RoundTripper) http.RoundTripper
		others   bool // another process uploads another certificate at the moment of the first request
		posts    int
		keys     int // of this certificate
		warning  string
		fails    []string
	}{
		"throttled":            {faults: []emulator.Fault{emulator.Throttled("", "2.128")}, posts: 2, keys: 1},
		"committed":            {faults: []emulator.Fault{emulator.GatewayTimeout("")}, posts: 1, keys: 1, warning: found},
		"cut after the commit": {faults: []emulator.Fault{emulator.CutAfterCommit("")}, posts: 1, keys: 1, warning: found},
		"half an answer":       {faults: []emulator.Fault{emulator.HalfAnswer("")}, posts: 1, keys: 1, warning: found},
		"an empty answer":      {faults: []emulator.Fault{emulator.EmptyAnswer("")}, posts: 1, keys: 1, warning: found},
		"not committed":        {faults: []emulator.Fault{emulator.Unavailable("")}, posts: 2, keys: 1},
		"shows late":           {faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(30 * time.Second)}, posts: 1, keys: 1, warning: found},
		"committed late":       {faults: []emulator.Fault{emulator.CommitsLate("", 40*time.Second)}, posts: 1, keys: 1, warning: found},
		"among others":         {faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(20 * time.Second)}, others: true, posts: 1, keys: 1, warning: found},
		"among others, by its thumbprint": {
			faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(20 * time.Second)}, others: true, posts: 1, keys: 1, warning: found,
			thin: thin("", map[string]any{"x5c": nil, "n": nil}),
		},
		"among others, by its public key": {
			faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(20 * time.Second)}, others: true, posts: 1, keys: 1, warning: found,
			thin: thin("", map[string]any{"x5c": nil, "x5t": nil}),
		},
		"among others, not committed":        {faults: []emulator.Fault{emulator.Unavailable("")}, others: true, posts: 2, keys: 1},
		"sent again, and is there already":   {faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(70 * time.Second)}, posts: 2, keys: 1, warning: found},
		"committed before it is sent again":  {faults: []emulator.Fault{emulator.CommitsLate("", 61*time.Second)}, posts: 2, keys: 1},
		"sent again, and is there too":       {faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(61 * time.Second)}, switches: emulator.Switches{DuplicateKeys: true}, posts: 2, keys: 2},
		"sent again, there, and shown later": {faults: []emulator.Fault{emulator.GatewayTimeout("").WithLag(10 * time.Minute)}, posts: 2, keys: 1, fails: []string{"holds this key already", "AADB2C90180"}},
		"unknown": {
			faults: []emulator.Fault{emulator.Unavailable("").Repeat(-1)}, posts: 4,
			fails: []string{"The answer to the request was lost", "further requests", "Before you apply again", "terraform import RESOURCE.NAME B2C_1A_Signing", "Status: 503"},
		},
	} {
		for _, u := range uploads() {
			t.Run(name+"/"+u.resource, func(t *testing.T) {
				t.Parallel()
				w := signingWorld(t, row.switches)
				for _, fault := range row.faults {
					fault.Op = u.op
					w.Inject(fault)
				}
				if row.others {
					w.onAnswer(u.op, 1, func() { w.AddKey("B2C_1A_Signing", emulator.KeySpec{Certificate: other}) })
				}
				var wrap []func(http.RoundTripper) http.RoundTripper
				if row.thin != nil {
					wrap = append(wrap, row.thin)
				}
				s := newServer(t, w, wrap...)
				config := u.config(t, f.key(t, "a"), f.certificate(t, "a"), 1)
				made, told := s.apply(u.resource, managed{}, config)
				if n := len(w.Requests(u.op)); n != row.posts {
					t.Errorf("%d uploads, want %d", n, row.posts)
				}
				mine := map[string]bool{}
				for _, k := range w.keys("B2C_1A_Signing") {
					if k.X5T == shown(f.certificate(t, "a"))["x5t"] {
						mine[k.Kid] = true
					}
				}
				if len(mine) != row.keys {
					t.Errorf("%d keys of the certificate, want %d", len(mine), row.keys)
				}
				if row.fails != nil {
					for _, text := range row.fails {
						if text = strings.ReplaceAll(text, "RESOURCE", u.resource); !strings.Contains(told.String(), text) {
							t.Errorf("no %q in %q", text, told)
						}
					}
					if !told.failed() || made.state != nil {
						t.Errorf("%q; the state has %v", told, s.attributes(made))
					}
					return
				}
				if (row.warning == "") != (len(told) == 0) || told.failed() || !strings.Contains(told.String(), row.warning) {
					t.Errorf("%q, want %q", told, row.warning)
				}
				got := s.attributes(made)
				if !mine[got["kid"]] || got["x5t"] != shown(f.certificate(t, "a"))["x5t"] || got["kty"] != "RSA" {
					t.Errorf("the state has %v", got)
				}
				w.clock.Advance(time.Hour)
				made, told = s.refresh(made)
				if name == "sent again, and is there too" {
					if !strings.Contains(told.String(), twice) {
						t.Errorf("the twin isn't named: %q", told)
					}
					told = nil
				}
				if p := s.look(made, config); len(told) > 0 || p.changes || len(p.said) > 0 {
					t.Errorf("%q, %+v", told, p)
				}
			})
		}
	}
}
