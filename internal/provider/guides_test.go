// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccGuide_ImportingATenant takes a tenant over as the guide says.
func TestAccGuide_ImportingATenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	nbf, exp := in(-time.Hour), in(24*time.Hour)
	w.AddKeySet("B2C_1A_TokenSigningKeyContainer")
	w.AddKey("B2C_1A_TokenSigningKeyContainer", emulator.KeySpec{})
	w.AddKey("B2C_1A_TokenSigningKeyContainer", emulator.KeySpec{Nbf: &nbf, Exp: &exp})
	w.AddKeySet("B2C_1A_2030-Partner.Secrets")
	w.AddKey("B2C_1A_2030-Partner.Secrets", emulator.KeySpec{Use: "enc", Kty: "oct"})
	w.AddKeySet("B2C_1A_Uploaded")
	w.AddKey("B2C_1A_Uploaded", emulator.KeySpec{Certificate: &emulator.CertificateSpec{Subject: "partner"}})
	w.AddKeySet("B2C_1A_Empty")
	w.AddKeySet("B2C_1A_EMPTY-") // two that make one name
	w.AddKeySet("B2C_1A_empty.")
	w.AddKeySet("B2C_1A_Deleted.bak")

	content, err := os.ReadFile("../../examples/guides/import-a-tenant/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	w.SetRoles(emulator.RoleRead)
	reader := w.inProcess(t, string(content))
	reader.command("init", "-input=false")
	reader.apply(true)
	blocks := reader.command("output", "-raw", "import_blocks")
	if n := strings.Count(blocks, "import {"); n != 6+3 || strings.Contains(blocks, ".bak") {
		t.Errorf("%d blocks:\n%s", n, blocks)
	}

	tf := w.inProcess(t, w.Provider())
	if err := os.WriteFile(filepath.Join(tf.dir, "imports.tf"), []byte(blocks), 0o600); err != nil {
		t.Fatal(err)
	}
	tf.expect(true, "plan", "-input=false", "-generate-config-out=generated.tf")
	o := tf.expect(true, "plan", "-input=false")
	if !strings.Contains(o.stdout, "Plan: 9 to import, 0 to add, 0 to change, 0 to destroy.") || len(o.diagnostics) > 0 {
		generated, _ := os.ReadFile(filepath.Join(tf.dir, "generated.tf"))
		t.Errorf("%v\n%s\n%s", o.diagnostics, o.stdout, generated)
	}
	tf.apply(true)
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
	if writes := w.Writes(); len(writes) > 0 {
		t.Errorf("%d writes, the first %s %s", len(writes), writes[0].Method, writes[0].Path)
	}
}
