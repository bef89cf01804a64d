// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// cachingCredential hands out the same token until it is asked for one with claims.
type cachingCredential struct {
	mu     sync.Mutex
	issued int
}

func (c *cachingCredential) GetToken(_ context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.issued == 0 || options.Claims != "" {
		c.issued++
	}
	return azcore.AccessToken{Token: fmt.Sprintf("token-%d", c.issued)}, nil
}

// TestTransport_RoundTrip_RenewsATokenThatTheCacheTakesForGood: all requests under way meet the 401, one of
// them gets the next token.
func TestTransport_RoundTrip_RenewsATokenThatTheCacheTakesForGood(t *testing.T) {
	t.Parallel()
	const requests = 8
	var arrived sync.WaitGroup
	arrived.Add(requests)
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			arrived.Done()
			arrived.Wait()
			status(401, odata("InvalidAuthenticationToken"))(w, r)
			return
		}
		status(200, "{}")(w, r)
	})
	credential := &cachingCredential{}
	transport := s.transport()
	transport.tokens = newTokenSource(credential, "scope", nil)
	var wg sync.WaitGroup
	for range requests {
		wg.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/beta/x", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			if err := roundTrip(transport, req); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if credential.issued != 2 || len(s.requests) != 2*requests {
		t.Errorf("%d tokens, %d requests", credential.issued, len(s.requests))
	}
}

func TestTokenSource_Renewed_DoesNotWaitForItsTurnForever(t *testing.T) {
	t.Parallel()
	s := newTokenSource(&cachingCredential{}, "scope", nil)
	s.renewal <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.renewed(ctx, "token-1"); err == nil {
		t.Error("no error")
	}
}

// TestTransport_RoundTrip_DoesNotWaitForAnAnswerForever: a POST isn't ended by its caller, so that nothing but
// the attempt's own timeout ends one without an answer.
func TestTransport_RoundTrip_DoesNotWaitForAnAnswerForever(t *testing.T) {
	t.Parallel()
	s := newService(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	transport := s.transport()
	transport.attemptTimeout = 100 * time.Millisecond
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/beta/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	defer s.server.CloseClientConnections()
	go func() { ended <- roundTrip(transport, req) }()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second): //nolint:forbidigo // a hang can't be told otherwise
		t.Fatal("still waiting")
	}
}

// TestTokenSource_Renewed_OneAtATime: who waits for another's renewal asks for nothing meanwhile.
func TestTokenSource_Renewed_OneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		credential := &cachingCredential{issued: 1}
		s := newTokenSource(credential, "scope", nil)
		s.renewal <- struct{}{}
		var tokens sync.WaitGroup
		for range 3 {
			tokens.Go(func() {
				if token, err := s.renewed(t.Context(), "token-1"); err != nil || token != "token-2" {
					t.Errorf("got %q, %v", token, err)
				}
			})
		}
		synctest.Wait()
		if credential.issued != 1 {
			t.Errorf("%d tokens before it was anybody's turn", credential.issued)
		}
		<-s.renewal
		tokens.Wait()
		if credential.issued != 2 {
			t.Errorf("%d tokens", credential.issued)
		}
	})
}
