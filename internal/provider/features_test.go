// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// featureAction is actions: action blocks, and what invokes them.
func featureAction() feature { return feature{name: "actions", terraform: "1.14.0"} }

// hostVariable says which host the client takes for a source address that names none. The testing framework
// reads it too.
const hostVariable = "TF_ACC_PROVIDER_HOST"

// lookAtClient sets hostVariable for the client under test, if there is one.
func lookAtClient() error {
	if os.Getenv("TF_ACC") == "" {
		return nil
	}
	host := "registry.terraform.io"
	product, _, err := clientVersion(context.Background())
	if err == nil && product == "OpenTofu" {
		host = "registry.opentofu.org"
	}
	return errors.Join(err, os.Setenv(hostVariable, host))
}

// skipUnless skips a test that needs more than the client under test can do.
func skipUnless(t *testing.T, f feature) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run when TF_ACC is set, as make test does")
	}
	if !has(t, f) {
		t.Skipf("the client under test has no %s", f.name)
	}
}

// has tells whether the client under test can do something.
func has(t *testing.T, f feature) bool {
	t.Helper()
	product, have, err := clientVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := f.terraform
	if product == "OpenTofu" {
		first = f.opentofu
	}
	return first != "" && have.Core().GreaterThanOrEqual(version.Must(version.NewVersion(first)))
}

// clientVersion asks the client under test what it is. The two products' numbers mean different things.
func clientVersion(ctx context.Context) (product string, v *version.Version, err error) {
	ask := func(arguments ...string) []byte {
		command := exec.CommandContext(ctx, os.Getenv("TF_ACC_TERRAFORM_PATH"), arguments...)
		command.Dir, command.Env = os.TempDir(), []string{"PATH=" + os.Getenv("PATH"), "CHECKPOINT_DISABLE=1"}
		output, runErr := command.Output()
		err = errors.Join(err, runErr)
		return output
	}
	product = "Terraform"
	if strings.HasPrefix(string(ask("version")), "OpenTofu") {
		product = "OpenTofu"
	}
	var answer struct {
		Version string `json:"terraform_version"`
	}
	if decodeErr := json.Unmarshal(ask("version", "-json"), &answer); err == nil && decodeErr != nil {
		err = decodeErr
	}
	if err != nil {
		return "", nil, fmt.Errorf("ask the client under test for its version: %w", err)
	}
	v, err = version.NewVersion(answer.Version)
	return product, v, err
}
