// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// echoSecret is a secret that the process knows, and what makes it send it.
type echoSecret struct {
	// resource is what is made while the answers repeat the secret, with config.
	resource string
	config   map[string]string
	// prepare returns the secret in a world and the provider's variables that it takes. The secret is nil if it is made as
	// the provider runs: then it isn't fixed, and told finds it in a request.
	prepare func(t *testing.T, w *world) (value []byte, variables map[string]string)
	fixed   bool
	told    func(req *http.Request, form url.Values) string
	// signsIn: Entra ID knows it.
	signsIn bool
}

// signature is what is secret in a token.
func signature(token string) string { return token[strings.LastIndex(token, ".")+1:] }

// echoSecrets are all there are, made once: keys take a while. The proxy's password is another test's, since proxies are the
// process's.
func echoSecrets(t *testing.T) map[string]echoSecret {
	t.Helper()
	uploaded, password := newCanary(t, "uploaded secret").whole, newCanary(t, "password")
	fileText := newCanaryFile(t).in(t, pkcs12.LegacyDES, password)
	file, err := base64.StdEncoding.DecodeString(fileText)
	if err != nil {
		t.Fatal(err)
	}
	upload := map[string]string{"key_set_id": "B2C_1A_Signing", "pkcs12_wo": fileText, "password_wo": password.text()}
	certificate := newClientCertificate(t, time.Hour)
	certificateFile := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(certificateFile, []byte(certificate.pem(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	always := func(value []byte) func(*testing.T, *world) ([]byte, map[string]string) {
		return func(*testing.T, *world) ([]byte, map[string]string) { return value, nil }
	}
	return map[string]echoSecret{
		"client secret": {signsIn: true, fixed: true, prepare: func(_ *testing.T, w *world) ([]byte, map[string]string) {
			return []byte(w.ClientSecret()), nil
		}},
		"certificate's assertion": {
			signsIn: true,
			prepare: func(_ *testing.T, w *world) ([]byte, map[string]string) {
				w.AddCertificate(certificate.certificate)
				return nil, map[string]string{"ARM_CLIENT_SECRET": "", "ARM_CLIENT_CERTIFICATE_PATH": certificateFile}
			},
			told: func(_ *http.Request, form url.Values) string { return signature(form.Get("client_assertion")) },
		},
		"ID token": {signsIn: true, fixed: true, prepare: func(t *testing.T, w *world) ([]byte, map[string]string) {
			t.Helper()
			issuer := w.NewIssuer(t, "https://issuer.example.test")
			w.AddFederatedCredential(emulator.FederatedCredential{Issuer: issuer.URL, Subject: "terraform", Audience: acctest.ExchangeAudience})
			token := issuer.Token("terraform", acctest.ExchangeAudience)
			return []byte(signature(token)), map[string]string{"ARM_CLIENT_SECRET": "", "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": token}
		}},
		"access token": {prepare: always(nil), told: func(req *http.Request, _ url.Values) string {
			return signature(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
		}},
		"uploaded secret": {
			prepare: always(uploaded), fixed: true, resource: "trustframework_uploaded_secret",
			config: map[string]string{"key_set_id": "B2C_1A_Signing", "use": "sig", "secret_wo": string(uploaded)},
		},
		"file":           {prepare: always(file), fixed: true, resource: "trustframework_uploaded_pkcs12", config: upload},
		"file in base64": {prepare: always([]byte(fileText)), fixed: true, resource: "trustframework_uploaded_pkcs12", config: upload},
		"password":       {prepare: always(password.whole), fixed: true, resource: "trustframework_uploaded_pkcs12", config: upload},
	}
}

// TestCanaryEcho: whatever secret of the process an answer repeats, wherever and however, none of it is said, logged or
// kept. Each secret in each place is written in some of the spellings, and all of them take their turn; package redact
// tries all of them.
func TestCanaryEcho(t *testing.T) {
	t.Parallel()
	secrets, places := echoSecrets(t), echoPlaces()
	turn := 0
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		secret := secrets[name]
		for _, where := range slices.Sorted(maps.Keys(places)) {
			place := places[where]
			turn++
			spellings := someSpellings(turn)
			if place.signsIn && (!secret.signsIn || place.reads && !secret.fixed) || place.reads && secret.resource != "" {
				continue // nobody has heard it by then
			}
			t.Run(name+"/"+where, func(t *testing.T) {
				t.Parallel()
				if secret.signsIn && !secret.fixed {
					// An assertion has the system's time, which doesn't move as a world's does.
					for spelling, write := range spellings {
						echoes(t, secret, place, map[string]func([]byte) string{spelling: write})
					}
					return
				}
				echoes(t, secret, place, spellings)
			})
		}
	}
}

// someSpellings are a part of all spellings, another one at each turn.
func someSpellings(turn int) map[string]func([]byte) string {
	const parts = 6
	all := echoSpellings()
	some := map[string]func([]byte) string{}
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if i%parts == turn%parts {
			some[name] = all[name]
		}
	}
	return some
}

// echoes has a provider's answers repeat a secret in a place, in the spellings given.
func echoes(t *testing.T, secret echoSecret, place echoPlace, spellings map[string]func([]byte) string) {
	t.Helper()
	// Assertions are made by the system's time, which moves on while the world's stands.
	w := newWorldAt(t, clock.Real{}.Now().Add(time.Minute), emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	value, more := secret.prepare(t, w)
	told := secret.told
	if told == nil {
		told = func(*http.Request, url.Values) string { return "" }
	}
	e := &echo{place: place, secret: value, told: told}
	variables := w.Variables()
	maps.Copy(variables, more)
	login := e.authority(t, w.Server)
	authorities := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authorities, append(w.Server.CAPEM(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: login.Certificate().Raw})...), 0o600); err != nil {
		t.Fatal(err)
	}
	variables["AZURE_AUTHORITY_HOST"], variables["TRUSTFRAMEWORK_CA_CERT_FILE"] = login.URL, authorities
	variables["TRUSTFRAMEWORK_SETTLE_TIME"] = "1s"
	s := newServerWith(t, w, variables, func(next http.RoundTripper) http.RoundTripper { e.graph = next; return e })
	if _, said := s.data("trustframework_key_sets", nil); len(said) > 0 && !place.signsIn {
		t.Fatal(said) // from here on it is signed in: what is echoed was sent
	}
	log := &syncBuffer{}
	s.ProviderServer = loggedServer{ProviderServer: s.ProviderServer, log: log}
	for spelling, write := range spellings {
		if place.signsIn {
			s.configure()
		}
		w.clock.Advance(2 * time.Minute) // what was read is old by now
		e.begin(write)
		log.Reset()
		var left bytes.Buffer
		var said said
		if place.reads {
			state, diagnostics := s.data("trustframework_key_set", map[string]string{"name": "Signing"})
			if said = diagnostics; state != nil {
				left.Write(state.MsgPack)
			}
		} else {
			resource, config := secret.resource, secret.config
			if resource == "" {
				resource, config = keyType, signingKey()
			}
			var after managed
			if after, said = s.apply(resource, managed{}, config); after.state != nil {
				left.Write(after.state.MsgPack)
				left.Write(after.private)
			}
		}
		echoed, sent := e.end()
		c := canary{name: "secret", pieces: [][]byte{middle(echoed)}}
		searcher := newSearcher([]canary{c})
		if found := (map[leak]bool{}); searcher.in("wire", bytes.NewReader(sent), found) != nil || len(found) == 0 {
			t.Errorf("spelled as %s, the echo isn't found where it must be, in what was answered: %q\n%v", spelling, sent, said)
		}
		journal, err := json.Marshal(w.Server.Journal())
		if err != nil {
			t.Fatal(err)
		}
		for at, text := range map[string][]byte{"what is said": []byte(said.String()), "the state": left.Bytes(), "the log": log.Bytes(), "the journal": journal} {
			found := map[leak]bool{}
			if err := searcher.in(at, bytes.NewReader(text), found); err != nil {
				t.Fatal(err)
			}
			for l := range found {
				t.Errorf("echoed as %s, a part of the secret is in %s, as %s", spelling, l.place, l.spelling)
			}
		}
		if !place.signsIn && !bytes.Contains(log.Bytes(), []byte("@level")) {
			t.Errorf("spelled as %s, there is no log to look into", spelling)
		}
	}
}

// begin echoes from now on, or no more.
func (e *echo) begin(write func([]byte) string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.write = write
	e.sent.Reset()
}

// end returns the secret that was echoed last, and all echoes since they began.
func (e *echo) end() (secret, sent []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.write = nil
	if e.echoed == nil {
		return []byte(rand.Text()), nil
	}
	return e.echoed, bytes.Clone(e.sent.Bytes())
}
