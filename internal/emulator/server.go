// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// headerTimeout and bodyTimeout keep a client that stalls from holding a
	// connection for good; idleTimeout is longer than any client's own.
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeader is ample for a token with a few claims.
	maxHeader = 64 << 10
)

// Server is a running emulator.
type Server struct {
	config  Config
	clock   *offsetClock
	ids     *seeded
	signer  *signer
	caPEM   []byte
	url     string
	control string
	names   map[string]bool // the names that the certificate covers
	gate    *gate
	idle    idlers
	graph   *http.Server
	plane   *http.Server
	seq     atomic.Int64
	nobody  journal // requests of no tenant

	stop    context.CancelFunc
	serving sync.WaitGroup // Serve loops
	working sync.WaitGroup // handlers

	mu      sync.Mutex // guards all below
	closed  bool
	tenants map[string]*Tenant                   // by GUID and by domain
	issuers map[string]map[string]*rsa.PublicKey // by issuer, then by kid
	order   []*Tenant
}

// Start starts an emulator without tenants. The caller closes it.
func Start(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("start the emulator: %w", err)
	}
	if c.Listen == "" {
		c.Listen = defaultListen
	}
	if c.ErrorLog == nil {
		c.ErrorLog = log.New(io.Discard, "", 0)
	}
	leaf, caPEM, err := newCertificate(c.Hostnames)
	if err != nil {
		return nil, fmt.Errorf("start the emulator: %w", err)
	}
	signer, err := newSigner()
	if err != nil {
		return nil, fmt.Errorf("start the emulator: %w", err)
	}
	s := &Server{
		config:  c,
		clock:   newOffsetClock(c.Clock),
		ids:     newSeeded(c.Seed),
		signer:  signer,
		caPEM:   caPEM,
		names:   map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true},
		idle:    idlers{conns: map[net.Conn]*connState{}},
		tenants: map[string]*Tenant{},
		issuers: map[string]map[string]*rsa.PublicKey{},
	}
	for _, name := range c.Hostnames {
		s.names[canonicalName(name)] = true
	}
	ln, err := listenLoopback(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("start the emulator: %w", err)
	}
	s.gate = &gate{Listener: ln}
	s.url = "https://" + ln.Addr().String()

	var plane net.Listener
	if c.Control != "" {
		if plane, err = listenLoopback(c.Control); err != nil {
			_ = ln.Close()
			return nil, fmt.Errorf("start the control plane: %w", err)
		}
		s.control = "http://" + plane.Addr().String()
	}

	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.graph = s.newHTTPServer(ctx, http.HandlerFunc(s.serve))
	s.graph.ConnState = s.idle.track
	s.run(s.graph, tls.NewListener(s.gate, &tls.Config{
		Certificates: []tls.Certificate{leaf},
		MinVersion:   tls.VersionTLS12,
		// HTTP/1.1 only: a cut connection has to be the end of one request and
		// of its TCP connection, not the reset of one stream among many.
		NextProtos: []string{"http/1.1"},
	}))
	if plane != nil {
		s.plane = s.newHTTPServer(ctx, s.controlHandler())
		s.run(s.plane, plane)
	}
	return s, nil
}

func (s *Server) newHTTPServer(ctx context.Context, h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           s.counted(h),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		Protocols:         &protocols,
		ErrorLog:          s.config.ErrorLog,
	}
}

func (s *Server) run(srv *http.Server, ln net.Listener) {
	s.serving.Add(1)
	go func() {
		defer s.serving.Done()
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.config.ErrorLog.Printf("serve: %v", err)
		}
	}()
}

// counted lets Close wait for the handlers that run, and starts no new ones
// after it.
func (s *Server) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		s.working.Add(1)
		s.mu.Unlock()
		defer s.working.Done()
		h.ServeHTTP(w, r)
	})
}

// Close ends all connections and returns when no handler runs anymore. Calling
// it again does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()

	s.stop() // ends waits for latency
	err := s.graph.Close()
	if s.plane != nil {
		err = errors.Join(err, s.plane.Close())
	}
	s.serving.Wait()
	s.working.Wait()
	return err
}

// URL is the origin of Graph and of Entra, without a path.
func (s *Server) URL() string { return s.url }

// ControlURL is the origin of the control plane, or empty.
func (s *Server) ControlURL() string { return s.control }

// CAPEM is the throw-away CA that signed the server's certificate, new with
// each start.
func (s *Server) CAPEM() []byte { return append([]byte(nil), s.caPEM...) }

// Now is the time on the emulator's clock.
func (s *Server) Now() time.Time { return s.clock.Now() }

// Advance puts the emulator's clock forward. Tokens that a client holds expire
// by it too.
func (s *Server) Advance(d time.Duration) { s.clock.advance(max(d, 0)) }

// RefuseConnections makes the server close the next n TCP connections before
// their TLS handshake, so that no request can have been written. It counts for
// all tenants: a test that uses it wants a server of its own.
func (s *Server) RefuseConnections(n int) { s.gate.set(n) }

// CloseIdle closes the connections that wait for a next request, and those at
// work as soon as they are done. A client may take a moment to notice; one
// that must not use an old connection is better served by SetKeepAlives.
func (s *Server) CloseIdle() { s.idle.closeAll() }

// Connections returns how many TCP connections are open, and how many there
// were at once at most. It may be a moment until the end of one shows.
func (s *Server) Connections() (open, most int) { return s.idle.count() }

// SetKeepAlives(false) closes idle connections and makes each answer announce
// the end of its connection, so that each request opens a new one.
func (s *Server) SetKeepAlives(on bool) { s.graph.SetKeepAlivesEnabled(on) }

// Journal returns the answered requests of all tenants, and those that belong
// to none, in order of arrival.
func (s *Server) Journal() []Entry {
	all := s.nobody.list()
	for _, t := range s.allTenants() {
		all = append(all, t.Journal()...)
	}
	sortEntries(all)
	return all
}

func (s *Server) nextSeq() int { return int(s.seq.Add(1)) }
