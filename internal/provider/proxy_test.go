// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/acctest"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccProxy_CarriesSignInAndGraph goes to names that only the proxy knows, since loopback goes past every proxy.
func TestAccProxy_CarriesSignInAndGraph(t *testing.T) {
	t.Parallel()
	const login, graph, password = "login.example.test", "graph.example.test", "canary-of-the-proxy"
	for name, right := range map[string]bool{"right password": true, "wrong password": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			w.Env = acctest.Start(t, emulator.Config{Observe: w.observe, Hostnames: []string{login, graph}})
			proxy := w.Proxy(t, password)
			address := proxy.URL()
			if !right {
				address = strings.Replace(address, password, password+"-old", 1)
			}
			tf, log := w.signingIn(t, setUp{variables: map[string]string{
				"ARM_CLIENT_ID": w.ClientID(), "ARM_CLIENT_SECRET": w.ClientSecret(), "HTTPS_PROXY": address,
				"AZURE_AUTHORITY_HOST": "https://" + login, "ARM_MSGRAPH_ENDPOINT": "https://" + graph,
			}})
			o := tf.apply(right)
			if targets := proxy.Targets(); right && !slices.Equal(targets, []string{graph + ":443", login + ":443"}) || !right && len(targets) > 0 {
				t.Errorf("the proxy has led to %q", targets)
			}
			if right && len(w.keys("B2C_1A_Signing")) != 1 {
				t.Errorf("keys %v", w.keys("B2C_1A_Signing"))
			}
			if !right && (!o.has("error", "Unable to sign in", "status 407", "HTTPS_PROXY needs the user and password") || proxy.Refused() != 1) {
				t.Errorf("after %d requests: %v", proxy.Refused(), o.diagnostics)
			}
			text, err := os.ReadFile(log)
			if err != nil || strings.Contains(string(text)+o.stdout+o.stderr, password) {
				t.Errorf("the password shows (%v)", err)
			}
		})
	}
}
