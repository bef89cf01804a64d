// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestDocs_Actions: clients before Terraform 1.14 don't give the schemas of actions to the generator of the docs, so
// that an action's page is written by hand. It has the description, the examples and the arguments as they are.
func TestDocs_Actions(t *testing.T) {
	t.Parallel()
	s := newServer(t, newWorld(t, emulator.Switches{}))
	answer, err := s.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.ActionSchemas) == 0 {
		t.Error("no actions")
	}
	for name, schema := range answer.ActionSchemas {
		page, err := os.ReadFile(filepath.Join("../../templates/actions", strings.TrimPrefix(name, "trustframework_")+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		if want := fmt.Sprintf("# %s (Action)\n\n%s\n", name, schema.Schema.Block.Description); !strings.Contains(string(page), want) {
			t.Errorf("the page of %s doesn't begin with\n%s", name, want)
		}
		if want := argumentsText(schema.Schema.Block.Attributes); !strings.HasSuffix(string(page), want) {
			t.Errorf("the page of %s doesn't end with\n%s", name, want)
		}
		examples, err := filepath.Glob(filepath.Join("../../examples/actions", name, "*"))
		if err != nil || len(examples) == 0 {
			t.Errorf("no examples of %s: %v", name, err)
		}
		for _, example := range examples {
			content, err := os.ReadFile(example)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(page), "\n"+string(content)+"```\n") {
				t.Errorf("the page of %s doesn't show %s", name, example)
			}
		}
	}
}

// argumentsText describes arguments as the generator of the docs does for everything else. Of those with arguments of
// their own there is no more than one.
func argumentsText(attributes []*tfprotov6.SchemaAttribute) string {
	lines := func(heading string, attributes []*tfprotov6.SchemaAttribute, wanted func(*tfprotov6.SchemaAttribute) bool) string {
		var text []string
		for _, a := range attributes {
			if !wanted(a) {
				continue
			}
			kind, what := "String", a.Description
			switch {
			case a.NestedType != nil:
				kind, what = "Attributes", fmt.Sprintf("(see [below for nested schema](#nestedatt--%s))", a.Name)
			case a.Type.Is(tftypes.Bool):
				kind = "Boolean"
			}
			text = append(text, fmt.Sprintf("- `%s` (%s) %s", a.Name, kind, what))
		}
		slices.Sort(text)
		return heading + "\n\n" + strings.Join(text, "\n") + "\n"
	}
	required := func(a *tfprotov6.SchemaAttribute) bool { return a.Required }
	optional := func(a *tfprotov6.SchemaAttribute) bool { return !a.Required }
	text := "## Schema\n\n" + lines("### Required", attributes, required) + "\n" + lines("### Optional", attributes, optional)
	for _, a := range attributes {
		if a.NestedType != nil {
			text += fmt.Sprintf("\n<a id=\"nestedatt--%s\"></a>\n### Nested Schema for `%s`\n\n", a.Name, a.Name) + lines("Optional:", a.NestedType.Attributes, optional)
		}
	}
	return text
}
