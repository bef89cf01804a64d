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

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// defaultAttemptTimeout bounds one attempt at one request to Entra ID, its answer's body included. Azcore makes
// four, within the caller's deadline; MSAL's own of 30 seconds for all of them is only for callers without one.
const defaultAttemptTimeout = 10 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// wholeAnswers is a transport for azcore, whose retries see only what goes wrong before the answer's body:
// half an answer, one that never ends, and a page in place of JSON become failures here, so that they are
// asked for again. Requests for tokens may be repeated.
//
// It is the one place that everything passes which azidentity and MSAL send. So it is also here that a request goes to
// the configured origin whatever address it has, that what it carries and what is answered becomes secret, and that a
// failure gets a text that may be shown: azcore writes it into a log of its own if AZURE_SDK_GO_LOGGING says so.
type wholeAnswers struct {
	inner policy.Transporter
	// origin is where requests go: https, host and port.
	origin         string
	attemptTimeout time.Duration
	userAgent      string
	secrets        *redact.Secrets
}

// Do implements policy.Transporter.
func (t wholeAnswers) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.send(req)
	return resp, t.secrets.Error(err)
}

func (t wholeAnswers) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.attemptTimeout)
	defer cancel()
	out := req.Clone(ctx)
	if !isInstanceDiscovery(req) {
		address, err := atOrigin(t.origin, req.URL)
		if err != nil {
			return nil, err
		}
		out.URL, out.Host = address, ""
	}
	if t.userAgent != "" {
		// Which azidentity it is matters to Microsoft's support, too.
		out.Header.Set("User-Agent", strings.TrimSpace(t.userAgent+" "+out.Header.Get("User-Agent")))
	}
	var body []byte
	if req.Body != nil {
		// net/http may go on reading a body after the answer, while azcore rewinds it for the next attempt.
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	addRequest(t.secrets, out.Header, body)
	resp, err := t.inner.Do(out)
	if err != nil {
		return nil, err
	}
	return t.whole(resp)
}

// whole reads an answer.
func (t wholeAnswers) whole(resp *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	err = errors.Join(err, resp.Body.Close())
	addAnswer(t.secrets, body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer with status %d: %w", resp.StatusCode, err)
	case resp.StatusCode < http.StatusMultipleChoices && !json.Valid(body):
		return nil, fmt.Errorf("the answer with status %d is not Entra ID's: it is no JSON", resp.StatusCode)
	}
	resp.Status = fmt.Sprint(resp.StatusCode) // the words after it are the wire's
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
