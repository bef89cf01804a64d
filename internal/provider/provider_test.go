// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/clock/clocktest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// world is an emulator and a provider that live in the same time.
type world struct {
	*acctest.Env
	clock *clocktest.Fake
	// seen is the clock that providers are given, if it is another one on the same time.
	seen clock.Clock

	mu      sync.Mutex
	watches []watch
	every   []func(emulator.Entry)
}

// watch is something to do when the n-th request of a kind has been worked on.
type watch struct {
	of func(emulator.Entry) bool
	n  int
	do func()
}

// onAnswer calls do before the n-th request of an operation, from now on, is answered.
func (w *world) onAnswer(op emulator.Op, n int, do func()) {
	w.onAnswerOf(func(e emulator.Entry) bool { return e.Op == op }, n, do)
}

// onAnswerOf calls do before the n-th request of a kind, from now on, is answered.
func (w *world) onAnswerOf(kind func(emulator.Entry) bool, n int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watches = append(w.watches, watch{of: kind, n: n, do: do})
}

// onEvery calls do with each request that has been worked on, before it is answered.
func (w *world) onEvery(do func(emulator.Entry)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.every = append(w.every, do)
}

func (w *world) observe(e emulator.Entry) {
	w.mu.Lock()
	var due []func()
	for _, do := range w.every {
		due = append(due, func() { do(e) })
	}
	for i := range w.watches {
		if w.watches[i].of(e) {
			if w.watches[i].n--; w.watches[i].n == 0 {
				due = append(due, w.watches[i].do)
			}
		}
	}
	w.mu.Unlock()
	for _, do := range due {
		do()
	}
}

// keys are the keys that a key set really holds.
func (w *world) keys(id string) []emulator.Key {
	for _, s := range w.KeySets() {
		if s.ID == id {
			return s.Keys
		}
	}
	return nil
}

// start is the time at which every test's world begins.
func start() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, switches emulator.Switches) *world {
	t.Helper()
	return newWorldAt(t, start(), switches)
}

// newWorldAt is a world that begins at a given time.
func newWorldAt(t *testing.T, at time.Time, switches emulator.Switches) *world {
	t.Helper()
	return newWorldOf(t, at, emulator.Config{Switches: switches})
}

// newWorldOf is a world with an emulator of a given configuration.
func newWorldOf(t *testing.T, at time.Time, config emulator.Config) *world {
	t.Helper()
	w := &world{clock: clocktest.NewFake(at)}
	config.Clock, config.Observe = w.clock, w.observe
	w.Env = acctest.Start(t, config)
	return w
}

// newRealWorld is a world in the system's time, for a provider that runs as a process of its own.
func newRealWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.Env = acctest.Start(t, emulator.Config{Observe: w.observe})
	return w
}

// factories make the provider under test. It sees no environment variables but those given.
func (w *world) factories(variables map[string]string, wrap ...func(http.RoundTripper) http.RoundTripper) map[string]func() (tfprotov6.ProviderServer, error) {
	var c clock.Clock = w.clock
	if w.seen != nil {
		c = w.seen
	}
	options := []provider.Option{
		provider.WithClock(c),
		provider.WithEnvironment(func(name string) string { return variables[name] }),
	}
	for _, f := range wrap {
		options = append(options, provider.WithTransport(f))
	}
	return map[string]func() (tfprotov6.ProviderServer, error){
		"trustframework": func() (tfprotov6.ProviderServer, error) { return provider.NewServer("test", options...)(), nil },
	}
}
