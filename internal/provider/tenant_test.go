// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// liveVariable makes the tests that any tenant can take run on the one that the provider's own variables
// (ARM_TENANT_ID and so on) name. It is set by make testacc-live.
const liveVariable = "TRUSTFRAMEWORK_ACC_LIVE"

// tenant is where a test runs that needs nothing but the provider: an emulated tenant in a world of its
// own, or any other, of which only key sets are touched whose names begin with prefix.
type tenant struct {
	t      *testing.T
	prefix string
	clock  clock.Clock
	// world is nil unless the tenant is ours to control.
	world *world
}

// anyTenant is an emulated tenant, or the one that the environment names.
func anyTenant(t *testing.T) *tenant {
	t.Helper()
	if os.Getenv(liveVariable) == "" {
		return newWorld(t, emulator.Switches{}).tenant(t)
	}
	return &tenant{t: t, prefix: "tfacc" + strings.ToLower(rand.Text()[:10]), clock: clock.Real{}}
}

// tenant is the world's own.
func (w *world) tenant(t *testing.T) *tenant {
	t.Helper()
	return &tenant{t: t, prefix: "tfacc", clock: w.clock, world: w}
}

// client runs a configuration, which has no provider block, on the tenant. What it has made in a
// tenant that goes on living is destroyed when the test ends.
func (n *tenant) client(config string) *client {
	n.t.Helper()
	if n.world != nil {
		return n.world.inProcess(n.t, n.world.Provider()+config)
	}
	variables := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if slices.ContainsFunc([]string{
			"ARM_", "AZURE_", "TRUSTFRAMEWORK_CA_", "TRUSTFRAMEWORK_SETTLE_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_",
		}, func(prefix string) bool { return strings.HasPrefix(strings.ToUpper(name), prefix) }) {
			variables[name] = value
		}
	}
	tf := ownProcess(n.t, config, variables)
	n.t.Cleanup(func() {
		// Nothing that a data source asks for may stop this.
		tf.configure("")
		if o := tf.run("apply", "-auto-approve", "-input=false"); o.exit != 0 {
			n.t.Errorf("key sets whose names begin with B2C_1A_%s may be left in the tenant: %v", n.prefix, o.diagnostics)
		}
	})
	return tf
}

// configure replaces the configuration of a client of the tenant.
func (n *tenant) configure(tf *client, config string) {
	n.t.Helper()
	if n.world != nil {
		config = n.world.Provider() + config
	}
	tf.configure(config)
}

// in is the NumericDate that lies d from now.
func (n *tenant) in(d time.Duration) int64 { return n.clock.Now().Add(d).Unix() }
