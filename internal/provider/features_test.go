// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hashicorp/go-version"
)

// feature is something that not every client under test can do.
type feature struct {
	name string
	// terraform and opentofu are the first versions of each that can; "" means none.
	terraform, opentofu string
}

// featureIdentity is resource identity: stored in state, and importable by an import block.
func featureIdentity() feature {
	return feature{name: "resource identity", terraform: "1.12.0", opentofu: "1.12.0"}
}

// skipUnless skips a test that needs more than the client under test can do.
func skipUnless(t *testing.T, f feature) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run when TF_ACC is set, as make test does")
	}
	product, have := clientVersion(t)
	first := f.terraform
	if product == "OpenTofu" {
		first = f.opentofu
	}
	if first == "" || have.Core().LessThan(version.Must(version.NewVersion(first))) {
		t.Skipf("%s %s has no %s", product, have, f.name)
	}
}

// clientVersion asks the client under test what it is. The two products' numbers mean different things.
func clientVersion(t *testing.T) (product string, v *version.Version) {
	t.Helper()
	ask := func(arguments ...string) []byte {
		command := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), arguments...)
		command.Dir, command.Env = t.TempDir(), []string{"PATH=" + os.Getenv("PATH"), "CHECKPOINT_DISABLE=1"}
		output, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		return output
	}
	product = "Terraform"
	if strings.HasPrefix(string(ask("version")), "OpenTofu") {
		product = "OpenTofu"
	}
	var answer struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(ask("version", "-json"), &answer); err != nil {
		t.Fatal(err)
	}
	v, err := version.NewVersion(answer.Version)
	if err != nil {
		t.Fatal(err)
	}
	return product, v
}
