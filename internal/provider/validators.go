// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// lastNumericDate is the last second of the year 9999, the last that RFC 3339 can write. What is larger
// counts milliseconds.
const lastNumericDate = 253_402_300_799

// isNumericDate accepts seconds since 1970 (RFC 7519, NumericDate).
func isNumericDate() validator.Int64 { return numericDateValidator{} }

type numericDateValidator struct{}

// Description implements validator.Describer.
func (numericDateValidator) Description(context.Context) string {
	return "must be a NumericDate: seconds since 1970-01-01T00:00:00Z"
}

// MarkdownDescription implements validator.Describer.
func (v numericDateValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

// ValidateInt64 implements validator.Int64.
func (numericDateValidator) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	value := req.ConfigValue.ValueInt64()
	switch {
	case value < 0:
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid date",
			fmt.Sprintf("%d lies before 1970. The value counts seconds since 1970-01-01T00:00:00Z; "+
				"provider::trustframework::numeric_date makes it from a date.", value))
	case value > lastNumericDate:
		seconds, unit := likelySeconds(value)
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid date",
			fmt.Sprintf("%d looks like %s: in seconds it would lie in the year %d. The value counts seconds since 1970-01-01T00:00:00Z. "+
				"Did you mean %d, which is %s?", value, unit, 1970+value/31_556_952, seconds, formatDate(seconds)))
	}
}

// likelySeconds is what a value that is too large to count seconds means if it counts something smaller.
func likelySeconds(value int64) (seconds int64, unit string) {
	for _, unit = range []string{"milliseconds", "microseconds", "nanoseconds"} {
		if value /= 1000; value <= lastNumericDate {
			break
		}
	}
	return value, unit
}

// isPathSegment refuses only what can't stand in an address; the service decides the rest.
func isPathSegment() validator.String {
	return pathSegmentValidator{summary: "Invalid key set name", not: "can't name a key set"}
}

// isKid is isPathSegment for a key.
func isKid() validator.String {
	return pathSegmentValidator{summary: "Invalid kid", not: "can't be a kid"}
}

// pathSegmentValidator has the error's summary, and what its detail says that the value can't be.
type pathSegmentValidator struct{ summary, not string }

// Description implements validator.Describer.
func (pathSegmentValidator) Description(context.Context) string {
	return "must be one segment of a path"
}

// MarkdownDescription implements validator.Describer.
func (v pathSegmentValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

// ValidateString implements validator.String.
func (v pathSegmentValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if why := notAPathSegment(req.ConfigValue.ValueString()); why != "" {
		resp.Diagnostics.AddAttributeError(req.Path, v.summary, fmt.Sprintf("%q %s: %s.", req.ConfigValue.ValueString(), v.not, why))
	}
}

// isRegexp accepts regular expressions in RE2 syntax.
func isRegexp() validator.String { return regexpValidator{} }

type regexpValidator struct{}

// Description implements validator.Describer.
func (regexpValidator) Description(context.Context) string {
	return "must be a regular expression in RE2 syntax"
}

// MarkdownDescription implements validator.Describer.
func (v regexpValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

// ValidateString implements validator.String.
func (regexpValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := regexp.Compile(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid regular expression", fmt.Sprintf("The value isn't a regular expression in RE2 syntax: %s.", redact.Plain(err.Error())))
	}
}

// notAPathSegment says why a text can't name a key set, or "".
func notAPathSegment(text string) string { return trustframework.IDProblem(text) }

// formatDate writes a NumericDate as people do.
func formatDate(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// listOf writes values for a description.
func listOf(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "`" + v + "`"
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}
