// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccSignIn_DocumentLeadsElsewhere_StaysAtTheAuthority: the OpenID document names another origin, as Microsoft's does
// that a proxy forwards, and as a forged one does. A person sees a key made, and nothing has come to that origin.
func TestAccSignIn_DocumentLeadsElsewhere_StaysAtTheAuthority(t *testing.T) {
	t.Parallel()
	methods := map[string]func(t *testing.T, w *world) setUp{
		"client secret": func(_ *testing.T, w *world) setUp {
			return setUp{variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_CLIENT_SECRET": w.ClientSecret()}, secrets: []string{w.ClientSecret()}}
		},
		"certificate": func(t *testing.T, w *world) setUp {
			t.Helper()
			c := newClientCertificate(t, time.Hour)
			w.AddCertificate(c.certificate)
			return withCertificate(t, w, c)
		},
		"GitHub Actions": func(t *testing.T, w *world) setUp {
			t.Helper()
			return withGitHub(t, w, "repo:octo/infra:ref:refs/heads/main")
		},
	}
	for name, row := range map[string]struct {
		start  func(http.Handler) *httptest.Server // of the other origin; nil if the document names its own
		region string
	}{
		"another origin":            {start: httptest.NewTLSServer},
		"another one in the clear":  {start: httptest.NewServer},
		"a region in the variables": {region: "evilregion"},
	} {
		for method, signsIn := range methods {
			if name != "another origin" && method != "client secret" {
				continue // package auth tests each with each
			}
			t.Run(name+", "+method, func(t *testing.T) {
				t.Parallel()
				w := &world{}
				config := emulator.Config{Observe: w.observe}
				var evil *httptest.Server
				if row.start != nil {
					evil = row.start(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						body, err := io.ReadAll(r.Body)
						t.Errorf("%s %s with %d bytes went elsewhere: %v", r.Method, r.URL, len(body), err)
						rw.WriteHeader(http.StatusBadRequest)
					}))
					t.Cleanup(evil.Close)
					config.Switches.TokenEndpointOrigin = evil.URL
				}
				w.Env = acctest.Start(t, config)
				if evil != nil && evil.TLS != nil { // it would be trusted
					appendCA(t, w.Variables()["TRUSTFRAMEWORK_CA_CERT_FILE"], evil)
				}
				s := signsIn(t, w)
				s.variables["AZURE_REGIONAL_AUTHORITY_NAME"] = row.region
				tf, log := w.signingIn(t, s)
				if o := tf.apply(true); len(o.diagnostics) > 0 {
					t.Errorf("got %v, want none", o.diagnostics)
				}
				if n := len(w.keys("B2C_1A_Signing")); n != 1 {
					t.Errorf("%d keys, want one", n)
				}
				text, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				for _, secret := range s.secrets {
					if strings.Contains(string(text), secret) {
						t.Error("a secret shows in the log")
					}
				}
			})
		}
	}
}

// appendCA lets a CA file vouch for a server.
func appendCA(t *testing.T, name string, s *httptest.Server) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccSignIn_RefusalThatLies: a person reads what is left of the words of a listener in between, on a line, without
// the secret that it had.
func TestAccSignIn_RefusalThatLies(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		description, trace string
		page               bool
		texts              []string
	}{
		"the secret in the words":  {description: "AADSTS7000215: You sent SECRET.", trace: "t", texts: []string{"left out here", "Check client_secret", "Code: AADSTS7000215", "Trace ID: t"}},
		"the secret as code":       {description: "AADSTSSECRET: No.", trace: "SECRET", texts: []string{"left out here"}},
		"the secret in a page":     {description: "<html>SECRET</html>", page: true, texts: []string{"The answer has status 401 and is not Entra ID's", "left out here"}},
		"a faked end":              {description: "AADSTS7000215: No.\x1b[2K\x1b[1A\nApply complete!\u202e", trace: "t\nCode: 0", texts: []string{"AADSTS7000215: No. Apply complete!", "Code: AADSTS7000215"}},
		"a page that fakes an end": {description: "<html>\x1b[2J\rNo changes.</html>", page: true, texts: []string{"It says: <html> No changes.</html>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newRealWorld(t)
			description, trace := strings.ReplaceAll(row.description, "SECRET", w.ClientSecret()), strings.ReplaceAll(row.trace, "SECRET", w.ClientSecret())
			body := []byte(description)
			if !row.page {
				var err error
				if body, err = json.Marshal(map[string]string{"error": "invalid_client", "error_description": description, "trace_id": trace}); err != nil {
					t.Fatal(err)
				}
			}
			w.Inject(emulator.Fault{Op: emulator.OpToken, Status: http.StatusUnauthorized, Body: string(body), ContentType: "application/json"}.Repeat(-1))
			tf, log := w.signingIn(t, setUp{variables: map[string]string{"ARM_CLIENT_ID": w.ClientID(), "ARM_CLIENT_SECRET": w.ClientSecret()}})
			o := tf.apply(false)
			if !o.has("error", "Unable to sign in", row.texts...) {
				t.Errorf("got %v %s, want %q", o.diagnostics, o.stderr, row.texts)
			}
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			for _, not := range []string{w.ClientSecret(), w.ClientSecret()[:12], "\x1b[2K", "\x1b[1A", "\x1b[2J", "\u202e", `\u001b[2`} {
				if strings.Contains(string(text)+o.stdout+o.stderr, not) {
					t.Errorf("%q shows", not)
				}
			}
		})
	}
}
