// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/graph"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// shapes are what a service may show of the key of a certificate.
func shapes(t *testing.T) map[string]func(c *x509.Certificate) map[string]any {
	t.Helper()
	sum := func(c *x509.Certificate) []byte {
		s := sha1.Sum(c.Raw) //nolint:gosec // x5t is a SHA-1
		return s[:]
	}
	return map[string]func(c *x509.Certificate) map[string]any{
		"x5c": func(c *x509.Certificate) map[string]any {
			return map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(c.Raw)}}
		},
		"x5t": func(c *x509.Certificate) map[string]any {
			return map[string]any{"x5t": base64.RawURLEncoding.EncodeToString(sum(c))}
		},
		"x5t padded": func(c *x509.Certificate) map[string]any {
			return map[string]any{"x5t": base64.URLEncoding.EncodeToString(sum(c))}
		},
		"x5t in base64": func(c *x509.Certificate) map[string]any {
			return map[string]any{"x5t": base64.StdEncoding.EncodeToString(sum(c))}
		},
		"x5t in hex": func(c *x509.Certificate) map[string]any {
			return map[string]any{"x5t": strings.ToUpper(hex.EncodeToString(sum(c)))}
		},
		"the public key": func(c *x509.Certificate) map[string]any {
			n, e := publicKey(t, c)
			return map[string]any{"n": n, "e": e}
		},
		"nothing": func(*x509.Certificate) map[string]any { return map[string]any{"x5c": []string{}} },
	}
}

// TestClient_Upload_AnotherUploadsToo: our answer is lost, and at the same moment another process has uploaded another
// certificate. Ours is found as far as the service shows which is which, and nobody's is taken for it.
func TestClient_Upload_AnotherUploadsToo(t *testing.T) {
	t.Parallel()
	g := newGoods(t)
	for shape, show := range shapes(t) {
		for name, row := range map[string]struct {
			theirs *x509.Certificate
			told   bool // apart
		}{
			"of another key pair":  {g.other, shape != "nothing"},
			"of the same key pair": {g.renewed, shape != "nothing" && shape != "the public key"},
		} {
			for op, in := range g.inputs() {
				if op == emulator.OpUploadSecret {
					continue
				}
				t.Run(shape+"/"+name+"/"+string(op), func(t *testing.T) {
					t.Parallel()
					posted := false
					client := service(func(req *http.Request) (*http.Response, error) {
						keys := []map[string]any{}
						if posted {
							for kid, c := range map[string]*x509.Certificate{"theirs": row.theirs, "ours": g.certificate} {
								key := show(c)
								key["kid"], key["kty"], key["use"] = kid, "RSA", "enc"
								keys = append(keys, key)
							}
						}
						if req.Method == http.MethodPost {
							posted = true
							return reply{status: 504}.answer(req)
						}
						set, err := json.Marshal(map[string]any{"id": "B2C_1A_Test", "keys": keys})
						if err != nil {
							return nil, err
						}
						if req.URL.Path == "/beta/trustFramework/keySets" {
							set = slices.Concat([]byte(`{"value":[`), set, []byte(`]}`))
						}
						return reply{status: 200, body: set}.answer(req)
					}).client(t)
					key, err := client.MakeKey(t.Context(), timeout, in)
					if row.told && (err != nil || key.Kid != "ours" || !key.Recovered) {
						t.Errorf("got %q, %v", key.Kid, err)
					}
					if !row.told && trustframework.KindOf(err) != trustframework.KindSeveral {
						t.Errorf("took %q, %v", key.Kid, err)
					}
				})
			}
		}
	}
}

