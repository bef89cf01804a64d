// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// NewServer returns a factory of what is served to a client: the provider of New, which changes nothing once
// it was stopped.
func NewServer(version string, options ...Option) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer {
		return &server{ProviderServer: providerserver.NewProtocol6(New(version, options...)())(), stopped: make(chan struct{})}
	}
}

// server remembers that it was stopped. The framework cancels the requests under way then, and no later one:
// but a client that has heard Ctrl-C may have one on its way, which would make its key after all.
type server struct {
	tfprotov6.ProviderServer

	mu      sync.Mutex
	stopped chan struct{} // closed by a stop
}

// ConfigureProvider implements tfprotov6.ProviderServer. A server that a client attaches to, as for a
// debugger, lives on for the next command, which begins with this.
func (s *server) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	s.mu.Lock()
	s.stopped = make(chan struct{})
	s.mu.Unlock()
	return s.ProviderServer.ConfigureProvider(ctx, req)
}

// StopProvider implements tfprotov6.ProviderServer.
func (s *server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	s.mu.Lock()
	if !isClosed(s.stopped) {
		close(s.stopped)
	}
	s.mu.Unlock()
	return s.ProviderServer.StopProvider(ctx, req)
}

// ApplyResourceChange implements tfprotov6.ProviderServer.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	ctx, cancel := s.untilStopped(ctx)
	defer cancel()
	return s.ProviderServer.ApplyResourceChange(ctx, req)
}

// untilStopped returns a context that a stop cancels, be it before this or after it.
func (s *server) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	stopped := s.stopped
	s.mu.Unlock()
	if isClosed(stopped) {
		cancel()
		return ctx, cancel
	}
	go func() {
		select {
		case <-stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
