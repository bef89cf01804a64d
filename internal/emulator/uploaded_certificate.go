// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// What the key usage of a certificate makes of its key (inferred from
// azure-ad-b2c/samples 54).
const (
	signs    = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	encrypts = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement
)

func badlyFormatted(reason string) *graphError {
	return refuse(codeBadFormat, "The uploaded key is badly formatted. Reason: '%s'.", reason)
}

// readCertificate reads the DER of one certificate.
func (x *exchange) readCertificate(der []byte) ([]*x509.Certificate, *graphError) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		// The parser's own words could repeat what was sent.
		return nil, refuse(codeNotCertificate, "The presented X509 certificate '%s' in tenant '%s' is not a valid X.509 certificate: '%s'",
			x.entry.KeySet, x.tenant.id, "not the DER of one certificate")
	}
	return []*x509.Certificate{c}, nil
}

// appendCertificate appends the key of a certificate, which stands first in its
// chain.
func (x *exchange) appendCertificate(id string, chain []*x509.Certificate) (answer, *graphError) {
	leaf, switches := chain[0], x.s.config.Switches
	public, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return answer{}, badlyFormatted("The key is not an RSA key")
	}
	if bits := public.N.BitLen(); bits < rsaBits {
		return answer{}, refuse(codeShortRSA, "A secure RSA key requires at least %d bits.", rsaBits)
	}
	use, ok := useOf(leaf, switches)
	if !ok {
		return answer{}, badlyFormatted("The certificate is neither for signatures nor for encryption")
	}
	req := keyRequest{kty: ktyRSA, use: use, chain: chain}
	if switches.CertificateDates {
		nbf, exp := leaf.NotBefore.Unix(), leaf.NotAfter.Unix()
		req.nbf, req.exp = &nbf, &exp
	}
	return x.appendKey(id, req)
}

// useOf derives the use of a key from its certificate's key usage.
func useOf(c *x509.Certificate, switches Switches) (use string, ok bool) {
	declared := slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool {
		return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 15}) // RFC 5280, section 4.2.1.3
	})
	toSign, toEncrypt := c.KeyUsage&signs != 0, c.KeyUsage&encrypts != 0
	switch {
	case !declared && switches.NoUsageSigns:
		return useSig, true
	case toSign && toEncrypt && switches.BothUsagesSign:
		return useSig, true
	case toEncrypt:
		return useEnc, true
	case toSign:
		return useSig, true
	}
	return "", false
}

// sameKey tells the key of the certificate by its public parts.
func (k Key) sameKey(c *x509.Certificate) bool {
	public, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return false
	}
	var other Key
	other.setPublic(public)
	return k.N == other.N && k.E == other.E
}

// newUploadedKey is newKey for a certificate that was uploaded.
func newUploadedKey(req keyRequest) Key {
	k := Key{Kty: req.kty, Use: req.use, Nbf: copyInt(req.nbf), Exp: copyInt(req.exp), Status: statusEnabled}
	var ders [][]byte
	for _, c := range req.chain {
		ders = append(ders, slices.Clone(c.Raw))
	}
	k.setChain(ders)
	if public, ok := req.chain[0].PublicKey.(*rsa.PublicKey); ok {
		k.setPublic(public)
	}
	return k
}
