// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/graph"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// settleTime is that of every client under test, in the fake clock's time.
const settleTime = time.Minute

// timeout is that of every create.
const timeout = 20 * time.Minute

// world is a tenant of an emulator and a client of it that live in the same time.
type world struct {
	*emulator.Tenant
	server *emulator.Server
	clock  *clocktest.Fake
	client *trustframework.Client

	mu      sync.Mutex
	watched map[emulator.Op]func()
}

// onRequest calls f when the emulator has worked on a request of op and before it answers.
func (w *world) onRequest(op emulator.Op, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched[op] = f
}

func (w *world) observe(e emulator.Entry) {
	w.mu.Lock()
	f := w.watched[e.Op]
	w.mu.Unlock()
	if f != nil {
		f()
	}
}

func newWorld(t *testing.T, switches emulator.Switches) *world {
	t.Helper()
	w := &world{clock: clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)), watched: map[emulator.Op]func(){}}
	server, err := emulator.Start(emulator.Config{Clock: w.clock, Switches: switches, Observe: w.observe})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	w.server = server
	w.Tenant = server.NewTenant(emulator.TenantConfig{})
	w.client = w.newClient(t)
	return w
}

// newClient returns a client that shares nothing with others, as another process would.
func (w *world) newClient(t *testing.T) *trustframework.Client {
	t.Helper()
	transport, err := graph.NewHTTPTransport(w.server.CAPEM())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	cloud, _ := auth.EnvironmentByName("global")
	credential, err := auth.NewCredential(auth.Config{
		TenantID:                 w.ID(),
		ClientID:                 w.ClientID(),
		ClientSecret:             w.ClientSecret(),
		AuthorityHost:            w.server.URL(),
		DisableInstanceDiscovery: true,
		Transport:                &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	adapter, err := graph.NewAdapter(graph.Config{
		Endpoint:   w.server.URL(),
		Credential: credential,
		Scope:      cloud.Scope(),
		Transport:  transport,
		Clock:      w.clock,
		UserAgent:  "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return trustframework.New(trustframework.Config{Adapter: adapter, Clock: w.clock, SettleTime: settleTime})
}

// count is how many requests of an operation there were since the journal was reset.
func (w *world) count(op emulator.Op) int {
	n := 0
	for _, e := range w.Journal() {
		if e.Op == op {
			n++
		}
	}
	return n
}

// keys is how many keys the key set really holds.
func (w *world) keys(id string) int {
	for _, s := range w.KeySets() {
		if s.ID == id {
			return len(s.Keys)
		}
	}
	return -1
}

func ptr[T any](v T) *T { return &v }
