// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

var _ function.Function = (*numericDateFunction)(nil)

// rfc3339Form is what time.Parse isn't strict about: it takes T1:00, a comma and an offset of 24 hours too.
var rfc3339Form = regexp.MustCompile(`^.{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

func newNumericDateFunction() function.Function { return &numericDateFunction{} }

type numericDateFunction struct{}

// Metadata implements function.Function.
func (f *numericDateFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "numeric_date"
}

// Definition implements function.Function.
func (f *numericDateFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Turns a date into the seconds that nbf and exp count in",
		MarkdownDescription: "Turns an RFC 3339 date, such as `2030-01-31T00:00:00Z`, into a NumericDate (RFC 7519): " +
			"the seconds since 1970-01-01T00:00:00Z, as `nbf` and `exp` of a key want them.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "rfc3339",
			MarkdownDescription: "The date, with a time and an offset or `Z`, in whole seconds and not before 1970.",
		}},
		Return: function.Int64Return{},
	}
}

// Run implements function.Function.
func (f *numericDateFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	resp.Error = function.ConcatFuncErrors(req.Arguments.Get(ctx, &text))
	if resp.Error != nil {
		return
	}
	date, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil || !rfc3339Form.MatchString(text):
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%q is not an RFC 3339 date. Write it like 2030-01-31T00:00:00Z.", text))
		return
	case date.Nanosecond() != 0:
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%q has a fraction of a second, which a key's dates can't have.", text))
		return
	case date.Unix() < 0:
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%q lies before 1970.", text))
		return
	case date.Unix() > lastNumericDate:
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%q lies behind the year 9999 in UTC.", text))
		return
	}
	resp.Error = function.ConcatFuncErrors(resp.Result.Set(ctx, date.Unix()))
}
