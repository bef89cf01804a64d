// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"crypto/x509"
	"os"
	"os/signal"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// sweepTimeout bounds the cleanup, which runs when the test's own time may be
// over.
const sweepTimeout = 5 * time.Minute

// TestConformance runs the checks and asks the questions, and writes the report.
func TestConformance(t *testing.T) {
	t.Parallel()
	settings, err := fromEnvironment(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := t.Context(), func() {}
	r := &run{service: emulated(t, emulator.Config{})}
	if settings.named {
		r = &run{service: newService(settings.target), emulator: r.service}
		// An interrupt ends what is under way, and leaves the cleanup to be done.
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt)
	}
	t.Cleanup(stop)
	t.Cleanup(r.service.http.CloseIdleConnections)
	t.Cleanup(func() {
		sweep(t, r)
		writeReport(t, r, settings.report)
	})
	if err := r.service.signIn(ctx); err != nil {
		t.Fatal(err)
	}
	// A tenant is asked one thing after the other.
	for _, c := range checks() {
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		t.Run("check/"+c.label, func(t *testing.T) {
			if err := r.check(ctx, c); err != nil {
				t.Errorf("%s (%s): %s", c.says, c.mark, r.service.plain(err.Error()))
			}
		})
	}
	for _, q := range questions() { //nolint:paralleltest // as above
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		t.Run("question/"+q.label, func(t *testing.T) {
			if err := r.ask(ctx, q); err != nil {
				t.Errorf("%s: couldn't be asked: %s", q.title, r.service.plain(err.Error()))
			}
		})
	}
}

// writeReport writes the report, or logs it if no file is named.
func writeReport(t *testing.T, r *run, file string) {
	t.Helper()
	report, s := r.markdown(), r.service
	for _, word := range slices.Concat(s.secrets, []string{s.tenantID, s.clientID}) {
		if strings.Contains(strings.ToLower(report), strings.ToLower(word)) {
			t.Fatal("the report is withheld: it has a secret, or names the tenant or the application")
		}
	}
	if file == "" {
		t.Logf("\n%s", report)
		return
	}
	if err := os.WriteFile(file, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("the report: %s", file)
}

// sweep deletes what a run has left, and tells what it couldn't.
func sweep(t *testing.T, r *run) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	r.left, r.leftErr = r.service.sweep(ctx)
	if len(r.left) > 0 || r.leftErr != nil {
		t.Errorf("left over, and to be deleted by hand: %v (%v)", r.left, r.leftErr)
	}
}

// emulated is a tenant of an emulator of its own, signed in to, that somebody
// else uses too.
func emulated(t *testing.T, config emulator.Config) *service {
	t.Helper()
	s, _ := emulatedTenant(t, config)
	return s
}

func emulatedTenant(t *testing.T, config emulator.Config) (*service, *emulator.Tenant) {
	t.Helper()
	server, err := emulator.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	tenant := server.NewTenant(emulator.TenantConfig{})
	tenant.AddKeySet("Foreign")
	tenant.AddKeySet("AnotherForeign")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(server.CAPEM())
	s := newService(target{
		tenantID: tenant.ID(), clientID: tenant.ClientID(), clientSecret: tenant.ClientSecret(),
		graph: server.URL(), authority: server.URL(), ca: pool,
	})
	s.patience = 10 * time.Second
	t.Cleanup(s.http.CloseIdleConnections)
	if err := s.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, tenant
}
