// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// activeKeyData is a data source that reads a set's active key; arguments are lines of HCL added to it.
func activeKeyData(keySetID string, arguments ...string) string {
	return fmt.Sprintf("data \"trustframework_active_key\" \"read\" {\n  key_set_id = %q\n  %s\n}\n", keySetID, strings.Join(arguments, "\n  "))
}

const activeKeyDataAddress = "data.trustframework_active_key.read"

// TestAccActiveKeyDataSource_AsksTheService: what the rule can't know, as a status that isn't shown.
func TestAccActiveKeyDataSource_AsksTheService(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *int64 { seconds := in(d); return &seconds }
	for name, row := range map[string]struct {
		switches emulator.Switches
		keys     []emulator.KeySpec
		disabled int // the key that is; 0 for none, from 1
		active   int
		want     map[string]any
	}{
		"an undated key": {keys: []emulator.KeySpec{{}}},
		"the newest that has begun": {
			keys: []emulator.KeySpec{{Nbf: at(-2 * time.Hour)}, {Nbf: at(-time.Hour), Exp: at(time.Hour)}, {Nbf: at(time.Hour)}}, active: 1,
			want: map[string]any{
				"nbf": float64(in(-time.Hour)), "activates_at": "2030-01-01T11:00:00Z", "exp": float64(in(time.Hour)), "expires_at": "2030-01-01T13:00:00Z",
			},
		},
		"one before a disabled one": {keys: []emulator.KeySpec{{}, {}}, disabled: 2},
		"a symmetric key":           {switches: emulator.Switches{OctSpelling: "OCT", NumbersAsStrings: true}, keys: []emulator.KeySpec{{Kty: "oct", Use: "enc"}}},
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
			tf := w.inProcess(t, w.Provider()+activeKeyData("signing"))
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			if err := w.CheckRequests(map[emulator.Op]int{emulator.OpGetActiveKey: 1})(nil); err != nil {
				t.Error(err)
			}
			want := shownKey(t, w.keys("B2C_1A_Signing")[row.active], row.want)
			delete(want, "active")
			maps.Copy(want, map[string]any{"key_set_id": "signing", "timeouts": nil})
			if got := tf.state(activeKeyDataAddress); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
}

// TestAccActiveKeyDataSource_OfACertificate shows the certificate, too.
func TestAccActiveKeyDataSource_OfACertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("Signing")
	w.AddKey("Signing", emulator.KeySpec{Certificate: &emulator.CertificateSpec{Subject: "Leaf", NotBefore: start(), NotAfter: start().AddDate(1, 0, 0)}})
	tf := w.inProcess(t, w.Provider()+activeKeyData("Signing"))
	tf.apply(true)
	certificate, _ := tf.state(activeKeyDataAddress)["certificate"].(map[string]any)
	if certificate["subject"] != "CN=Leaf" || certificate["not_after"] != "2031-01-01T12:00:00Z" || certificate["x5t"] != w.keys("B2C_1A_Signing")[0].X5T {
		t.Errorf("got %v", certificate)
	}
}

// TestAccActiveKeyDataSource_MovesWithTime: nothing of the answer outlives the read.
func TestAccActiveKeyDataSource_MovesWithTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("Signing")
	nbf := in(10 * time.Second)
	kids := []string{w.AddKey("Signing", emulator.KeySpec{}), w.AddKey("Signing", emulator.KeySpec{Nbf: &nbf})}
	tf := w.inProcess(t, w.Provider()+activeKeyData("Signing"))
	for _, kid := range kids {
		tf.apply(true)
		if got := tf.state(activeKeyDataAddress)["kid"]; got != kid {
			t.Errorf("got %v, want %s", got, kid)
		}
		w.clock.Advance(10 * time.Second)
	}
}

// TestAccActiveKeyDataSource_Destroy_WithoutAKeyInUse: what can't be read must not keep anybody from destroying.
func TestAccActiveKeyDataSource_Destroy_WithoutAKeyInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keyConfig()+activeKeyData("Signing", "depends_on = [trustframework_generated_key.test]"))
	tf.apply(true)
	w.SetKeyStatus("B2C_1A_Signing", w.keys("B2C_1A_Signing")[0].Kid, false)
	if o := tf.apply(false, "-destroy"); !o.has("error", "Unable to read active key", "names no key") {
		t.Errorf("got %v", o.diagnostics)
	}
	tf.apply(true, "-destroy", "-refresh=false")
}
