// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// shownKey is how a data source shows a key that has no dates, no status and no certificate, with changes.
func shownKey(t *testing.T, k emulator.Key, changes map[string]any) map[string]any {
	t.Helper()
	shown := map[string]any{
		"kid": k.Kid, "kty": k.Kty, "use": k.Use, "status": nil, "nbf": nil, "exp": nil, "activates_at": nil, "expires_at": nil,
		"n": nil, "e": nil, "public_key_pem": nil, "public_key_jwk": nil, "certificate": nil, "active": false,
	}
	if k.Kty == "RSA" {
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil || k.E != "AQAB" {
			t.Fatalf("n %s, e %s: %v", k.N, k.E, err)
		}
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		shown["n"], shown["e"] = k.N, k.E
		shown["public_key_pem"] = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		shown["public_key_jwk"] = fmt.Sprintf(`{"kid":%q,"kty":"RSA","use":%q,"n":%q,"e":"AQAB"}`, k.Kid, k.Use, k.N)
		if len(k.X5C) > 0 {
			shown["public_key_jwk"] = strings.TrimSuffix(fmt.Sprint(shown["public_key_jwk"]), "}") +
				fmt.Sprintf(`,"x5c":["%s"],"x5t":%q}`, strings.Join(k.X5C, `","`), k.X5T)
		}
	}
	maps.Copy(shown, changes)
	return shown
}

// keySetData is a data source that reads a key set; arguments are lines of HCL added to it.
func keySetData(name string, arguments ...string) string {
	return fmt.Sprintf("data \"trustframework_key_set\" \"read\" {\n  name = %q\n  %s\n}\n", name, strings.Join(arguments, "\n  "))
}

const keySetDataAddress = "data.trustframework_key_set.read"

