// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// echoPart is how many characters of a secret are echoed where it isn't echoed whole.
const echoPart = 12

// middle is the part of a secret that every echo has, and that is looked for.
func middle(secret []byte) []byte {
	at := (len(secret) - echoPart) / 2
	return secret[at : at+echoPart]
}

// echoSpellings are the ways in which an answer may repeat a secret. They share nothing with what the search looks for.
func echoSpellings() map[string]func(secret []byte) string {
	quoted := func(format string) func([]byte) string {
		return func(s []byte) string {
			var b strings.Builder
			for _, one := range s {
				fmt.Fprintf(&b, format, one)
			}
			return b.String()
		}
	}
	return map[string]func([]byte) string{
		"whole":                func(s []byte) string { return string(s) },
		"part":                 func(s []byte) string { return string(middle(s)) },
		"base64":               base64.StdEncoding.EncodeToString,
		"base64 of a part":     func(s []byte) string { return base64.StdEncoding.EncodeToString(middle(s)) },
		"base64, unpadded":     base64.RawStdEncoding.EncodeToString,
		"base64url":            base64.URLEncoding.EncodeToString,
		"base64url, unpadded":  base64.RawURLEncoding.EncodeToString,
		"base64, one in front": func(s []byte) string { return base64.StdEncoding.EncodeToString(append([]byte{':'}, s...)) },
		"base64, two in front": func(s []byte) string { return base64.StdEncoding.EncodeToString(append([]byte("x:"), s...)) },
		"hex":                  hex.EncodeToString,
		"HEX of a part":        func(s []byte) string { return strings.ToUpper(hex.EncodeToString(middle(s))) },
		"hex, spaced":          func(s []byte) string { return fmt.Sprintf("% x", s) },
		"entities":             quoted("&#%d;"),
		"hex entities":         quoted("&#x%x;"),
		"percent signs":        quoted("%%%02X"),
		"URL query":            func(s []byte) string { return url.QueryEscape(string(s)) },
		"JSON escapes":         quoted(`\u%04x`),
	}
}

// echoPlace is where an answer repeats a secret.
type echoPlace struct {
	// signsIn: the answer is Entra ID's.
	signsIn bool
	// reads: it is the answer to a GET, or otherwise to what makes or changes something.
	reads bool
	// answer is what the request is answered.
	answer func(req *http.Request, leak string) (status int, header http.Header, body string)
}

// echoPlaces are the places of an answer. Leaks are made of characters that JSON takes, or are escaped.
func echoPlaces() map[string]echoPlace {
	object := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	failure := func(code, message string) string {
		return object(map[string]any{"error": map[string]string{"code": code, "message": message}})
	}
	message := func(status int) func(*http.Request, string) (int, http.Header, string) {
		return func(_ *http.Request, leak string) (int, http.Header, string) {
			return status, nil, failure("BadRequest", "You have sent "+leak+".")
		}
	}
	return map[string]echoPlace{
		"message":             {answer: message(http.StatusBadRequest)},
		"message of a denial": {answer: message(http.StatusForbidden)},
		"message of a read":   {reads: true, answer: message(http.StatusForbidden)},
		"code": {answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			return http.StatusBadRequest, nil, failure(leak, "No.")
		}},
		"request id": {answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			inHeader := strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '?'
				}
				return r
			}, leak)
			return http.StatusBadRequest, http.Header{"Request-Id": {inHeader}, "Client-Request-Id": {inHeader}}, failure("BadRequest", "No.")
		}},
		"page": {answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			return http.StatusForbidden, http.Header{"Content-Type": {"text/html"}}, "<html>You have sent " + leak + "</html>"
		}},
		"id of a success": {answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			return http.StatusOK, nil, object(map[string]any{"id": leak, "kid": leak, "kty": "oct", "use": "sig"})
		}},
		"kid of a read": {reads: true, answer: func(req *http.Request, leak string) (int, http.Header, string) {
			set := map[string]any{"id": "B2C_1A_Signing", "keys": []any{map[string]any{"kid": leak, "kty": "oct", "use": "sig"}}}
			if strings.HasSuffix(strings.ToLower(req.URL.Path), "/keysets") {
				return http.StatusOK, nil, object(map[string]any{"value": []any{set}})
			}
			return http.StatusOK, nil, object(set)
		}},
		"OpenID document": {signsIn: true, reads: true, answer: func(req *http.Request, leak string) (int, http.Header, string) {
			address := "https://" + req.URL.Host + "/" + leak
			return http.StatusOK, nil, object(map[string]any{"issuer": address, "authorization_endpoint": address, "token_endpoint": address})
		}},
		"host of the token endpoint": {signsIn: true, reads: true, answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			address := "https://" + leak + ".example/token"
			return http.StatusOK, nil, object(map[string]any{"issuer": address, "authorization_endpoint": address, "token_endpoint": address})
		}},
		"Entra ID's description": {signsIn: true, answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			return http.StatusUnauthorized, nil, object(map[string]any{
				"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided: " + leak + ".\r\nTrace ID: " + leak,
				"error_codes": []int{7000215}, "trace_id": leak, "correlation_id": leak, "error_uri": leak,
			})
		}},
		"Entra ID's error": {signsIn: true, answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			return http.StatusBadRequest, nil, object(map[string]any{"error": leak, "error_description": "AADSTS50000: No."})
		}},
		"page of a login": {signsIn: true, answer: func(_ *http.Request, leak string) (int, http.Header, string) {
			return http.StatusForbidden, http.Header{"Content-Type": {"text/html"}}, "<html>You have sent " + leak + "</html>"
		}},
	}
}

