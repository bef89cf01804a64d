// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBuildGraph_LeavesOutTheSDKsRootPackage: it would cost four times the build.
func TestBuildGraph_LeavesOutTheSDKsRootPackage(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test", "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(output))
	if len(packages) < 100 {
		t.Fatalf("only %d packages listed", len(packages))
	}
	for _, p := range packages {
		if p == "github.com/microsoftgraph/msgraph-beta-sdk-go" {
			t.Errorf("%s is in the build graph", p)
		}
	}
}
