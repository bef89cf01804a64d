// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_Upload_WhatIsSent: the secret as plain text, the rest in base64, and nothing else. The answer is the
// documented example, which is that of a secret whatever was uploaded.
func TestClient_Upload_WhatIsSent(t *testing.T) {
	t.Parallel()
	g := newGoods(t)
	der, file := base64.StdEncoding.EncodeToString(g.certificate.Raw), base64.StdEncoding.EncodeToString(g.file)
	inputs := g.inputs()
	dated := trustframework.UploadSecretInput{KeySetID: "Test", Use: "sig", Secret: "s", Nbf: ptr(int64(1893456000)), Exp: ptr(int64(1956528000))}
	for name, row := range map[string]struct {
		in     trustframework.KeyInput
		action string
		body   map[string]any
		kty    string
	}{
		"a secret": {inputs[emulator.OpUploadSecret], "uploadSecret", map[string]any{"use": "enc", "k": g.secret}, "oct"},
		"a secret with dates": {
			dated, "uploadSecret", map[string]any{"use": "sig", "k": "s", "nbf": 1893456000.0, "exp": 1956528000.0}, "oct",
		},
		"a certificate": {inputs[emulator.OpUploadCertificate], "uploadCertificate", map[string]any{"key": der}, "RSA"},
		"a file":        {inputs[emulator.OpUploadPKCS12], "uploadPkcs12", map[string]any{"key": file, "password": g.password}, "RSA"},
	} {
		for _, spelling := range []string{"oct", "OCT"} {
			t.Run(name+"/"+spelling, func(t *testing.T) {
				t.Parallel()
				posts := 0
				client := service(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodGet {
						return reply{status: 200, body: []byte(`{"id":"B2C_1A_Test","keys":[]}`)}.answer(req)
					}
					posts++
					text, err := io.ReadAll(req.Body)
					if err != nil {
						return nil, err
					}
					var body map[string]any
					if err := json.Unmarshal(text, &body); err != nil || !maps.Equal(body, row.body) {
						t.Errorf("sent %s, want %v", text, row.body)
					}
					if want := "/beta/trustFramework/keySets/B2C_1A_Test/" + row.action; req.URL.Path != want {
						t.Errorf("sent to %s, want %s", req.URL.Path, want)
					}
					return reply{status: 200, body: []byte(`{"kid":"new","use":"enc","kty":"` + spelling + `","nbf":null,"exp":null,"x5c":[]}`)}.answer(req)
				}).client(t)
				key, err := client.MakeKey(t.Context(), timeout, row.in)
				var n, e string
				if row.kty == "RSA" {
					n, e = publicKey(t, g.certificate)
				}
				if err != nil || posts != 1 || key.Kid != "new" || key.Kty != row.kty || key.N != n || key.E != e {
					t.Errorf("%d requests, key %+v, %v", posts, key, err)
				}
			})
		}
	}
}

// TestClient_Upload_ExactlyOnce is what TestClient_GenerateKey_ExactlyOnce is for the uploads, in a set with a neighbor
// that is none of theirs. The service takes a certificate twice here.
func TestClient_Upload_ExactlyOnce(t *testing.T) {
	t.Parallel()
	for op, in := range newGoods(t).inputs() {
		for name, row := range map[string]struct {
			faults            []emulator.Fault
			kind              trustframework.Kind // "" for a key
			keys, posts       int
			recovered, resent bool
		}{
			"clear":                             {keys: 1, posts: 1},
			"not sent: 429":                     {faults: []emulator.Fault{emulator.Throttled(op, "2.128")}, keys: 1, posts: 2},
			"found: 504":                        {faults: []emulator.Fault{emulator.GatewayTimeout(op)}, keys: 1, posts: 1, recovered: true},
			"found: connection cut":             {faults: []emulator.Fault{emulator.CutAfterCommit(op)}, keys: 1, posts: 1, recovered: true},
			"found: half":                       {faults: []emulator.Fault{emulator.HalfAnswer(op)}, keys: 1, posts: 1, recovered: true},
			"found: empty answer":               {faults: []emulator.Fault{emulator.EmptyAnswer(op)}, keys: 1, posts: 1, recovered: true},
			"found: visible within settle time": {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(50 * time.Second)}, keys: 1, posts: 1, recovered: true},
			"found: worked on late":             {faults: []emulator.Fault{emulator.CommitsLate(op, 30*time.Second)}, keys: 1, posts: 1, recovered: true},
			"sent again: 503":                   {faults: []emulator.Fault{emulator.Unavailable(op)}, keys: 1, posts: 2, resent: true},
			"sent again: 500":                   {faults: []emulator.Fault{emulator.ServiceProblem(op)}, keys: 1, posts: 2, resent: true},
			"sent again: cut before work":       {faults: []emulator.Fault{emulator.CutBeforeWork(op)}, keys: 1, posts: 2, resent: true},
			"sent again, then found":            {faults: []emulator.Fault{emulator.Unavailable(op), emulator.GatewayTimeout(op)}, keys: 1, posts: 2, recovered: true, resent: true},
			"unknown: nothing ever seen":        {faults: []emulator.Fault{emulator.Unavailable(op).Repeat(-1)}, kind: trustframework.KindUnknownOutcome, posts: 4},
			"several: both appear": {
				faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(70 * time.Second), emulator.GatewayTimeout(op).WithLag(9 * time.Second)},
				kind:   trustframework.KindSeveral, keys: 2, posts: 2,
			},
		} {
			t.Run(string(op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{DuplicateKeys: true})
				w.AddKeySet("B2C_1A_Test")
				for _, f := range row.faults {
					w.Inject(f)
				}
				key, err := w.client.MakeKey(t.Context(), timeout, in)
				if kind := trustframework.KindOf(err); kind != row.kind || (err == nil) != (row.kind == "") {
					t.Fatalf("error %v, want kind %q", err, row.kind)
				}
				if keys, posts := w.keys("B2C_1A_Test"), w.count(op); keys != row.keys || posts != row.posts {
					t.Errorf("%d keys, want %d; %d POSTs, want %d", keys, row.keys, posts, row.posts)
				}
				if key.Recovered != row.recovered || key.Resent != row.resent || len(key.Twins) > 0 {
					t.Errorf("recovered %t, resent %t, twins %q", key.Recovered, key.Resent, key.Twins)
				}
			})
		}
	}
}

