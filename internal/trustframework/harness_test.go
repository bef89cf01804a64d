// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/auth"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
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
	// clientClock is what new clients ask for the time; it is clock unless a test wraps that.
	clientClock clock.Clock
	// transports are those of all clients.
	transports []*http.Transport

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
	w, err := startWorld(switches)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	w.client = w.newClient(t)
	return w
}

// startWorld starts a world without a client. The caller closes it.
func startWorld(switches emulator.Switches) (*world, error) {
	w := &world{clock: clocktest.NewFake(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)), watched: map[emulator.Op]func(){}}
	server, err := emulator.Start(emulator.Config{Clock: w.clock, Switches: switches, Observe: w.observe})
	if err != nil {
		return nil, err
	}
	w.server, w.clientClock = server, w.clock
	w.Tenant = server.NewTenant(emulator.TenantConfig{})
	return w, nil
}

// close ends the connections of all clients, and the emulator.
func (w *world) close() error {
	for _, transport := range w.transports {
		transport.CloseIdleConnections()
	}
	return w.server.Close()
}

// newClient returns a client that shares nothing with others, as another process would.
func (w *world) newClient(t *testing.T) *trustframework.Client {
	t.Helper()
	client, err := w.connect(0)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// settlingClient is newClient with another settle time.
func (w *world) settlingClient(t *testing.T, settle time.Duration) *trustframework.Client {
	t.Helper()
	config, err := w.config(0)
	if err != nil {
		t.Fatal(err)
	}
	config.SettleTime = settle
	return trustframework.New(config)
}

// connect is newClient with a time that each attempt of a request has, in the system's time; 0 for the default.
func (w *world) connect(attemptTimeout time.Duration) (*trustframework.Client, error) {
	config, err := w.config(attemptTimeout)
	if err != nil {
		return nil, err
	}
	return trustframework.New(config), nil
}

// config is that of a new client.
func (w *world) config(attemptTimeout time.Duration) (trustframework.Config, error) {
	transport, err := graph.NewHTTPTransport(w.server.CAPEM())
	if err != nil {
		return trustframework.Config{}, err
	}
	w.transports = append(w.transports, transport)
	cloud, _ := auth.EnvironmentByName("global")
	credential, _, err := auth.NewCredential(auth.Config{
		TenantID:                 w.ID(),
		ClientID:                 auth.Text{Value: w.ClientID()},
		ClientSecret:             auth.Text{Value: w.ClientSecret()},
		AuthorityHost:            w.server.URL(),
		DisableInstanceDiscovery: true,
		Transport:                &http.Client{Transport: transport},
	})
	if err != nil {
		return trustframework.Config{}, err
	}
	adapter, err := graph.NewAdapter(graph.Config{
		Endpoint:       w.server.URL(),
		Credential:     credential,
		Scope:          cloud.Scope(),
		Transport:      transport,
		Clock:          w.clientClock,
		UserAgent:      "test",
		AttemptTimeout: attemptTimeout,
	})
	if err != nil {
		return trustframework.Config{}, err
	}
	return trustframework.Config{Adapter: adapter, Clock: w.clientClock, SettleTime: settleTime}, nil
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
