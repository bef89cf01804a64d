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
		if filepath.Dir(filepath.Dir(name)) == "demo" || strings.HasPrefix(filepath.Base(name), "import-") {
			continue // make demo applies the former, and the test of imports the latter
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

// TestAccExamples_Import imports what each example of an import names.
func TestAccExamples_Import(t *testing.T) {
	t.Parallel()
	const (
		root  = "../../examples/resources/"
		keyID = "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M" // in the examples
		set   = "B2C_1A_TokenSigningKeyContainer"
	)
	for name, feature := range map[string]feature{
		"import.sh":               {name: "import", terraform: "1.0.0", opentofu: "1.0.0"},
		"import-by-string-id.tf":  {name: "import", terraform: "1.0.0", opentofu: "1.0.0"},
		"import-with-identity.tf": featureIdentity(),
	} {
		for _, address := range []string{"trustframework_key_set.signing", "trustframework_generated_key.signing"} {
			resource, _, _ := strings.Cut(address, ".")
			t.Run(resource+"/"+name, func(t *testing.T) {
				t.Parallel()
				skipUnless(t, feature)
				read := func(file string) string {
					content, err := os.ReadFile(filepath.Join(root, resource, file))
					if err != nil {
						t.Fatal(err)
					}
					return string(content)
				}
				w := newWorldAt(t, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), emulator.Switches{})
				w.AddKeySet(set)
				exp := time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
				kid := w.AddKey(set, emulator.KeySpec{Exp: &exp})
				example := strings.ReplaceAll(read(name), keyID, kid)
				config := read("resource.tf")
				tf := w.inProcess(t, config)
				tf.command("init", "-input=false")
				if resource != "trustframework_key_set" {
					tf.command("import", "trustframework_key_set.signing", set)
				}
				if command, ok := strings.CutPrefix(lastLine(example), "terraform "); ok {
					tf.command(strings.Fields(command)...)
				} else {
					tf.configure(config + example)
				}
				tf.apply(true)
				if got := tf.state(address)["id"]; got != set && got != set+"/"+kid {
					t.Errorf("id %v", got)
				}
				for _, write := range w.Writes() {
					if write.KeySet == "" || write.Op == emulator.OpCreate {
						t.Errorf("%s %s", write.Method, write.Path)
					}
				}
			})
		}
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
