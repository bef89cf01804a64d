// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// proxyPassword is in the proxy's address, as in HTTPS_PROXY, and may show nowhere.
const proxyPassword = "canary/proxy"

// proxy is a stand-in for a company's: it takes CONNECT with the right password, and otherwise answers with a
// status, repeating what it was sent.
type proxy struct {
	*httptest.Server

	mu       sync.Mutex
	refusals []int // the statuses to begin with
	connects int
}

func newProxy(t *testing.T, refusals ...int) *proxy {
	t.Helper()
	p := &proxy{refusals: refusals}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	status := 0
	if p.connects++; p.connects <= len(p.refusals) {
		status = p.refusals[p.connects-1]
	}
	p.mu.Unlock()
	given := r.Header.Get("Proxy-Authorization")
	if given != "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+proxyPassword)) || r.Method != http.MethodConnect {
		status = http.StatusProxyAuthRequired
	}
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer near.Close() //nolint:errcheck // it is a test's
	if status != 0 {
		_, _ = fmt.Fprintf(near, "HTTP/1.1 %d Not with %s %s\r\nProxy-Authenticate: Basic realm=%q\r\nContent-Length: 0\r\n\r\n", status, given, proxyPassword, proxyPassword)
		return
	}
	far, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		panic(err)
	}
	defer far.Close() //nolint:errcheck // it is a test's
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connected\r\n\r\n")
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
}

// behind sends a request through a proxy, with the transport that the provider has.
func (s *service) behind(ctx context.Context, t *testing.T, address, password string) error {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("user", password)
	base, err := NewHTTPTransport(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(base.CloseIdleConnections)
	trusting, ok := s.server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("the test server's client has changed")
	}
	base.Proxy, base.TLSClientConfig = http.ProxyURL(u), trusting.TLSClientConfig // the environment's passes loopback by
	transport := s.transport()
	transport.base = base
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+"/beta/x", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = newHTTPClient(transport).Do(req) //nolint:bodyclose // it is in memory
	return err
}

// TestTransport_RoundTrip_TellsAProxysRefusalAndNoPassword: requests is how often the proxy was asked.
func TestTransport_RoundTrip_TellsAProxysRefusalAndNoPassword(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		password string
		refusals []int
		connects int
		want     string // "" for none
	}{
		"a way through":       {proxyPassword, nil, 1, ""},
		"wrong password":      {proxyPassword + "!", nil, 1, "with status 407 (Proxy Authentication Required): HTTPS_PROXY needs the user and password"},
		"blocked":             {proxyPassword, []int{403}, 1, "with status 403 (Forbidden)"},
		"a redirect":          {proxyPassword, []int{302}, 1, "with status 302 (Found)"},
		"out of order once":   {proxyPassword, []int{503}, 2, ""},
		"too busy once":       {proxyPassword, []int{429}, 2, ""},
		"a status of its own": {proxyPassword, []int{499}, 1, "with status 499"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newService(t, status(200, `{}`)), newProxy(t, row.refusals...)
			ctx, cancel := s.clock.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := s.behind(ctx, t, p.URL, row.password)
			var e *Error
			if row.want == "" && err != nil || row.want != "" && (!errors.As(err, &e) || e.Sent) {
				t.Fatalf("got %v", err)
			}
			host := strings.TrimPrefix(p.URL, "http://")
			if row.want != "" && !strings.Contains(err.Error(), "not sent: the proxy "+host+" refused to connect to "+strings.TrimPrefix(s.server.URL, "https://")+" "+row.want) {
				t.Errorf("got %v", err)
			}
			if p.connects != row.connects || len(s.requests) > 1 {
				t.Errorf("%d requests to the proxy, %d to the service", p.connects, len(s.requests))
			}
			hidesProxyPassword(t, fmt.Sprintf("%v %+v\n%s", err, err, s.log))
		})
	}
}

// TestTransport_RoundTrip_AProxyThatIsAway: a connection refused may pass, so that it is tried until time is up.
func TestTransport_RoundTrip_AProxyThatIsAway(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	p.Close()
	s := newService(t, status(200, `{}`))
	ctx, cancel := s.clock.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := s.behind(ctx, t, p.URL, proxyPassword)
	var e *Error
	if !errors.As(err, &e) || e.Sent || !strings.Contains(err.Error(), "not sent: proxyconnect tcp: dial tcp "+strings.TrimPrefix(p.URL, "http://")+": connect: connection refused") {
		t.Errorf("got %v", err)
	}
	if len(s.requests) > 0 {
		t.Error("it went past the proxy")
	}
	hidesProxyPassword(t, fmt.Sprintf("%v %+v\n%s", err, err, s.log))
}

func hidesProxyPassword(t *testing.T, text string) {
	t.Helper()
	for _, spelling := range []string{proxyPassword, url.QueryEscape(proxyPassword), base64.StdEncoding.EncodeToString([]byte("user:" + proxyPassword)), "user:"} {
		if strings.Contains(text, spelling) {
			t.Errorf("the password shows:\n%s", text)
		}
	}
}
