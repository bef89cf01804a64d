// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestStart_WhenConfigIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config   emulator.Config
		loopback bool
	}{
		"all interfaces":      {emulator.Config{Listen: ":0"}, true},
		"0.0.0.0":             {emulator.Config{Listen: "0.0.0.0:0"}, true},
		"IPv6 any":            {emulator.Config{Listen: "[::]:0"}, true},
		"another machine":     {emulator.Config{Listen: "192.0.2.1:0"}, true},
		"name":                {emulator.Config{Listen: "example.com:0"}, true},
		"control":             {emulator.Config{Control: "0.0.0.0:0"}, true},
		"no port":             {emulator.Config{Listen: "127.0.0.1"}, false},
		"host name":           {emulator.Config{Hostnames: []string{"a b"}}, false},
		"latency":             {emulator.Config{Latency: -1}, false},
		"missing status":      {emulator.Config{Switches: emulator.Switches{MissingStatus: 410}}, false},
		"spelling":            {emulator.Config{Switches: emulator.Switches{OctSpelling: "Oct"}}, false},
		"page size":           {emulator.Config{Switches: emulator.Switches{PageSize: -1}}, false},
		"control has no port": {emulator.Config{Control: "localhost"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := emulator.Start(test.config)
			if err == nil {
				_ = s.Close()
				t.Fatal("no error")
			}
			if errors.Is(err, emulator.ErrNotLoopback) != test.loopback {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestStart_MakesItsOwnAuthority(t *testing.T) {
	t.Parallel()
	a := newServer(t, emulator.Config{Hostnames: []string{"graph.test", "127.0.0.2"}})
	b := newServer(t, emulator.Config{})
	if string(a.CAPEM()) == string(b.CAPEM()) {
		t.Error("two servers have one CA")
	}
	if strings.Contains(string(a.CAPEM()), "PRIVATE") {
		t.Error("the CA has a private key")
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.CAPEM())
	u, err := url.Parse(a.URL())
	if err != nil || u.Scheme != "https" || u.Hostname() != "127.0.0.1" {
		t.Fatalf("URL %q (%v)", a.URL(), err)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "::1", "graph.test", "127.0.0.2"} {
		conn, err := dialTLS(t, u.Host, &tls.Config{RootCAs: pool, ServerName: name, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p := conn.ConnectionState().NegotiatedProtocol; p != "http/1.1" {
			t.Errorf("%s: protocol %q", name, p)
		}
		_ = conn.Close()
	}
	if conn, err := dialTLS(t, u.Host, &tls.Config{RootCAs: pool, ServerName: "other.test", MinVersion: tls.VersionTLS12}); err == nil {
		_ = conn.Close()
		t.Error("a name that isn't in the certificate passes")
	}
	if conn, err := dialTLS(t, u.Host, &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}); err == nil { //nolint:gosec // to be refused
		_ = conn.Close()
		t.Error("TLS 1.1 passes")
	}
	block, _ := pem.Decode(a.CAPEM())
	if ca, err := x509.ParseCertificate(block.Bytes); err != nil || ca.Subject.CommonName != emulator.AuthorityName {
		t.Errorf("CA %v (%v)", ca, err)
	}
}

func TestStart_Seed_DrivesIDsButNoSecrets(t *testing.T) {
	t.Parallel()
	var tenants []*emulator.Tenant
	for _, seed := range []uint64{7, 7, 8} {
		tenants = append(tenants, newServer(t, emulator.Config{Seed: seed}).NewTenant(emulator.TenantConfig{}))
	}
	if tenants[0].ID() != tenants[1].ID() || tenants[0].ClientID() != tenants[1].ClientID() || tenants[0].Domain() != tenants[1].Domain() {
		t.Error("equal seeds, other ids")
	}
	if tenants[0].ID() == tenants[2].ID() {
		t.Error("other seeds, equal ids")
	}
	if tenants[0].ClientSecret() == tenants[1].ClientSecret() {
		t.Error("a secret comes from the seed")
	}
}

func TestServer_NewTenant_WhenRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{})
	taken := s.NewTenant(emulator.TenantConfig{})
	for name, config := range map[string]emulator.TenantConfig{
		"id":           {ID: "contoso"},
		"client id":    {ClientID: "1"},
		"domain":       {Domain: "a/b"},
		"id taken":     {ID: strings.ToUpper(taken.ID())},
		"domain taken": {Domain: taken.Domain()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			s.NewTenant(config)
		})
	}
}

func TestServer_RefuseConnections_BeforeARequestIsWritten(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.server.SetKeepAlives(false)
	c.http.CloseIdleConnections()
	c.server.RefuseConnections(2)
	for range 2 {
		wrote := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { wrote = true },
		})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server.URL()+"/beta/trustFramework/keySets", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := c.http.Do(req); err == nil {
			_ = resp.Body.Close()
			t.Fatal("the connection wasn't refused")
		}
		if wrote {
			t.Error("a request was written")
		}
	}
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	if got := len(c.tenant.Journal()); got != 1 {
		t.Errorf("%d requests in the journal, want 1", got)
	}
}

// reused sends a request and reports whether it went over an old connection.
func reused(t *testing.T, c *caller) bool {
	t.Helper()
	old := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { old = info.Reused },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server.URL()+"/beta/trustFramework/keySets", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return old
}

func TestServer_SetKeepAlives_ForcesNewConnections(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.server.SetKeepAlives(false)
	c.http.CloseIdleConnections()
	for range 2 {
		if reused(t, c) {
			t.Error("an old connection was used")
		}
	}
}

func dialTLS(t *testing.T, address string, config *tls.Config) (*tls.Conn, error) {
	t.Helper()
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return nil, err
	}
	secured, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatalf("a %T", conn)
	}
	return secured, nil
}

func TestServer_CloseIdle_EndsConnections(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{})
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CAPEM())
	conn, err := dialTLS(t, u.Host, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET /beta/x HTTP/1.1\r\nHost: " + u.Host + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16<<10)
	if n, err := conn.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 401") {
		t.Fatalf("answer %q (%v)", buf[:n], err)
	}
	s.CloseIdle()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = conn.Read(buf)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection is still open: %v", err)
	}
}

func TestServer_Latency_IsAddedAndEndsWithTheServer(t *testing.T) {
	t.Parallel()
	const latency = 50 * time.Millisecond
	c := newCaller(t, emulator.Config{Latency: latency})
	start := time.Now()
	c.call(http.MethodGet, "/trustFramework/keySets", "").want(t, http.StatusOK, "")
	if took := time.Since(start); took < latency {
		t.Errorf("answered after %s", took)
	}

	slow := newServer(t, emulator.Config{Latency: time.Hour})
	client := newHTTPClient(t, slow)
	failed := make(chan error, 1)
	wrote := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(wrote) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, slow.URL()+"/beta/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	<-wrote
	if err := slow.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("a request was answered after Close")
	}
}

func TestServer_Close_Twice(t *testing.T) {
	t.Parallel()
	s := newServer(t, emulator.Config{Control: "127.0.0.1:0"})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}
