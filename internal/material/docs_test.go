// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReexport_IsWhatTheDocsSay holds the page against the commands of the error, which are tried elsewhere.
func TestReexport_IsWhatTheDocsSay(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../templates/resources/uploaded_pkcs12.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    (\S.*)$`).FindAllStringSubmatch(reexport, -1)
	var block strings.Builder
	for _, command := range commands {
		block.WriteString(command[1] + "\n")
	}
	if len(commands) != 3 || !strings.Contains(string(page), "```shell\n"+block.String()+"```") {
		t.Errorf("the page lacks these %d commands:\n%s", len(commands), block.String())
	}
}
