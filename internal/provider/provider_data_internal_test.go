// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"slices"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestProviderData_Young: another machine's clock may be ahead, but not by much.
func TestProviderData_Young(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	data := &providerData{clock: clocktest.NewFake(now), client: &trustframework.Client{}}
	for age, want := range map[time.Duration]bool{
		0: true, 9 * time.Minute: true, 11 * time.Minute: false, -5 * time.Minute: true, -time.Hour: false,
	} {
		if got := data.young(now.Add(-age)); got != want {
			t.Errorf("%s: got %t, want %t", age, got, want)
		}
	}
	if data.young(time.Time{}) {
		t.Error("what has no time is young")
	}
}

// TestProxySecrets are the password itself, and what the proxy is sent.
func TestProxySecrets(t *testing.T) {
	t.Parallel()
	environment := map[string]string{ //nolint:gosec // it is made up for a test
		"HTTPS_PROXY": "http://user:p%40ssword@proxy.example:3128", "http_proxy": "http://proxy.example:3128", "HTTP_PROXY": "::",
	}
	got := proxySecrets(func(name string) string { return environment[name] })
	if want := []string{"p@ssword", "dXNlcjpwQHNzd29yZA=="}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
