// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"sync"
	"syscall"
)

// lastingFailure is a failure that waiting doesn't mend, such as a port that can't be one.
type lastingFailure struct{ error }

func (e lastingFailure) Unwrap() error { return e.error }

// NonRetriable is how azcore is told: sign-in goes through the same transport.
func (lastingFailure) NonRetriable() {}

// MarkLasting returns a RoundTripper whose failures that waiting doesn't mend are not tried again, neither here nor by azcore.
func MarkLasting(base http.RoundTripper) http.RoundTripper { return markLasting{base} }

type markLasting struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (m markLasting) RoundTrip(req *http.Request) (*http.Response, error) {
	var mu sync.Mutex // a connection may be made for somebody else in the end
	var handshake error
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			mu.Lock()
			defer mu.Unlock()
			handshake = err
		},
	})
	resp, err := m.base.RoundTrip(req.WithContext(ctx))
	if err == nil {
		return resp, nil
	}
	mu.Lock()
	defer mu.Unlock()
	if handshake != nil && !brokenOff(handshake) || isLasting(err) {
		return nil, lastingFailure{err}
	}
	return nil, err
}

// brokenOff reports whether a TLS handshake failed because the connection did, rather than because the two sides don't agree: on a
// version, a cipher, a certificate.
func brokenOff(err error) bool {
	var timeout net.Error
	var system syscall.Errno
	var op *net.OpError
	if errors.As(err, &op) && passingAlert(op.Err) {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &system) || errors.As(err, &timeout) && timeout.Timeout()
}

// isLasting reports whether waiting doesn't mend a failure.
func isLasting(err error) bool {
	var marked interface{ NonRetriable() }
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var address *net.AddrError
	return errors.As(err, &marked) || errors.As(err, &certificate) || errors.As(err, &record) ||
		errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &address) || errors.Is(err, errTooLong)
}

// passingAlert reports whether an error is one of the TLS alerts that say nothing of what the two sides agree on: internal_error
// and user_canceled (RFC 8446, section 6), as of a server that is just starting. The type of a received alert isn't exported.
func passingAlert(err error) bool {
	const internalError, userCanceled = 80, 90
	alert := reflect.ValueOf(err)
	return alert.Kind() == reflect.Uint8 && (alert.Uint() == internalError || alert.Uint() == userCanceled)
}
