// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// world is an emulator and a provider that live in the same time.
type world struct {
	*acctest.Env
	clock *clocktest.Fake
}

// start is the time at which every test's world begins.
func start() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, switches emulator.Switches) *world {
	t.Helper()
	clock := clocktest.NewFake(start())
	return &world{Env: acctest.Start(t, emulator.Config{Clock: clock, Switches: switches}), clock: clock}
}

// factories make the provider under test. It sees no environment variables but those given.
func (w *world) factories(variables map[string]string, wrap ...func(http.RoundTripper) http.RoundTripper) map[string]func() (tfprotov6.ProviderServer, error) {
	options := []provider.Option{
		provider.WithClock(w.clock),
		provider.WithEnvironment(func(name string) string { return variables[name] }),
	}
	for _, f := range wrap {
		options = append(options, provider.WithTransport(f))
	}
	return map[string]func() (tfprotov6.ProviderServer, error){
		"trustframework": providerserver.NewProtocol6WithError(provider.New("test", options...)()),
	}
}
