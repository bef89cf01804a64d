// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// defaultAttemptTimeout bounds one attempt at one request to Entra ID, its answer's body included. Azcore makes
// four, within the caller's deadline; MSAL's own of 30 seconds for all of them is only for callers without one.
const defaultAttemptTimeout = 10 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// wholeAnswers is a transport for azcore, whose retries see only what goes wrong before the answer's body:
// half an answer, one that never ends, and a page in place of JSON become failures here, so that they are
// asked for again. Requests for tokens may be repeated.
type wholeAnswers struct {
	inner          policy.Transporter
	attemptTimeout time.Duration
	userAgent      string
}

// Do implements policy.Transporter.
func (t wholeAnswers) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.attemptTimeout)
	defer cancel()
	out := req.Clone(ctx)
	if t.userAgent != "" {
		// Which azidentity it is matters to Microsoft's support, too.
		out.Header.Set("User-Agent", strings.TrimSpace(t.userAgent+" "+out.Header.Get("User-Agent")))
	}
	if req.Body != nil {
		// net/http may go on reading a body after the answer, while azcore rewinds it for the next attempt.
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	resp, err := t.inner.Do(out)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	err = errors.Join(err, resp.Body.Close())
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer with status %d: %w", resp.StatusCode, err)
	case resp.StatusCode < http.StatusMultipleChoices && !json.Valid(body):
		return nil, fmt.Errorf("the answer with status %d is not Entra ID's: it is no JSON", resp.StatusCode)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
