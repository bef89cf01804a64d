// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccExamples_Apply applies every example that the reference pages show, and expects a second plan
// to be empty. The example of the provider block names a tenant of its own and is planned only.
func TestAccExamples_Apply(t *testing.T) {
	t.Parallel()
	const root = "../../examples"
	files, err := filepath.Glob(root + "/*/*/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(filepath.Dir(name)) == "demo" {
			continue // make demo applies these
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// Before the dates in the examples.
			w := newWorldAt(t, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), emulator.Switches{})
			tf := w.inProcess(t, string(content))
			tf.command("init", "-input=false")
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			tf.apply(true, "-destroy")
		})
	}
	if len(files) < 7 {
		t.Errorf("only %d examples found", len(files))
	}
}
