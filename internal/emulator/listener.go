// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"net"
	"net/http"
	"sync"
)

// gate closes connections before their TLS handshake, as often as it is told:
// a client that runs into it can't have written a request.
type gate struct {
	net.Listener
	mu     sync.Mutex
	refuse int
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil || !g.refused() {
			return conn, err
		}
		reset(conn)
	}
}

func (g *gate) refused() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuse == 0 {
		return false
	}
	g.refuse--
	return true
}

func (g *gate) set(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = max(n, 0)
}

// reset ends a connection with a TCP reset, so that what is under way is lost.
func reset(conn net.Conn) {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// idlers knows the connections that wait for a next request. A connection
// whose answer is still being sent counts as busy, and is closed after it.
type idlers struct {
	mu    sync.Mutex
	conns map[net.Conn]*connState
	most  int // that there were at once
}

type connState struct{ idle, doomed bool }

func (l *idlers) track(conn net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateNew:
		l.conns[conn] = &connState{}
		l.most = max(l.most, len(l.conns))
	case http.StateActive, http.StateIdle:
		c := l.conns[conn]
		if c == nil {
			return
		}
		c.idle = state == http.StateIdle
		if c.idle && c.doomed {
			_ = conn.Close()
		}
	case http.StateHijacked, http.StateClosed:
		delete(l.conns, conn)
	}
}

func (l *idlers) count() (open, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns), l.most
}

func (l *idlers) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn, c := range l.conns {
		c.doomed = true
		if c.idle {
			_ = conn.Close()
		}
	}
}
