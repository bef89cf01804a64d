// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
)

type transporter func(*http.Request) (*http.Response, error)

func (f transporter) Do(req *http.Request) (*http.Response, error) { return f(req) }

// entraAnswer is an answer to req.
func entraAnswer(req *http.Request, status int, retryAfter, body string) *http.Response {
	header := http.Header{}
	if retryAfter != "" {
		header.Set("Retry-After", retryAfter)
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: req}
}

// TestCredential_GetToken_WhileSomethingFails holds what the guide "What happens when a request fails" says of
// signing in: how often it is tried, and how long that takes. The libraries below wait in the system's time,
// which is a bubble's here.
func TestCredential_GetToken_WhileSomethingFails(t *testing.T) {
	t.Parallel()
	status := func(status int, retryAfter string) transporter {
		return func(req *http.Request) (*http.Response, error) {
			return entraAnswer(req, status, retryAfter, "{}"), nil
		}
	}
	for name, row := range map[string]struct {
		fails       transporter
		times       int // less than 0 for always
		requests    int
		least, most time.Duration
	}{
		"refused always":          {func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }, -1, 4, 0, time.Minute},
		"no answer ever":          {func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }, -1, 4, 40 * time.Second, time.Minute},
		"503 always":              {status(503, ""), -1, 4, 0, time.Minute},
		"429 always":              {status(429, "60"), -1, 4, 3 * time.Minute, 4 * time.Minute},
		"429 for a minute":        {status(429, "60"), 1, 3, time.Minute, 2 * time.Minute},
		"429 in decimals":         {status(429, "2.128"), 1, 3, 0, 5 * time.Second},
		"429 as a date":           {status(429, "Sat, 01 Jan 2000 00:00:45 GMT"), 1, 3, 44 * time.Second, time.Minute}, // a bubble begins at midnight
		"429 for over a minute":   {status(429, "61"), 1, 1, 0, 0},
		"no answer at first":      {func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }, 1, 3, 10 * time.Second, time.Minute},
		"a success without JSON":  {func(r *http.Request) (*http.Response, error) { return entraAnswer(r, 200, "", "<html>"), nil }, 1, 3, 0, time.Minute},
		"a success without bytes": {func(r *http.Request) (*http.Response, error) { return entraAnswer(r, 200, "", ""), nil }, 1, 3, 0, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				config := auth.Config{
					TenantID: "11111111-2222-3333-4444-555555555555", ClientID: auth.Text{Value: "client"}, ClientSecret: auth.Text{Value: "secret"},
					AuthorityHost: "https://login.example", DisableInstanceDiscovery: true,
				}
				config.Transport = transporter(func(req *http.Request) (*http.Response, error) {
					requests++
					switch {
					case row.times < 0 || requests <= row.times:
						return row.fails(req)
					case req.Method == http.MethodPost:
						return entraAnswer(req, 200, "", `{"token_type":"Bearer","expires_in":3599,"access_token":"token"}`), nil
					}
					const base = "https://login.example/11111111-2222-3333-4444-555555555555"
					return entraAnswer(req, 200, "", `{"issuer":"`+base+`/v2.0","authorization_endpoint":"`+base+`/authorize","token_endpoint":"`+base+`/token"}`), nil
				})
				credential, _, err := auth.NewCredential(config)
				if err != nil {
					t.Fatal(err)
				}
				// As the provider does. Without a deadline MSAL would give one of its own.
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				begun := time.Now() //nolint:forbidigo // the bubble's
				_, err = credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://graph.example/.default"}, EnableCAE: true})
				took := time.Since(begun) //nolint:forbidigo // the bubble's
				if works := row.requests == 3; (err == nil) != works {
					t.Errorf("got %v", err)
				}
				if requests != row.requests || took < row.least || took > row.most {
					t.Errorf("%d requests in %s", requests, took)
				}
			})
		})
	}
}
