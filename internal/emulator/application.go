// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// FederatedCredential lets the tenant's application sign in with the ID tokens
// of another issuer. All three are compared as they are written.
type FederatedCredential struct {
	Issuer, Subject, Audience string
}

// AddCertificate registers a certificate with the tenant's application. Its
// dates and those of assertions are judged on the emulator's clock.
func (t *Tenant) AddCertificate(c *x509.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.certificates = append(t.certificates, c)
}

// AddFederatedCredential registers a federated credential with the tenant's
// application.
func (t *Tenant) AddFederatedCredential(c FederatedCredential) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.federated = append(t.federated, c)
}

// AddIssuer makes known what Entra would find in an issuer's OpenID document:
// one of its signing keys.
func (s *Server) AddIssuer(issuer, kid string, key *rsa.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.issuers[issuer] == nil {
		s.issuers[issuer] = map[string]*rsa.PublicKey{}
	}
	s.issuers[issuer][kid] = key
}

func (s *Server) issuerKey(issuer, kid string) *rsa.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issuers[issuer][kid]
}

// certificate finds the certificate that a thumbprint in an assertion's header
// names; nil if there is none.
func (t *Tenant) certificate(a assertion) *x509.Certificate {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.certificates {
		long, short := sha256.Sum256(c.Raw), sha1.Sum(c.Raw) //nolint:gosec // as above
		if names(a.header.X5TS256, long[:]) || a.header.X5TS256 == "" && names(a.header.X5T, short[:]) {
			return c
		}
	}
	return nil
}

// names compares a thumbprint: base64url as RFC 7515 says, or base64 as MSAL
// for Go writes x5t#S256.
func names(written string, thumbprint []byte) bool {
	return written == base64.RawURLEncoding.EncodeToString(thumbprint) || written == base64.StdEncoding.EncodeToString(thumbprint)
}

func (t *Tenant) federatedCredentials() []FederatedCredential {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.federated)
}

// Identity is who a token is for that the token endpoint isn't asked for.
type Identity struct {
	// ClientID is the application, and that of a managed identity; empty means
	// the tenant's application.
	ClientID string
	// ManagedIdentity is the resource id of a managed identity (xms_mirid).
	ManagedIdentity string
	// Scopes make it a user's token, with these delegated permissions.
	Scopes []string
	// Roles are the application permissions; nil means those of the tenant's
	// application. A user's token has none.
	Roles []string
}

// IssueToken gives out a token as a managed identity's endpoint or a login of
// the Azure CLI would. The resource is one of Graph's, such as
// "https://graph.microsoft.com".
func (t *Tenant) IssueToken(resource string, id Identity) (token string, expires time.Time, err error) {
	token, err = t.issue(resource, id, t.server.ids.guid(), false)
	return token, t.server.clock.Now().Add(tokenLife), err
}

func (t *Tenant) issue(resource string, id Identity, uti string, cae bool) (string, error) {
	now := t.server.clock.Now()
	c := claims{
		Aud: resource, Iss: "https://sts.windows.net/" + t.id + "/",
		Iat: now.Unix(), Nbf: now.Unix(), Exp: now.Add(tokenLife).Unix(),
		Appid: strings.ToLower(id.ClientID), Tid: t.id, Uti: uti, Ver: "1.0",
		XmsMirid: id.ManagedIdentity,
	}
	if c.Appid == "" {
		c.Appid = t.clientID
	}
	if len(id.Scopes) > 0 {
		c.Idtyp, c.Scp, c.Oid = "user", strings.Join(id.Scopes, " "), principal("user of", c.Appid)
	} else {
		c.Idtyp, c.Oid, c.Roles = "app", principal("service principal of", c.Appid), id.Roles
		if id.Roles == nil {
			c.Roles = t.currentRoles()
		}
	}
	c.Sub = c.Oid
	if cae {
		c.XmsCC = []string{"CP1"}
	}
	token, err := t.server.signer.issue(c, t.server.config.Switches.OpaqueTokens)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens[uti] = true
	return token, nil
}

// principal derives an object id, so that it is the same in each token.
func principal(kind, clientID string) string {
	sum := sha256.Sum256([]byte(kind + " " + clientID))
	return newSeeded(uint64(sum[0])<<24 | uint64(sum[1])<<16 | uint64(sum[2])<<8 | uint64(sum[3])).guid()
}
