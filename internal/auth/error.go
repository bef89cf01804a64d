// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// Error is a refusal or failure to get a token. All of it may be shown, and the texts of its causes too: no part repeats
// a secret.
type Error struct {
	// Method is the way of signing in that failed, such as "client secret".
	Method string
	// Code is Entra's error code such as "AADSTS7000215", or "" if there was no such answer.
	Code string
	// Message holds Entra's own words, or those of the failure below it.
	Message string
	// TraceID and CorrelationID are what Microsoft's support asks for; "" if there was no answer.
	TraceID, CorrelationID string
	// OtherTenant is true if there is a token, and it is another tenant's.
	OtherTenant bool
	// Others is a *NotConfigured of all other methods if the Azure CLI was asked, which needs nothing to be configured.
	Others error
	// Err is the cause.
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("sign in with %s: %s", e.Method, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

// cause is what failed below an Error. It has a text that may be shown, and errors.Is finds what it is about; the errors
// below it, whose texts hold whole answers, are out of reach.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }

// Is implements the method that errors.Is looks for.
func (c *cause) Is(target error) bool { return errors.Is(c.err, target) }

// entraCode is the form of Entra's error codes.
var entraCode = regexp.MustCompile(`^AADSTS[0-9]{1,12}$`)

// newError takes Entra's own words out of azidentity's error, which would print a whole HTTP
// conversation around them.
func newError(method string, err error, secrets *redact.Secrets) *Error {
	var argument *argumentError
	if errors.As(err, &argument) { // no answer's words, and the path of a file
		return &Error{Method: method, Message: err.Error(), Err: err}
	}
	e := &Error{Method: method}
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil {
		e.answered(failed.RawResponse, secrets)
	}
	if e.Message == "" {
		// The library's own hint behind it names the methods, as secrets may that people make up.
		words, _, _ := strings.Cut(err.Error(), "To troubleshoot, visit ")
		e.Message = secrets.Text(words)
	}
	e.Err = &cause{text: e.Message, err: err}
	return e
}

// answered takes over what an answer says.
func (e *Error) answered(resp *http.Response, secrets *redact.Secrets) {
	body, err := runtime.Payload(resp) // it is in memory, and has been read by MSAL
	if err != nil {
		return
	}
	// Shape: RFC 6749 section 5.2 with Entra's members.
	var answer struct {
		Description   string `json:"error_description"`
		TraceID       string `json:"trace_id"`
		CorrelationID string `json:"correlation_id"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Description == "" {
		e.Message = fmt.Sprintf("The answer has status %d and is not Entra ID's.", resp.StatusCode)
		if words := wordsOf(body); words != "" { // App Service's form
			e.Message = fmt.Sprintf("The answer has status %d. It says: %s", resp.StatusCode, secrets.Text(words))
		} else if text := secrets.Text(string(body)); text != "" {
			e.Message += " It says: " + text
		}
		return
	}
	// The trace and correlation ids and the time follow on lines of their own.
	words, _, _ := strings.Cut(answer.Description, "\r\n")
	e.Message = secrets.Text(words)
	e.TraceID, e.CorrelationID = secrets.ID(answer.TraceID), secrets.ID(answer.CorrelationID)
	if code, _, _ := strings.Cut(words, ":"); entraCode.MatchString(code) {
		e.Code = secrets.ID(code)
	}
}
