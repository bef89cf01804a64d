// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Proxy is an HTTP proxy that leads every name to the emulator, for names that nothing else resolves.
type Proxy struct {
	server   *httptest.Server
	password string

	mu      sync.Mutex
	targets []string
	refused int
}

// Proxy runs a proxy that wants a password.
func (e *Env) Proxy(t *testing.T, password string) *Proxy {
	t.Helper()
	p := &Proxy{password: password}
	to := strings.TrimPrefix(e.Server.URL(), "https://")
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.connect(w, r, to) }))
	t.Cleanup(p.server.Close)
	return p
}

func (p *Proxy) connect(w http.ResponseWriter, r *http.Request, to string) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+p.password))
	p.mu.Lock()
	allowed := r.Header.Get("Proxy-Authorization") == want
	if allowed {
		p.targets = append(p.targets, r.Host)
	} else {
		p.refused++
	}
	p.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case !allowed:
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	upstream, err := new(net.Dialer).DialContext(r.Context(), "tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer upstream.Close() //nolint:errcheck // the connection has ended
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close() //nolint:errcheck // as above
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range []struct {
		into io.Writer
		from io.Reader
	}{{upstream, buffered}, {client, upstream}} {
		go func() {
			_, _ = io.Copy(way.into, way.from) // ends when either side does
			done <- struct{}{}
		}()
	}
	<-done
}

// URL is the proxy's address with user and password, for HTTPS_PROXY.
func (p *Proxy) URL() string {
	return "http://" + url.UserPassword("user", p.password).String() + "@" + strings.TrimPrefix(p.server.URL, "http://")
}

// Targets are the host:port that were asked for, each once.
func (p *Proxy) Targets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	targets := slices.Clone(p.targets)
	slices.Sort(targets)
	return slices.Compact(targets)
}

// Refused is the number of requests without the right password.
func (p *Proxy) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}
