// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
	"strings"
	"time"
)

// namePrefix is what the service puts before the name of a key set that lacks
// it (documented: trustframework-post-keysets).
const namePrefix = "B2C_1A_"

// backupSuffix ends the name of the copy that a deletion leaves (documented
// for the portal, observed for the API).
const backupSuffix = ".bak"

// KeySet is a key set as it was committed, whatever lag hides.
type KeySet struct {
	ID   string `json:"id"`
	Keys []Key  `json:"keys"`
}

// Key is one key of a [KeySet]. It has no private material: the emulator drops
// that as soon as the key is made.
type Key struct {
	Kid string `json:"kid"`
	// Kty is "RSA" or "oct", whatever Switches.OctSpelling makes of it on the wire.
	Kty string `json:"kty"`
	Use string `json:"use"`
	// Nbf and Exp are NumericDates in seconds (RFC 7519); nil means unset.
	Nbf *int64 `json:"nbf"`
	Exp *int64 `json:"exp"`
	// N and E are base64url (RFC 7518, section 6.3.1); empty for oct.
	N string `json:"n,omitempty"`
	E string `json:"e,omitempty"`
	// X5C is the certificate chain of a certificate key, leaf first, each in
	// standard base64; X5T is the leaf's SHA-1 in base64url (RFC 7517).
	X5C []string `json:"x5c,omitempty"`
	X5T string   `json:"x5t,omitempty"`
	// Status is "enabled" or "disabled".
	Status string `json:"status"`
}

// KeySpec is a key to be made by somebody else. An empty Use means "sig", an
// empty Kty "RSA".
type KeySpec struct {
	Use string `json:"use"`
	Kty string `json:"kty"`
	// Nbf and Exp are NumericDates in seconds; nil means unset. Nothing is
	// checked, so that a test can place a key that has expired.
	Nbf *int64 `json:"nbf"`
	Exp *int64 `json:"exp"`
	// Certificate makes it the key of a certificate, whose kty is "RSA". Use, Nbf
	// and Exp stay what they are here: how the service derives them is unknown.
	Certificate *CertificateSpec `json:"certificate"`
}

// CertificateSpec is a certificate with an RSA key that nobody has.
type CertificateSpec struct {
	// Subject is the common name.
	Subject string `json:"subject"`
	// Issuer is the common name of an authority, whose own certificate follows in
	// the chain. If it is empty, the certificate is self-signed.
	Issuer string `json:"issuer"`
	// NotBefore and NotAfter are its dates, to the second. Nothing is checked.
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
}

const (
	statusEnabled  = "enabled"
	statusDisabled = "disabled"
)

// canonicalName is what names of key sets are compared by. Only ASCII letters
// lose their case: Unicode folding would make two names of one.
func canonicalName(id string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, id)
}

// prefixed returns the name with the service's prefix, which is recognized in
// any case and not doubled.
func prefixed(id string) string {
	if strings.HasPrefix(canonicalName(id), canonicalName(namePrefix)) {
		return id
	}
	return namePrefix + id
}

func isBackup(id string) bool {
	return strings.HasSuffix(canonicalName(id), backupSuffix)
}

func copyInt(p *int64) *int64 {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// clone returns a key that shares no memory with k.
func (k Key) clone() Key {
	k.Nbf, k.Exp, k.X5C = copyInt(k.Nbf), copyInt(k.Exp), slices.Clone(k.X5C)
	return k
}