// TestClient_Upload_SecretProblem: the service fails on uploadSecret as it was observed to, whether it has done its work
// or not.
func TestClient_Upload_SecretProblem(t *testing.T) {
	t.Parallel()
	outcomes := map[bool]bool{}
	for _, name := range []string{"A", "B", "C", "D", "E", "F", "G", "H"} {
		w := newWorld(t, emulator.Switches{UploadSecretProblem: true})
		w.AddKeySet("B2C_1A_" + name)
		key, err := w.client.MakeKey(t.Context(), timeout, trustframework.UploadSecretInput{KeySetID: name, Use: "sig", Secret: "s"})
		if err != nil || w.keys("B2C_1A_"+name) != 1 || key.Recovered == key.Resent {
			t.Errorf("%s: recovered %t, resent %t, %v; %d keys", name, key.Recovered, key.Resent, err, w.keys("B2C_1A_"+name))
		}
		outcomes[key.Recovered] = true
	}
	if len(outcomes) != 2 {
		t.Errorf("only one of the two: %v", outcomes)
	}
}

// TestClient_Upload_HeldCertificate: what a refusal means that says the set holds the certificate.
func TestClient_Upload_HeldCertificate(t *testing.T) {
	t.Parallel()
	g := newGoods(t)
	for op, in := range g.inputs() {
		if op == emulator.OpUploadSecret {
			continue
		}
		for name, row := range map[string]struct {
			held   bool // by a key that stands in the set
			faults []emulator.Fault
			kind   trustframework.Kind
			posts  int
			worked bool // a request before the refusal may have been
		}{
			"it was there":            {held: true, kind: trustframework.KindExists, posts: 1},
			"ours, and shows late":    {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(100 * time.Second)}, posts: 2},
			"ours, worked on late":    {faults: []emulator.Fault{emulator.CommitsLate(op, 61*time.Second), emulator.Unavailable(op)}, posts: 2},
			"ours, and doesn't show":  {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(time.Hour)}, kind: trustframework.KindExists, posts: 2, worked: true},
			"ours, by a third answer": {faults: []emulator.Fault{emulator.GatewayTimeout(op).WithLag(150 * time.Second), emulator.Unavailable(op)}, posts: 3},
		} {
			t.Run(string(op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, emulator.Switches{})
				w.AddKeySet("B2C_1A_Test")
				var kids []string
				if row.held {
					key, err := w.newClient(t).MakeKey(t.Context(), timeout, g.inputs()[emulator.OpUploadCertificate])
					if err != nil {
						t.Fatal(err)
					}
					kids = []string{key.Kid}
					w.ResetJournal()
				}
				for _, f := range row.faults {
					w.Inject(f)
				}
				key, err := w.client.MakeKey(t.Context(), timeout, in)
				if kind := trustframework.KindOf(err); kind != row.kind || err == nil && !key.Recovered {
					t.Fatalf("recovered %t, %v", key.Recovered, err)
				}
				var e *trustframework.Error
				if errors.As(err, &e) && (e.Worked != row.worked || !slices.Equal(e.Candidates, kids) || e.Code != "AADB2C90180") {
					t.Errorf("%v: worked %t, candidates %q", err, e.Worked, e.Candidates)
				}
				if keys, posts := w.keys("B2C_1A_Test"), w.count(op); keys != 1 || posts != row.posts {
					t.Errorf("%d keys, %d POSTs", keys, posts)
				}
			})
		}
	}
}
