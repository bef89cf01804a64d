// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"log/slog"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// logHandler hands the lower layers' log lines to Terraform's log. Level and format are Terraform's.
type logHandler struct{ attributes []slog.Attr }

// Enabled implements slog.Handler; Terraform filters.
func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	fields := map[string]any{}
	for _, a := range h.attributes {
		fields[a.Key] = a.Value.Resolve().Any()
	}
	record.Attrs(func(a slog.Attr) bool {
		fields[a.Key] = a.Value.Resolve().Any()
		return true
	})
	switch {
	case record.Level >= slog.LevelError:
		tflog.Error(ctx, record.Message, fields)
	case record.Level >= slog.LevelWarn:
		tflog.Warn(ctx, record.Message, fields)
	case record.Level >= slog.LevelInfo:
		tflog.Info(ctx, record.Message, fields)
	default:
		tflog.Debug(ctx, record.Message, fields)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{attributes: append(append([]slog.Attr{}, h.attributes...), attributes...)}
}

// WithGroup implements slog.Handler. Terraform's log has no groups, and the lower layers use none.
func (h logHandler) WithGroup(string) slog.Handler { return h }
