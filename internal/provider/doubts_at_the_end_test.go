// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_KeyRotation_EndsInDoubt: the plan that ends a rotation, or moves it to another set, names a request that is still in
// doubt, and each key that may have come of it since.
func TestProtocol_KeyRotation_EndsInDoubt(t *testing.T) {
	t.Parallel()
	for name, moved := range map[string]bool{"destroyed": false, "moved to another set": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			w.AddKeySet("B2C_1A_Other")
			s := newServer(t, w)
			config := rotationSettings{rotation: 90, delay: 1, overlap: 30, net: true}.config()
			made, said := s.apply("trustframework_key_rotation", managed{}, config)
			if said.failed() {
				t.Fatal(said)
			}
			w.clock.Advance(90 * day)
			w.Inject(emulator.GatewayTimeout(emulator.OpGenerateKey).WithLag(3 * time.Hour).Repeat(4))
			made, _ = s.refresh(made)
			if made, said = s.apply("trustframework_key_rotation", made, config); !said.failed() {
				t.Fatalf("got %v, want an unknown outcome", said)
			}
			end := maps.Clone(config)
			end["key_set_id"] = "Other"
			if !moved {
				end = nil
			}
			summaries := func() string {
				t.Helper()
				_, planned, err := s.plan(made, end)
				if err != nil {
					t.Fatal(err)
				}
				var all []string
				for _, d := range planned.Diagnostics {
					all = append(all, d.Summary)
				}
				return strings.Join(all, "\n")
			}
			if got, want := summaries(), `A key of a lost request may still appear in key set "B2C_1A_Signing"`; !strings.Contains(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			w.clock.Advance(4 * time.Hour)
			got := summaries()
			for _, k := range w.keys("B2C_1A_Signing")[2:] {
				if want := fmt.Sprintf("Key %q may belong to a lost request", "B2C_1A_Signing/"+k.Kid); !strings.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// TestProtocol_Import_OfManyKeys lists some of them, and says how many more there are.
func TestProtocol_Import_OfManyKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	for range 30 {
		w.AddKey("B2C_1A_Signing", emulator.KeySpec{Kty: "oct", Use: "sig"})
	}
	_, _, errors := newServer(t, w).importResource(keyType, "Signing", nil)
	if n := strings.Count(errors, "terraform import"); n != 20 || !strings.Contains(errors, "There are 10 more.") {
		t.Errorf("got %d commands, want 20 and that there are 10 more, in %s", n, errors)
	}
}
