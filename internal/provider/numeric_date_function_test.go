// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestAccNumericDate(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]any{
		"2030-01-31T00:00:00Z":      int64(1896048000),
		"2030-01-31T01:00:00+01:00": int64(1896048000),
		"1970-01-01T00:00:00Z":      int64(0),
		"9999-12-31T23:59:59Z":      int64(253402300799),
		"2030-01-31":                `is not an RFC 3339 date.*2030-01-31T00:00:00Z`,
		"2030-01-31T00:00:00":       `is not an RFC 3339 date`,
		"2030-02-31T00:00:00Z":      `is not an RFC 3339 date`,
		"2030-01-31T00:00:00.5Z":    `fraction of a second`,
		"2030-01-31T1:00:00Z":       `is not an RFC 3339 date`,
		"1969-12-31T23:59:59Z":      `lies before 1970`,
		"9999-12-31T23:59:59-01:00": `lies behind the year 9999`,
		"":                          `is not an RFC 3339 date`,
	} {
		t.Run(date, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			step := resource.TestStep{Config: fmt.Sprintf("output \"test\" {\n  value = provider::trustframework::numeric_date(%q)\n}\n", date)}
			switch want := want.(type) {
			case int64:
				step.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("test", knownvalue.Int64Exact(want))}
			case string:
				step.ExpectError = regexp.MustCompile("(?s)" + strings.ReplaceAll(want, " ", `[\s│]+`))
			}
			// A function needs no tenant and no arguments.
			resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: w.factories(nil), Steps: []resource.TestStep{step}})
			if n := len(w.Journal()); n > 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}
