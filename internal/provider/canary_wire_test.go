// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// wire passes on to the emulator what the provider sends, and remembers it, for the provider is another process.
type wire struct {
	server    *httptest.Server
	transport *http.Transport

	mu     sync.Mutex
	bytes  bytes.Buffer
	tokens []string
}

func newWire(t *testing.T, to *emulator.Server) *wire {
	t.Helper()
	w := &wire{}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(to.CAPEM())
	target, err := url.Parse(to.URL())
	if err != nil {
		t.Fatal(err)
	}
	w.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // Entra ID's addresses name the host asked
		},
		Transport:      w.transport,
		ModifyResponse: w.remember,
		// An answer that is cut off is cut off here too.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			return // the client has left
		}
		w.mu.Lock()
		fmt.Fprintf(&w.bytes, "%s\n%s\n", in.Header.Get("Authorization"), body)
		w.mu.Unlock()
		in.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(out, in)
	}))
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.server.StartTLS()
	t.Cleanup(w.close)
	return w
}

// close ends all connections, on both sides.
func (w *wire) close() {
	w.server.CloseClientConnections()
	w.server.Close()
	w.transport.CloseIdleConnections()
}

// remember takes the token out of an answer of Entra ID.
func (w *wire) remember(resp *http.Response) error {
	if !strings.HasSuffix(resp.Request.URL.Path, "/token") {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		Token string `json:"access_token"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Token != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.tokens = append(w.tokens, answer.Token)
	}
	return nil
}

func (w *wire) issued() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.tokens...)
}

func (w *wire) recorded() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.bytes.Bytes())
}

// authority is the certificate authority that the wire's own certificate is checked against.
func (w *wire) authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
}
