// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

var guidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// The application permissions of Graph for key sets (documented).
const (
	RoleRead      = "TrustFrameworkKeySet.Read.All"
	RoleReadWrite = "TrustFrameworkKeySet.ReadWrite.All"
)

// TenantConfig says what a tenant looks like. Empty fields are generated.
type TenantConfig struct {
	// ID is the tenant's GUID.
	ID string
	// Domain is another name of the tenant in addresses.
	Domain string
	// ClientID is the GUID of the only application.
	ClientID string
	// ClientSecret is the application's secret.
	ClientSecret string
	// Roles are the application permissions; nil means [RoleReadWrite].
	Roles []string
}

// Check reports what [Server.NewTenant] would panic about in the fields alone.
func (c TenantConfig) Check() error {
	for name, id := range map[string]string{"tenant id": c.ID, "client id": c.ClientID} {
		if id != "" && !guidPattern.MatchString(id) {
			return fmt.Errorf("%s %q: not a GUID", name, id)
		}
	}
	if c.Domain != "" && !hostnamePattern.MatchString(c.Domain) {
		return fmt.Errorf("domain %q: not a DNS name", c.Domain)
	}
	return nil
}

// Tenant is a directory with one application and a store of its own.
type Tenant struct {
	server       *Server
	id           string
	domain       string
	clientID     string
	clientSecret string
	journal      journal

	mu           sync.Mutex // guards all below
	roles        []string
	certificates []*x509.Certificate
	federated    []FederatedCredential
	lag          time.Duration
	faults       []Fault
	storm        *storm
	store        store
	late         []lateWork      // in order of due
	tokens       map[string]bool // whether the token of a uti is still good
	inFlight     map[string]int  // writes under way, by canonical name
	answers      map[Op]answer   // the last answer of each operation that met no fault

	committing sync.Mutex // held while late work is done, so that nobody reads before it
}

// NewTenant adds a tenant. It panics if a field is malformed or the ID or
// Domain is taken: that is a mistake in the test, not a state of the world.
func (s *Server) NewTenant(c TenantConfig) *Tenant {
	if err := c.Check(); err != nil {
		panic("emulator: " + err.Error())
	}
	t := &Tenant{
		server:       s,
		id:           strings.ToLower(cmp.Or(c.ID, s.ids.guid())),
		clientID:     strings.ToLower(cmp.Or(c.ClientID, s.ids.guid())),
		clientSecret: cmp.Or(c.ClientSecret, secret()),
		roles:        slices.Clone(c.Roles),
		inFlight:     map[string]int{},
		answers:      map[Op]answer{},
		tokens:       map[string]bool{},
	}
	t.domain = strings.ToLower(cmp.Or(c.Domain, "tenant"+t.id[:8]+".onmicrosoft.com"))
	if c.Roles == nil {
		t.roles = []string{RoleReadWrite}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{t.id, t.domain} {
		if _, ok := s.tenants[name]; ok {
			panic(fmt.Sprintf("emulator: tenant %q exists", name))
		}
	}
	s.tenants[t.id], s.tenants[t.domain] = t, t
	s.order = append(s.order, t)
	return t
}

// tenant finds a tenant by GUID or domain, in any case; nil if there is none.
func (s *Server) tenant(name string) *Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenants[strings.ToLower(name)]
}

// allTenants returns the tenants in the order they were made.
func (s *Server) allTenants() []*Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// ID returns the tenant's GUID in lower case.
func (t *Tenant) ID() string { return t.id }

// Domain returns the tenant's domain name in lower case.
func (t *Tenant) Domain() string { return t.domain }

// ClientID returns the GUID of the tenant's application in lower case.
func (t *Tenant) ClientID() string { return t.clientID }

// ClientSecret returns the secret of the tenant's application.
func (t *Tenant) ClientSecret() string { return t.clientSecret }

// SetRoles replaces the application's permissions. As with Entra they are
// written into tokens: a token that was issued before keeps what it has.
func (t *Tenant) SetRoles(roles ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.roles = slices.Clone(roles)
}

func (t *Tenant) currentRoles() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.roles)
}

// SetLag sets how long each commit from now on stays invisible to readers, on
// the emulator's clock.
func (t *Tenant) SetLag(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lag = max(d, 0)
}

// Inject adds a fault behind those that are there.
func (t *Tenant) Inject(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, f)
}

// ClearFaults takes all faults away, a storm among them. Work that is late is
// done all the same.
func (t *Tenant) ClearFaults() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults, t.storm = nil, nil
}

// ExpireTokens makes Graph say of each token issued so far that it has expired,
// as it does when it was revoked or the client's clock is behind.
func (t *Tenant) ExpireTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for uti := range t.tokens {
		t.tokens[uti] = false
	}
}

// tokenEnded tells whether a token was issued here and is no longer good.
func (t *Tenant) tokenEnded(uti string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	good, issued := t.tokens[uti]
	return issued && !good
}

// Journal returns the answered requests of this tenant in order of arrival.
// An entry is there before its client has the answer.
func (t *Tenant) Journal() []Entry { return t.journal.list() }

// ResetJournal empties the journal; the numbers go on.
func (t *Tenant) ResetJournal() { t.journal.reset() }

// beginWrite counts a write to a key set in, and reports whether another one
// is under way.
func (t *Tenant) beginWrite(keySet string) (overlap bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := canonicalName(keySet)
	t.inFlight[name]++
	return t.inFlight[name] > 1
}

func (t *Tenant) endWrite(keySet string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := canonicalName(keySet)
	if t.inFlight[name]--; t.inFlight[name] == 0 {
		delete(t.inFlight, name)
	}
}

// visibleAt is when a commit made at a given time shows; zero means at once. The
// caller holds the lock.
func (t *Tenant) visibleAt(at time.Time, own time.Duration) time.Time {
	lag := t.lag
	if own > 0 {
		lag = own
	}
	if lag == 0 {
		return time.Time{}
	}
	return at.Add(lag)
}
