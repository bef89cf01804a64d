// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"
)

// NewHTTPTransport returns a transport that honors HTTPS_PROXY and trusts the system's certificate
// authorities and those in caPEM (PEM; empty for none). It fails if caPEM isn't empty and holds no
// certificate.
//
// It speaks HTTP/1.1 only: there a request has a connection to itself, so that what was written and
// what was not can be told, and nothing below sends a POST again after a GOAWAY.
func NewHTTPTransport(caPEM []byte) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(caPEM) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("read the system's certificate authorities: %w", err)
		}
		if !pool.AppendCertsFromPEM(caPEM) {
			return nil, fmt.Errorf("no PEM certificate found")
		}
		config.RootCAs = pool
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: onProxyConnect,
		DialContext:            (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		Protocols:              protocols,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    15 * time.Second,
		IdleConnTimeout:        60 * time.Second,
		// Terraform runs ten operations at a time by default; each finds a connection to come back to.
		MaxIdleConnsPerHost: 16,
	}, nil
}
