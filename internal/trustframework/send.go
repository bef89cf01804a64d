// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	abs "github.com/microsoft/kiota-abstractions-go"
)

// answer is what came back, before anybody made sense of it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// worked tells whether an earlier attempt of the same request may have been worked on, or still be.
func (a answer) worked() bool { return a.header.Get("X-Trustframework-Worked") != "" } // set by the transport

// strange tells a success that isn't the service's, such as a proxy's page: nothing need have been done.
func (a answer) strange() bool {
	return a.ok() && len(bytes.TrimSpace(a.body)) > 0 && !json.Valid(a.body)
}

func errStrange() error { return errors.New("the answer isn't the service's") }

// send runs a call of the SDK with a response handler that takes the answer as it is, so that no
// status, no header and no body is lost on the way through Kiota. The error means that there is no
// answer.
func send(ctx context.Context, op, keySetID string, call func(ctx context.Context, options []abs.RequestOption) error) (answer, *Error) {
	var a answer
	handler := abs.NewRequestHandlerOption()
	handler.SetResponseHandler(func(response any, _ abs.ErrorMappings) (any, error) {
		resp, ok := response.(*http.Response)
		if !ok {
			return nil, fmt.Errorf("the adapter answered with a %T", response)
		}
		body, err := io.ReadAll(resp.Body)
		if closeErr := resp.Body.Close(); err == nil {
			err = closeErr
		}
		a = answer{status: resp.StatusCode, header: resp.Header, body: body}
		return nil, err
	})
	if err := call(ctx, []abs.RequestOption{handler}); err != nil {
		return answer{}, unanswered(op, keySetID, err)
	}
	return a, nil
}

// unanswered makes the error for a request without an answer. Unless the transport says that nothing
// was sent, the service may have seen it.
func unanswered(op, keySetID string, err error) *Error {
	e := &Error{Op: op, KeySetID: keySetID, Kind: KindUnavailable, Err: err}
	var transport interface {
		error
		RequestSent() bool
	}
	if errors.As(err, &transport) {
		// The transport's error, without net/http's and Kiota's words around it.
		e.Err = transport
		if !transport.RequestSent() {
			e.Kind, e.Err = KindNotSent, errors.Unwrap(transport) // the kind says the rest
		}
	}
	return e
}
