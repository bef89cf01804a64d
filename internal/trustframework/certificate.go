// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"time"
)

// Certificate is what a key's certificate says.
type Certificate struct {
	// Subject and Issuer are distinguished names (RFC 2253).
	Subject, Issuer string
	// SerialNumber is a decimal number.
	SerialNumber string
	// NotBefore and NotAfter are its own dates, which needn't be the key's.
	NotBefore, NotAfter time.Time
	// X5TS256 is the SHA-256 thumbprint, base64url without padding (RFC 7515, section 4.1.8).
	X5TS256 string
	// PEM is a "CERTIFICATE" block.
	PEM string
}

// Certificate reads the key's own certificate, the first of X5C. It is nil for a key that has none. It
// fails if the certificate can't be read.
func (k Key) Certificate() (*Certificate, error) {
	if len(k.X5C) == 0 {
		return nil, nil
	}
	der, err := base64.StdEncoding.DecodeString(k.X5C[0])
	if err != nil {
		return nil, fmt.Errorf("read the certificate: x5c isn't base64: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	thumbprint := sha256.Sum256(der)
	return &Certificate{
		Subject:      parsed.Subject.String(),
		Issuer:       parsed.Issuer.String(),
		SerialNumber: parsed.SerialNumber.String(),
		NotBefore:    parsed.NotBefore,
		NotAfter:     parsed.NotAfter,
		X5TS256:      base64.RawURLEncoding.EncodeToString(thumbprint[:]),
		PEM:          string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	}, nil
}
