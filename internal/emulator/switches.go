// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"fmt"
	"net/http"
)

// Switches turn behaviors whose truth is unknown, so that a client can be
// tested against each. The zero value is the default of each.
type Switches struct {
	// MissingStatus is the HTTP status for a key set that doesn't exist: 400
	// (the default, observed) or 404.
	MissingStatus int
	// OctSpelling is how answers spell the kty of symmetric keys: "oct" (the
	// default, observed) or "OCT" (documented examples).
	OctSpelling string
	// NumbersAsStrings sends nbf and exp as JSON strings, as the documented
	// example of keys_v2 does.
	NumbersAsStrings bool
	// ListWithoutKeys leaves the keys member out of listed key sets.
	ListWithoutKeys bool
	// ListRefused answers 403 to the listing, whatever the roles are.
	ListRefused bool
	// PageSize is how many key sets a page of the listing holds, the rest
	// following by @odata.nextLink; 0 means all in one page.
	PageSize int
	// NextLinkHost is the host and port that nextLinks name instead of the one
	// asked, as a service behind a proxy names its own.
	NextLinkHost string
	// OverlapRefused answers AADB2C95053 to a write that arrives while another
	// write to the same key set is under way.
	OverlapRefused bool
	// NoBackupOfEmpty leaves no .bak behind when an empty key set is deleted.
	NoBackupOfEmpty bool
	// FillNbf puts the time of the request into a key that is made without nbf.
	FillNbf bool
	// StatusInListing puts the status of each key into the keys member of key
	// sets, listed or read by themselves. The answers of actions have none.
	StatusInListing bool
	// DisabledAtFirst makes keys that are generated or uploaded start as disabled,
	// as policy-keys-overview says of uploads in the portal.
	DisabledAtFirst bool
	// WrappedKeyV2 wraps the answer of keys_v2/{kid} in a value member, as its
	// documented example does; for the example's strings see NumbersAsStrings.
	WrappedKeyV2 bool
	// NoKeysV2 makes keys_v2 a segment that the service doesn't know.
	NoKeysV2 bool
	// KeysV2Unlistable refuses GET of keys_v2, which only the metadata has, and
	// leaves the documented keys_v2/{kid}.
	KeysV2Unlistable bool
	// BothUsagesSign takes a certificate whose key usage has both for one that
	// signs, instead of one that encrypts.
	BothUsagesSign bool
	// NoUsageSigns takes a certificate without the key usage extension for one that
	// signs, instead of refusing it.
	NoUsageSigns bool
	// CertificateDates gives the key of a certificate the certificate's dates.
	CertificateDates bool
	// ModernPKCS12 takes PKCS#12 files that are encrypted with AES or have a MAC
	// of SHA-2, which otherwise is answered as a wrong password (observed).
	ModernPKCS12 bool
	// DuplicateKeys appends a certificate whose key the set holds already.
	DuplicateKeys bool
	// UploadSecretProblem answers AADB2C90063 to the first uploadSecret to each key
	// set (observed once in a while). Whether its work was done is unknown, and
	// depends on Config.Seed and the name of the key set.
	UploadSecretProblem bool
	// TokenEndpointOrigin is the scheme, host and port that the token_endpoint of
	// OpenID documents names instead of those asked, such as
	// "https://login.example", as a document names that a proxy forwards or forges.
	TokenEndpointOrigin string
	// OpaqueTokens hands out access tokens that a client can't parse.
	OpaqueTokens bool
}

func (s Switches) check() error {
	switch s.MissingStatus {
	case 0, http.StatusBadRequest, http.StatusNotFound:
	default:
		return fmt.Errorf("missing status %d: must be 400 or 404", s.MissingStatus)
	}
	switch s.OctSpelling {
	case "", "oct", "OCT":
	default:
		return fmt.Errorf("oct spelling %q: must be oct or OCT", s.OctSpelling)
	}
	if s.PageSize < 0 {
		return fmt.Errorf("page size %d: must not be negative", s.PageSize)
	}
	return nil
}

func (s Switches) missingStatus() int {
	if s.MissingStatus == 0 {
		return http.StatusBadRequest
	}
	return s.MissingStatus
}

func (s Switches) octSpelling() string {
	if s.OctSpelling == "" {
		return "oct"
	}
	return s.OctSpelling
}
