// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// NewServer returns a factory of what is served to a client: the provider of New, which changes nothing once
// it was stopped.
func NewServer(version string, options ...Option) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer {
		framework := providerserver.NewProtocol6(New(version, options...)())()
		return &server{frameworkServer: framework.(frameworkServer), stopped: make(chan struct{})} //nolint:forcetypeassert // every test begins with it
	}
}

// frameworkServer is all that the framework serves. What isn't part of tfprotov6.ProviderServer yet is looked
// for in the server by a type assertion, and taken for not implemented where a wrapper hides it.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ActionServer
	tfprotov6.ListResourceServer
	tfprotov6.StateStoreServer
}

// server remembers that it was stopped. The framework cancels the requests under way then, and no later one:
// but a client that has heard Ctrl-C may have one on its way, which would make its key after all.
type server struct {
	frameworkServer

	mu      sync.Mutex
	stopped chan struct{} // closed by a stop
}

// ConfigureProvider implements tfprotov6.ProviderServer. A server that a client attaches to, as for a
// debugger, lives on for the next command, which begins with this.
func (s *server) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	s.mu.Lock()
	s.stopped = make(chan struct{})
	s.mu.Unlock()
	return s.frameworkServer.ConfigureProvider(ctx, req)
}

// StopProvider implements tfprotov6.ProviderServer.
func (s *server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	s.mu.Lock()
	if !isClosed(s.stopped) {
		close(s.stopped)
	}
	s.mu.Unlock()
	return s.frameworkServer.StopProvider(ctx, req)
}

// ApplyResourceChange implements tfprotov6.ProviderServer.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	if diags := checkPrivate(req.TypeName, req.PlannedPrivate); diags.HasError() {
		return &tfprotov6.ApplyResourceChangeResponse{
			NewState: req.PriorState, Private: req.PlannedPrivate, NewIdentity: req.PlannedIdentity, Diagnostics: wireErrors(diags),
		}, nil
	}
	ctx, cancel := s.untilStopped(ctx)
	defer cancel()
	return s.frameworkServer.ApplyResourceChange(ctx, req)
}

// ReadResource implements tfprotov6.ProviderServer.
func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if diags := checkPrivate(req.TypeName, req.Private); diags.HasError() {
		return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: req.CurrentIdentity, Diagnostics: wireErrors(diags)}, nil
	}
	return s.frameworkServer.ReadResource(ctx, req)
}

// PlanResourceChange implements tfprotov6.ProviderServer.
func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if diags := checkPrivate(req.TypeName, req.PriorPrivate); diags.HasError() {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.PriorState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity, Diagnostics: wireErrors(diags)}, nil
	}
	return s.frameworkServer.PlanResourceChange(ctx, req)
}

// wireErrors are errors as the protocol has them.
func wireErrors(diags diag.Diagnostics) []*tfprotov6.Diagnostic {
	var errors []*tfprotov6.Diagnostic
	for _, d := range diags.Errors() {
		errors = append(errors, &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: d.Summary(), Detail: d.Detail()})
	}
	return errors
}

// InvokeAction implements tfprotov6.ActionServer. The action runs while its events are read, and to its end
// even if the client has had enough of them: it may be about to undo what it did.
func (s *server) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	ctx, cancel := s.untilStopped(ctx)
	stream, err := s.frameworkServer.InvokeAction(ctx, req)
	if err != nil {
		cancel()
		return nil, err
	}
	run := stream.Events
	stream.Events = func(push func(tfprotov6.InvokeActionEvent) bool) {
		defer cancel()
		wanted := true
		run(func(event tfprotov6.InvokeActionEvent) bool {
			wanted = wanted && push(event)
			return true
		})
	}
	return stream, nil
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
