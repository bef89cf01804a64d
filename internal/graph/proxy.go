// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// proxyRefusal is a proxy's answer to CONNECT that isn't a connection. Of its words none are repeated, which net/http
// would do, and of the proxy's address only host and port: all else may be a password.
type proxyRefusal struct {
	proxy, target string
	status        int
}

func (e *proxyRefusal) Error() string {
	text := fmt.Sprintf("the proxy %s refused to connect to %s with status %d", e.proxy, e.target, e.status)
	if words := http.StatusText(e.status); words != "" {
		text += " (" + words + ")"
	}
	if e.status == http.StatusProxyAuthRequired {
		text += ": HTTPS_PROXY needs the user and password that it takes, as in http://USER:PASSWORD@HOST:PORT with special characters percent-encoded"
	}
	return text
}

// onProxyConnect is http.Transport's OnProxyConnectResponse.
func onProxyConnect(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	refusal := &proxyRefusal{proxy: proxy.Host, target: connect.Host, status: resp.StatusCode}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode == http.StatusTooManyRequests {
		return refusal
	}
	return lastingFailure{refusal}
}
