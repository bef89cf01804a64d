// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	abs "github.com/microsoft/kiota-abstractions-go"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// answer is what came back, before anybody made sense of it.
type answer struct {
	status int
	header http.Header
	body   []byte
	// secrets say what of the answer may be told.
	secrets *redact.Secrets
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// worked reports whether an earlier attempt of the same request may have been worked on, or still be.
func (a answer) worked() bool { return a.header.Get("X-Trustframework-Worked") != "" } // set by the transport

// done reports whether the answer to a DELETE or PATCH is that the work is done: 204 (documented), or 200 without a body. Any
// other success may be somebody else's, or say in its body that nothing was done.
func (a answer) done() bool {
	return a.status == http.StatusNoContent || a.status == http.StatusOK && len(bytes.TrimSpace(a.body)) == 0
}

// errNotDone is the cause of an error whose answer is a success, but not that of a DELETE or PATCH.
var errNotDone = errors.New("the answer isn't the one that says that the work is done")

// send runs a call of the SDK with a response handler that takes the answer as it is, so that no
// status, no header and no body is lost on the way through Kiota. The error means that there is no
// answer.
func (c *Client) send(ctx context.Context, op, keySetID string, call func(ctx context.Context, options []abs.RequestOption) error) (answer, *Error) {
	if keySetID != "" {
		if why := IDProblem(keySetID); why != "" {
			return answer{}, noAddress(op, keySetID, why)
		}
	}
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
		a = answer{status: resp.StatusCode, header: resp.Header, body: body, secrets: c.secrets}
		return nil, err
	})
	if err := call(ctx, []abs.RequestOption{handler}); err != nil {
		return answer{}, c.unanswered(op, keySetID, err)
	}
	return a, nil
}

// unanswered makes the error for a request without an answer. Unless the transport says that nothing
// was sent, the service may have seen it.
func (c *Client) unanswered(op, keySetID string, err error) *Error {
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
	e.Err = c.secrets.Error(e.Err) // net/http's words can be the answer's
	return e
}
