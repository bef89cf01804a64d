// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// Codes of errors. Those with a number come from Microsoft's list "Error codes
// in Azure AD B2C", which has message templates but no HTTP statuses.
const (
	codeGeneric         = "AADB2C"       // validation and permissions (observed)
	codeUnknown         = "UnknownError" // what the front door can't read (observed)
	codeBadRequest      = "BadRequest"
	codeInvalidToken    = "InvalidAuthenticationToken"
	codeTooManyRequests = "TooManyRequests"
	codeNoResource      = "Request_ResourceNotFound"
	codeNotImplemented  = "NotImplemented" // the emulator's own

	codeServiceProblem   = "AADB2C90063"
	codeMissing          = "AADB2C90073"
	codeNoActiveKey      = "AADB2C90019"
	codeWrongParameter   = "AADB2C90136"
	codeShortRSA         = "AADB2C90137"
	codeNotCertificate   = "AADB2C90179"
	codeDuplicate        = "AADB2C90180"
	codeNotOpened        = "AADB2C90213"
	codeExpired          = "AADB2C90214"
	codeBadFormat        = "AADB2C90215"
	codeMissingParameter = "AADB2C90253"
	codeExists           = "AADB2C95028"
	codeBadKty           = "AADB2C95031"
	codeMixedKty         = "AADB2C95032"
	codeBadUse           = "AADB2C95033"
	codeMixedUse         = "AADB2C95042"
	codeOverlap          = "AADB2C95053"
	codeReadOnly         = "AADB2C99014"
)

const (
	// graphTime is the date in innerError, which has no zone (observed).
	graphTime = "2006-01-02T15:04:05"
	// graphContentType is inferred from Graph at large.
	graphContentType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
	// agsDiagnostic has the shape of Graph's header of that name.
	agsDiagnostic = `{"ServerInfo":{"DataCenter":"Emulator","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"EMULATOR"}}`
)

// graphError is an error answer of Graph or of the B2C back end behind it.
type graphError struct {
	status  int
	code    string
	message string
	allow   string // the Allow header of a 405
}

// refuse is a 400, which is what the back end says to everything it doesn't
// like: observed for some codes, inferred for the rest.
func refuse(code, format string, args ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

func invalidToken(message string) *graphError {
	return &graphError{status: http.StatusUnauthorized, code: codeInvalidToken, message: message}
}

func notImplemented(what string) *graphError {
	return &graphError{
		status: http.StatusNotImplemented, code: codeNotImplemented,
		message: fmt.Sprintf("The emulator doesn't have %s. The service may.", what),
	}
}

func unknownSegment(name string) *graphError {
	return refuse(codeBadRequest, "Resource not found for the segment '%s'.", name)
}

func invalidKeySet() *graphError {
	return refuse(codeGeneric, "The 'keySet' field is invalid in request. Please check the request body and parameters.")
}

type graphErrorBody struct {
	Error graphErrorMember `json:"error"`
}

type graphErrorMember struct {
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	InnerError graphInnerError `json:"innerError"`
}

type graphInnerError struct {
	Code            string `json:"code,omitempty"`
	CorrelationID   string `json:"correlationId,omitempty"`
	Date            string `json:"date"`
	Message         string `json:"message,omitempty"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
	Status          string `json:"status,omitempty"`
}

func (x *exchange) graphHeader() http.Header {
	h := http.Header{}
	h.Set("Content-Type", graphContentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Request-Id", x.entry.RequestID)
	h.Set("Client-Request-Id", x.clientRequestID())
	h.Set("X-Ms-Ags-Diagnostic", agsDiagnostic)
	return h
}

// clientRequestID is what the client sent, or the request's own id.
func (x *exchange) clientRequestID() string {
	return cmp.Or(x.entry.ClientRequestID, x.entry.RequestID)
}

func (x *exchange) graphFailure(e *graphError) answer {
	inner := graphInnerError{
		Date:            x.s.clock.Now().UTC().Format(graphTime),
		RequestID:       x.entry.RequestID,
		ClientRequestID: x.clientRequestID(),
	}
	switch {
	case e.code == codeTooManyRequests: // documented: concepts/throttling
		inner.Code, inner.Status, inner.Message = "429", "429", "Please retry after"
	case strings.HasPrefix(e.code, codeGeneric), e.code == codeUnknown:
		inner.CorrelationID = x.s.ids.guid()
	}
	h := x.graphHeader()
	if e.status == http.StatusUnauthorized {
		h.Set("Www-Authenticate", fmt.Sprintf(
			`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", client_id="%s"`, x.origin(), graphAppID))
	}
	if e.allow != "" {
		h.Set("Allow", e.allow)
	}
	return jsonAnswer(e.status, h, graphErrorBody{graphErrorMember{Code: e.code, Message: e.message, InnerError: inner}})
}
