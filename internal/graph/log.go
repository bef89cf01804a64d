// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// log writes one line for an attempt. Neither headers nor bodies are in it: both can hold secrets.
func (t *transport) log(ctx context.Context, req *http.Request, number int, clientRequestID string, resp *http.Response, err error, took time.Duration) {
	attributes := []slog.Attr{
		slog.String("method", req.Method),
		slog.String("path", req.URL.Path),
		slog.Int("attempt", number),
		slog.Int64("duration_ms", took.Milliseconds()),
		slog.String("client_request_id", clientRequestID),
	}
	if err != nil {
		t.logger.LogAttrs(ctx, slog.LevelWarn, "Graph request failed", append(attributes, slog.String("error", err.Error()))...)
		return
	}
	attributes = append(attributes, slog.Int("status", resp.StatusCode), slog.String("request_id", t.secrets.ID(resp.Header.Get("request-id"))))
	if code := t.secrets.ID(errorCode(resp)); code != "" {
		attributes = append(attributes, slog.String("code", code))
	}
	t.logger.LogAttrs(ctx, slog.LevelDebug, "Graph answered", attributes...)
}