func TestAccKeySetDataSource_ShowsEverything(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *int64 { seconds := in(d); return &seconds }
	from := time.Date(2029, 2, 3, 4, 5, 6, 0, time.UTC)
	certificate := func(issuer string) *emulator.CertificateSpec {
		return &emulator.CertificateSpec{Subject: "Leaf", Issuer: issuer, NotBefore: from, NotAfter: from.AddDate(2, 0, 0)}
	}
	leaf := func(t *testing.T, k emulator.Key, issuer string) map[string]any {
		t.Helper()
		der, err := base64.StdEncoding.DecodeString(k.X5C[0])
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(der)
		return map[string]any{
			"subject": "CN=Leaf", "issuer": "CN=" + issuer, "serial_number": parsed.SerialNumber.String(),
			"not_before": "2029-02-03T04:05:06Z", "not_after": "2031-02-03T04:05:06Z",
			"x5t": k.X5T, "x5t_s256": base64.RawURLEncoding.EncodeToString(sum[:]),
			"pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		}
	}
	dates := map[string]any{
		"nbf": float64(in(-time.Hour)), "activates_at": "2030-01-01T11:00:00Z", "exp": float64(in(time.Hour)), "expires_at": "2030-01-01T13:00:00Z", "active": true,
	}
	for name, row := range map[string]struct {
		switches emulator.Switches
		keys     []emulator.KeySpec
		disabled int // the key that is; 0 for none, from 1
		want     func(t *testing.T, keys []emulator.Key) []any
		reads    int
	}{
		"no keys": {
			want:  func(*testing.T, []emulator.Key) []any { return []any{} },
			reads: 1, // a listing of empty sets only may be one without keys
		},
		"an undated and a dated key": {
			keys: []emulator.KeySpec{{}, {Nbf: at(-time.Hour), Exp: at(time.Hour)}},
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{shownKey(t, k[0], nil), shownKey(t, k[1], dates)}
			},
		},
		"dates in strings, OCT": {
			switches: emulator.Switches{NumbersAsStrings: true, OctSpelling: "OCT"},
			keys:     []emulator.KeySpec{{Kty: "oct", Use: "enc", Nbf: at(-time.Hour), Exp: at(time.Hour)}, {Kty: "oct", Use: "enc"}},
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{shownKey(t, k[0], dates), shownKey(t, k[1], nil)}
			},
		},
		"keys that aren't in use": {
			keys: []emulator.KeySpec{{Nbf: at(time.Hour)}, {Exp: at(-time.Hour)}},
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{
					shownKey(t, k[0], map[string]any{"nbf": float64(in(time.Hour)), "activates_at": "2030-01-01T13:00:00Z"}),
					shownKey(t, k[1], map[string]any{"exp": float64(in(-time.Hour)), "expires_at": "2030-01-01T11:00:00Z"}),
				}
			},
		},
		"statuses in the listing": {
			switches: emulator.Switches{StatusInListing: true},
			keys:     []emulator.KeySpec{{}, {}},
			disabled: 2,
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{
					shownKey(t, k[0], map[string]any{"status": "enabled", "active": true}),
					shownKey(t, k[1], map[string]any{"status": "disabled"}),
				}
			},
		},
		"no statuses in the listing": {
			keys:     []emulator.KeySpec{{}, {}},
			disabled: 2,
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{shownKey(t, k[0], nil), shownKey(t, k[1], map[string]any{"active": true})}
			},
		},
		"certificates": {
			keys: []emulator.KeySpec{{Certificate: certificate("")}, {Certificate: certificate("Authority"), Exp: at(-time.Hour)}},
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{
					shownKey(t, k[0], map[string]any{"certificate": leaf(t, k[0], "Leaf"), "active": true}),
					shownKey(t, k[1], map[string]any{
						"certificate": leaf(t, k[1], "Authority"), "exp": float64(in(-time.Hour)), "expires_at": "2030-01-01T11:00:00Z",
					}),
				}
			},
		},
		"a listing without keys": {
			switches: emulator.Switches{ListWithoutKeys: true},
			keys:     []emulator.KeySpec{{}},
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{shownKey(t, k[0], map[string]any{"active": true})}
			},
			reads: 1,
		},
		"no listing": {
			switches: emulator.Switches{ListRefused: true},
			keys:     []emulator.KeySpec{{}},
			want: func(t *testing.T, k []emulator.Key) []any {
				t.Helper()
				return []any{shownKey(t, k[0], map[string]any{"active": true})}
			},
			reads: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.SetRoles(emulator.RoleRead) // no more is needed
			w.AddKeySet("Signing")
			for i, k := range row.keys {
				kid := w.AddKey("Signing", k)
				if i+1 == row.disabled {
					w.SetKeyStatus("Signing", kid, false)
				}
			}
			tf := w.inProcess(t, w.Provider()+keySetData("signing"))
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			wantRequests := map[emulator.Op]int{emulator.OpList: 1}
			if row.reads > 0 {
				wantRequests[emulator.OpGet] = row.reads
			}
			if err := w.CheckRequests(wantRequests)(nil); err != nil {
				t.Error(err)
			}
			got := tf.state(keySetDataAddress)
			want := row.want(t, w.keys("B2C_1A_Signing"))
			if got["id"] != "B2C_1A_Signing" || got["name"] != "signing" || !reflect.DeepEqual(got["keys"], want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
			jwks := []string{}
			for _, k := range want {
				if jwk, ok := k.(map[string]any)["public_key_jwk"].(string); ok {
					jwks = append(jwks, jwk)
				}
			}
			if document := `{"keys":[` + strings.Join(jwks, ",") + `]}`; got["jwks"] != document {
				t.Errorf("jwks %v, want %s", got["jwks"], document)
			}
			if _, changes := tf.plan(); changes {
				t.Error("the plan has changes")
			}
		})
	}
}

