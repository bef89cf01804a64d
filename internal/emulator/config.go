// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"errors"
	"fmt"
	"log"
	"net"
	"regexp"
	"time"
)

// ErrNotLoopback is wrapped by the error of [Start] for an address that other
// machines can reach: tokens and drift are handed out to whoever asks.
var ErrNotLoopback = errors.New("the emulator listens on loopback addresses only")

var hostnamePattern = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?))*$`)

// defaultListen lets the system choose the port, so that servers never clash.
const defaultListen = "127.0.0.1:0"

// Config says how a [Server] is started. The zero value is usable.
type Config struct {
	// Listen is the host:port of Graph and Entra; "127.0.0.1:0" by default.
	Listen string
	// Control is the host:port of the control plane; empty means none.
	Control string
	// Hostnames are extra names in the server's certificate, for clients that
	// reach loopback by a name of their own.
	Hostnames []string
	// Latency is added before each answer, in real time.
	Latency time.Duration
	// Seed drives everything random but secrets and key material. Equal seeds
	// and equal requests in equal order give equal ids.
	Seed uint64
	// Clock is the time the emulator lives in; nil is the wall clock.
	Clock Clock
	// Switches turn single behaviors.
	Switches Switches
	// Observe, if set, is called with the journal entry of each request, before
	// its answer is sent. Calls can overlap.
	Observe func(Entry)
	// ErrorLog takes what net/http reports about connections, such as failed
	// handshakes; nil discards it.
	ErrorLog *log.Logger
}

func (c Config) check() error {
	for _, name := range c.Hostnames {
		if net.ParseIP(name) == nil && !hostnamePattern.MatchString(name) {
			return fmt.Errorf("host name %q: not a DNS name or an IP address", name)
		}
	}
	if c.Latency < 0 {
		return fmt.Errorf("latency %s: must not be negative", c.Latency)
	}
	return c.Switches.check()
}

// listenLoopback listens on an address that only this machine can reach.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %q: %w", address, ErrNotLoopback)
	}
	ln, err := net.Listen("tcp", address) //nolint:noctx // names this machine: there is nothing to wait for
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	// What "localhost" means is the machine's choice, so the result counts.
	if tcp, ok := ln.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = ln.Close()
		return nil, fmt.Errorf("listen on %q: %w", address, ErrNotLoopback)
	}
	return ln, nil
}
