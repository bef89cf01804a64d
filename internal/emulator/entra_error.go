// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// entraTime is how Entra writes a time in an error (documented).
const entraTime = "2006-01-02 15:04:05Z"

// entraError is an error of the token endpoint: number is the digits after
// AADSTS.
type entraError struct {
	status  int
	name    string
	number  int
	message string
}

type entraErrorBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri,omitempty"`
}

func (x *exchange) entraHeader() http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("X-Ms-Request-Id", x.entry.RequestID)
	if id := x.entry.ClientRequestID; id != "" {
		h.Set("Client-Request-Id", id)
	}
	return h
}

func (x *exchange) entraFailure(e *entraError) answer {
	now := x.s.clock.Now().UTC().Format(entraTime)
	correlation := cmp.Or(x.entry.ClientRequestID, x.entry.RequestID)
	body := entraErrorBody{
		Error: cmp.Or(e.name, "server_error"), Codes: []int{}, Timestamp: now,
		TraceID: x.entry.RequestID, CorrelationID: correlation,
	}
	message := e.message
	if e.number != 0 {
		message = fmt.Sprintf("AADSTS%d: %s", e.number, e.message)
		body.Codes = []int{e.number}
		body.URI = fmt.Sprintf("%s/error?code=%d", x.origin(), e.number)
	}
	body.Description = fmt.Sprintf("%s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s",
		message, body.TraceID, correlation, now)
	return jsonAnswer(e.status, x.entraHeader(), body)
}

func badRequest(name string, number int, format string, args ...any) *entraError {
	return &entraError{status: http.StatusBadRequest, name: name, number: number, message: fmt.Sprintf(format, args...)}
}

func unauthorizedClient(number int, format string, args ...any) *entraError {
	e := badRequest("invalid_client", number, format, args...)
	e.status = http.StatusUnauthorized
	return e
}

// unknownTenant is AADSTS90002. The endpoints name it differently: the OpenID
// document "invalid_tenant", the token endpoint "invalid_request".
func unknownTenant(name, tenant string) *entraError {
	return badRequest(name, 90002,
		"Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
		strings.ToLower(tenant))
}