// echo answers in the place of Graph and Entra ID, and remembers what it has answered.
type echo struct {
	graph, login http.RoundTripper

	mu     sync.Mutex
	place  echoPlace
	write  func([]byte) string
	secret []byte // nil for the last assertion or token, whichever secret is told by
	told   func(req *http.Request, form url.Values) string
	sent   bytes.Buffer
	echoed []byte
}

// RoundTrip implements http.RoundTripper.
func (e *echo) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		form = nil // it is JSON
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	secret := e.secret
	if text := e.told(req, form); secret == nil && text != "" {
		e.echoed = []byte(text)
	}
	if secret == nil {
		secret = e.echoed
	}
	signsIn := !strings.HasPrefix(req.URL.Path, "/beta/")
	if e.write == nil || secret == nil || signsIn != e.place.signsIn || (req.Method == http.MethodGet) != e.place.reads {
		e.mu.Unlock()
		defer e.mu.Lock()
		if signsIn {
			return e.login.RoundTrip(req)
		}
		return e.graph.RoundTrip(req)
	}
	e.echoed = secret
	leak := e.write(secret)
	status, header, text := e.place.answer(req, leak)
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	fmt.Fprintf(&e.sent, "%s\n", leak)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)), Request: req,
	}, nil
}

// authority is a server that passes on to Entra ID what isn't echoed.
func (e *echo) authority(t *testing.T, to *emulator.Server) *httptest.Server {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(to.CAPEM())
	login := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(login.CloseIdleConnections)
	e.login = login
	target, err := url.Parse(to.URL())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // Entra ID's addresses name the host asked
		},
		Transport: e, ErrorLog: log.New(io.Discard, "", 0),
	})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// loggedServer gives each call a log at TRACE.
type loggedServer struct {
	tfprotov6.ProviderServer
	log *syncBuffer
}

// syncBuffer is a buffer that several goroutines write to.
type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write implements io.Writer.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (s loggedServer) logged(ctx context.Context) context.Context {
	return tflogtest.RootLogger(ctx, s.log)
}

// ConfigureProvider implements tfprotov6.ProviderServer.
func (s loggedServer) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return s.ProviderServer.ConfigureProvider(s.logged(ctx), req)
}

// PlanResourceChange implements tfprotov6.ProviderServer.
func (s loggedServer) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return s.ProviderServer.PlanResourceChange(s.logged(ctx), req)
}

// ApplyResourceChange implements tfprotov6.ProviderServer.
func (s loggedServer) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return s.ProviderServer.ApplyResourceChange(s.logged(ctx), req)
}

// ReadDataSource implements tfprotov6.ProviderServer.
func (s loggedServer) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	return s.ProviderServer.ReadDataSource(s.logged(ctx), req)
}