// TestClient_Upload_Alike: which keys of a set are what an upload would make again, which of those nobody has, and which
// may come of a request that was lost.
func TestClient_Upload_Alike(t *testing.T) {
	t.Parallel()
	g := newGoods(t)
	shown := func(kid string, c *x509.Certificate) trustframework.Key {
		return trustframework.Key{Kid: kid, Kty: "RSA", Use: "enc", X5C: []string{base64.StdEncoding.EncodeToString(c.Raw)}}
	}
	sum := sha1.Sum(g.certificate.Raw) //nolint:gosec // x5t is a SHA-1
	n, e := publicKey(t, g.certificate)
	certificates := trustframework.KeySet{ID: "B2C_1A_Test", Keys: []trustframework.Key{
		shown("mine", g.certificate), shown("again", g.certificate), shown("renewed", g.renewed), shown("other", g.other),
		{Kid: "thumbprint", Kty: "RSA", X5T: base64.RawURLEncoding.EncodeToString(sum[:])},
		{Kid: "public", Kty: "RSA", N: n, E: e},
		{Kid: "bare", Kty: "RSA"},
		{Kid: "secret", Kty: "oct"},
	}}
	nbf, exp := ptr(int64(1893456000)), ptr(int64(1956528000))
	secrets := trustframework.KeySet{ID: "B2C_1A_Test", Keys: []trustframework.Key{
		{Kid: "mine", Kty: "oct", Use: "sig", Nbf: nbf, Exp: exp},
		{Kid: "dated", Kty: "oct", Use: "sig", Nbf: nbf, Exp: exp},
		{Kid: "forever", Kty: "oct", Use: "sig", Nbf: nbf},
		{Kid: "encrypts", Kty: "oct", Use: "enc", Nbf: nbf, Exp: exp},
		{Kid: "undated", Kty: "oct", Use: "sig"},
		{Kid: "RSA", Kty: "RSA", Use: "sig", Nbf: nbf, Exp: exp},
	}}
	inputs := g.inputs()
	for name, row := range map[string]struct {
		set                  trustframework.KeySet
		in                   trustframework.KeyInput
		alike, unowned, late string
	}{
		"a certificate": {certificates, inputs[emulator.OpUploadCertificate], "mine again thumbprint", "again thumbprint", "again thumbprint public bare"},
		"a file":        {certificates, inputs[emulator.OpUploadPKCS12], "mine again thumbprint", "again thumbprint", "again thumbprint public bare"},
		"a dated secret": {
			secrets, trustframework.UploadSecretInput{KeySetID: "Test", Use: "sig", Secret: g.secret, Nbf: nbf, Exp: exp}, "mine dated", "dated", "dated",
		},
		// Nothing tells an older one from the one asked for.
		"an undated secret": {secrets, trustframework.UploadSecretInput{KeySetID: "Test", Use: "sig", Secret: g.secret}, "", "", "undated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := service(func(*http.Request) (*http.Response, error) { return nil, errBroken }).client(t)
			client.Hold("Test", "mine")
			asked := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
			for what, got := range map[string][2]string{
				"alike":       {strings.Join(trustframework.Alike(row.set, row.in), " "), row.alike},
				"unowned":     {strings.Join(client.Unowned(row.set, row.in), " "), row.unowned},
				"late":        {strings.Join(client.Late(row.set, row.in, asked, nil), " "), row.late},
				"late, known": {strings.Join(client.Late(row.set, row.in, asked, strings.Fields(row.late)), " "), ""},
			} {
				if got[0] != got[1] {
					t.Errorf("%s: %q, want %q", what, got[0], got[1])
				}
			}
		})
	}
}

// TestClient_Upload_NoSecretInErrorsAndLogs: a service that repeats what it was sent, in any answer, finds no way into an
// error or the client's log.
func TestClient_Upload_NoSecretInErrorsAndLogs(t *testing.T) {
	t.Parallel()
	g := newGoods(t)
	inputs := g.inputs()
	for name, row := range map[string]struct {
		statuses []int // of the POSTs
		odd      bool  // the answer is no error's, and can't be read
		kind     trustframework.Kind
	}{
		"refused":                   {statuses: []int{400}, kind: trustframework.KindRefused},
		"denied":                    {statuses: []int{403}, kind: trustframework.KindDenied},
		"failed always":             {statuses: []int{500}, kind: trustframework.KindUnknownOutcome},
		"failed, then refused":      {statuses: []int{500, 400}, kind: trustframework.KindUnknownOutcome},
		"failed, then denied":       {statuses: []int{503, 403}, kind: trustframework.KindUnknownOutcome},
		"answered what can't be so": {statuses: []int{200}, odd: true, kind: trustframework.KindUnknownOutcome},
		"throttled":                 {statuses: []int{429}, kind: trustframework.KindThrottled},
	} {
		for op, secret := range map[emulator.Op]string{
			emulator.OpUploadSecret: g.secret, emulator.OpUploadPKCS12: base64.StdEncoding.EncodeToString(g.file),
		} {
			t.Run(name+"/"+string(op), func(t *testing.T) {
				t.Parallel()
				said, _ := json.Marshal(map[string]any{"error": map[string]any{"code": "AADB2C90136", "message": "'k' has the value '" + secret + "', " + g.password}})
				if row.odd {
					said, _ = json.Marshal(map[string]any{"kid": "new", "nbf": secret})
				}
				statuses := row.statuses
				repeating := service(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodGet {
						return reply{status: 200, body: []byte(`{"id":"B2C_1A_Test","keys":[]}`)}.answer(req)
					}
					answer := reply{status: statuses[0], body: said}
					statuses = statuses[min(1, len(statuses)-1):]
					return answer.answer(req)
				})
				var log bytes.Buffer
				logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
				clock := clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
				adapter, err := graph.NewAdapter(graph.Config{Endpoint: "https://graph.test", Credential: repeating, Transport: repeating, Clock: clock, Logger: logger})
				if err != nil {
					t.Fatal(err)
				}
				client := trustframework.New(trustframework.Config{Adapter: adapter, Clock: clock, SettleTime: settleTime, Logger: logger})
				_, err = client.MakeKey(t.Context(), timeout, inputs[op])
				if kind := trustframework.KindOf(err); kind != row.kind {
					t.Errorf("got %v", kind)
				}
				if log.Len() == 0 {
					t.Error("nothing was logged")
				}
				words := []string{log.String(), err.Error()}
				for e := err; e != nil; e = errors.Unwrap(e) {
					words = append(words, e.Error())
				}
				for _, text := range words {
					for _, part := range []string{secret[8:24], g.password[:8]} {
						if strings.Contains(text, part) {
							t.Errorf("%q is repeated", part)
						}
					}
				}
				if !row.odd && !strings.Contains(err.Error(), redact.Concealed) {
					t.Errorf("the error doesn't say what it leaves out: %v", err)
				}
			})
		}
	}
}