// TestAccKeySetDataSource_UnreadableParts_AreWarnings: the key itself is there all the same.
func TestAccKeySetDataSource_UnreadableParts_AreWarnings(t *testing.T) {
	t.Parallel()
	certificate := func(changes map[string]any) map[string]any {
		facts := map[string]any{"subject": nil, "issuer": nil, "serial_number": nil, "not_before": nil, "not_after": nil, "x5t": nil, "x5t_s256": nil, "pem": nil}
		maps.Copy(facts, changes)
		return facts
	}
	for name, row := range map[string]struct {
		members string // of the key on the wire
		summary string // "" for no warning
		want    map[string]any
		x5t     string // in the JWKS
	}{
		"certificate that is none": {
			`"n":"AQAB","e":"AQAB","x5c":["AAAA"],"x5t":"thumb"`, "Unable to show certificate",
			map[string]any{"n": "AQAB", "certificate": certificate(map[string]any{"x5t": "thumb"})}, "",
		},
		"thumbprint without a certificate": {
			`"n":"AQAB","e":"AQAB","x5c":null,"x5t":"thumb"`, "",
			map[string]any{"n": "AQAB", "certificate": certificate(map[string]any{"x5t": "thumb"})}, `,"x5t":"thumb"`,
		},
		"no certificate, by null":      {`"n":"AQAB","e":"AQAB","x5c":null,"x5t":null`, "", map[string]any{"n": "AQAB", "certificate": nil}, ""},
		"no certificate, by absence":   {`"n":"AQAB","e":"AQAB"`, "", map[string]any{"n": "AQAB", "certificate": nil}, ""},
		"no certificate, by emptiness": {`"n":"AQAB","e":"AQAB","x5c":[],"x5t":""`, "", map[string]any{"n": "AQAB", "certificate": nil}, ""},
		"modulus that is none":         {`"n":"?","e":"AQAB"`, "Unable to show public key", map[string]any{"n": "?", "public_key_pem": nil, "public_key_jwk": nil}, ""},
		"exponent of nothing":          {`"n":"AQAB","e":"AA"`, "Unable to show public key", map[string]any{"e": "AA", "public_key_pem": nil, "public_key_jwk": nil}, ""},
		"no exponent":                  {`"n":"AQAB"`, "", map[string]any{"e": nil, "public_key_pem": nil, "public_key_jwk": nil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.Inject(emulator.Fault{
				Op: emulator.OpList, Status: 200, ContentType: "application/json", Times: -1,
				Body: `{"value":[{"id":"B2C_1A_Signing","keys":[{"kid":"K","kty":"RSA","use":"sig",` + row.members + `}]}]}`,
			})
			tf := w.inProcess(t, w.Provider()+keySetData("Signing"))
			o := tf.apply(true)
			if row.summary != "" && !o.has("warning", row.summary, "B2C_1A_Signing/K") || row.summary == "" && len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			state := tf.state(keySetDataAddress)
			keys, ok := state["keys"].([]any)
			if !ok || len(keys) != 1 {
				t.Fatalf("keys %v", state["keys"])
			}
			got, _ := keys[0].(map[string]any)
			for attribute, want := range row.want {
				if !reflect.DeepEqual(got[attribute], want) {
					t.Errorf("%s is %v, want %v", attribute, got[attribute], want)
				}
			}
			// What a strict reader would refuse isn't in it.
			want := `{"keys":[]}`
			if got["public_key_jwk"] != nil {
				want = `{"keys":[{"kid":"K","kty":"RSA","use":"sig","n":"AQAB","e":"AQAB"` + row.x5t + `}]}`
			}
			if state["jwks"] != want {
				t.Errorf("jwks %v, want %s", state["jwks"], want)
			}
		})
	}
}

func TestAccKeySetDataSource_Spelling_OfTheName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Signing", "B2C_1A_Signing", "signing", "b2c_1a_SIGNING"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("Signing")
			tf := w.inProcess(t, w.Provider()+keySetData(name))
			tf.apply(true)
			if got := tf.state(keySetDataAddress); got["id"] != "B2C_1A_Signing" || got["name"] != name || got["jwks"] != `{"keys":[]}` {
				t.Errorf("got %v", got)
			}
		})
	}
}
