// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

// maxControlBody bounds a request to the control plane.
const maxControlBody = 64 << 10

// controlError is an error of the control plane with its HTTP status.
type controlError struct {
	status int
	text   string
}

func (e *controlError) Error() string { return e.text }

func controlRefuse(status int, format string, args ...any) error {
	return &controlError{status: status, text: fmt.Sprintf(format, args...)}
}

// controlHandler is the control plane: plain HTTP and JSON on a listener of its
// own, for scripts that run the emulator as a command.
func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request, *Tenant) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := s.controlTenant(r, f)
			writeControl(w, v, err)
		})
	}
	handle("GET /journal", func(_ *http.Request, t *Tenant) (any, error) { return nonNil(t.Journal()), nil })
	handle("DELETE /journal", func(_ *http.Request, t *Tenant) (any, error) { t.ResetJournal(); return nil, nil })
	handle("POST /faults", controlFault)
	handle("DELETE /faults", func(_ *http.Request, t *Tenant) (any, error) { t.ClearFaults(); return nil, nil })
	handle("POST /lag", controlLag)
	handle("POST /time", controlTime)
	handle("POST /roles", controlRoles)
	handle("POST /connections", controlConnections)
	handle("GET /keysets", func(_ *http.Request, t *Tenant) (any, error) { return t.KeySets(), nil })
	handle("POST /keysets", controlAddKeySet)
	handle("DELETE /keysets/{id}", func(r *http.Request, t *Tenant) (any, error) {
		t.RemoveKeySet(r.PathValue("id"))
		return nil, nil
	})
	handle("POST /keys", controlAddKey)
	handle("DELETE /keys/{keySet}/{kid}", func(r *http.Request, t *Tenant) (any, error) {
		t.RemoveKey(r.PathValue("keySet"), r.PathValue("kid"))
		return nil, nil
	})
	return guardControl(mux)
}

// guardControl keeps web pages out: a browser names the page's origin, and a
// name that was rebound to loopback gives itself away in Host.
func guardControl(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip := net.ParseIP(host)
		if len(r.Header.Values("Origin")) > 0 || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			writeControl(w, nil, controlRefuse(http.StatusForbidden, "requests from web pages and to foreign hosts are refused"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
		next.ServeHTTP(w, r)
	})
}

// controlTenant finds the tenant, which the query names; if there is only one it
// needs no name.
func (s *Server) controlTenant(r *http.Request, f func(*http.Request, *Tenant) (any, error)) (any, error) {
	if r.Method == http.MethodPost {
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != "application/json" {
			return nil, controlRefuse(http.StatusUnsupportedMediaType, "the content type must be application/json")
		}
	}
	if name := r.URL.Query().Get("tenant"); name != "" {
		t := s.tenant(name)
		if t == nil {
			return nil, controlRefuse(http.StatusNotFound, "no tenant %q", name)
		}
		return f(r, t)
	}
	all := s.allTenants()
	if len(all) != 1 {
		return nil, controlRefuse(http.StatusBadRequest, "there are %d tenants: name one as ?tenant=", len(all))
	}
	return f(r, all[0])
}

func writeControl(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	var refused *controlError
	switch {
	case errors.As(err, &refused):
		status, v = refused.status, map[string]string{"error": refused.text}
	case err != nil:
		status, v = http.StatusBadRequest, map[string]string{"error": err.Error()}
	case v == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// An error means that the client has left, which is its own affair.
	_ = json.NewEncoder(w).Encode(v)
}

// readControl decodes one JSON object without unknown members.
func readControl(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("decode the body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode the body: more than one value")
	}
	return nil
}

// readDuration takes Go's notation ("90s"), nothing negative; empty is zero.
func readDuration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s %q: not a duration such as 90s", name, text)
	}
	return d, nil
}

func nonNil(entries []Entry) []Entry {
	if entries == nil {
		return []Entry{}
	}
	return entries
}
