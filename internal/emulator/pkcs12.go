// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"

	"software.sslmate.com/src/go-pkcs12"
)

// maxIterations bounds the work that a file can ask for. The service's own
// bound is unknown; tools use a few thousand.
const maxIterations = 1_000_000

// The shape of a PKCS#12 file (RFC 7292, section 4), as far as it can be seen
// without the password.
type (
	pfxFile struct {
		Version  int
		AuthSafe pfxContent
		Mac      pfxMac `asn1:"optional"`
	}
	pfxMac struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
	pfxContent struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	pfxEncrypted struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Content   asn1.RawValue `asn1:"optional"`
		}
	}
	pfxBag struct {
		Type       asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes asn1.RawValue `asn1:"optional"`
	}
	pfxShrouded struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
)

// openPKCS12 returns the certificates of a file with one private key, that of
// the key first. The private key is dropped on return.
func openPKCS12(pfx []byte, password string, modern bool) ([]*x509.Certificate, *graphError) {
	ciphers, mac, err := pfxAlgorithms(pfx)
	if err != nil {
		return nil, badlyFormatted("The key is not a PKCS#12 file")
	}
	if !modern && (!isSHA1(mac) || !allLegacy(ciphers)) {
		return nil, wrongPassword() // even if it is right (observed: docs-contrib 8994)
	}
	key, first, rest, err := pkcs12.DecodeChain(pfx, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, wrongPassword()
	case err != nil: // its words are dropped: they could repeat what was sent
		return nil, badlyFormatted("The PKCS#12 file must contain one private key and its certificate")
	}
	return leafFirst(key, append([]*x509.Certificate{first}, rest...))
}

func wrongPassword() *graphError {
	return refuse(codeNotOpened, "The certificate password provided in request is incorrect.")
}

// leafFirst puts the one certificate of the private key before the others.
func leafFirst(key any, certificates []*x509.Certificate) ([]*x509.Certificate, *graphError) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, badlyFormatted("The key is not an RSA key")
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil, badlyFormatted("The key is not an RSA key")
	}
	var leaves, others []*x509.Certificate
	for _, c := range certificates {
		if public.Equal(c.PublicKey) {
			leaves = append(leaves, c)
		} else {
			others = append(others, c)
		}
	}
	if len(leaves) != 1 {
		return nil, badlyFormatted("The PKCS#12 file must contain one private key and its certificate")
	}
	return append(leaves, others...), nil
}

var errNotPFX = errors.New("not a PKCS#12 file")

// pfxAlgorithms returns the algorithms that the file says it is encrypted with,
// and that of its MAC, which is nil if it has none. What is encrypted twice
// shows its outer algorithm only.
func pfxAlgorithms(der []byte) (ciphers []pkix.AlgorithmIdentifier, mac asn1.ObjectIdentifier, err error) {
	var pfx pfxFile
	var safes []pfxContent
	var content []byte
	if !decodeDER(der, &pfx) || !pfx.AuthSafe.isData() || !decodeDER(pfx.AuthSafe.Content.Bytes, &content) || !decodeDER(content, &safes) {
		return nil, nil, errNotPFX
	}
	for _, safe := range safes {
		found, ok := safe.algorithms()
		if !ok {
			return nil, nil, errNotPFX
		}
		ciphers = append(ciphers, found...)
	}
	work := []pkix.AlgorithmIdentifier{pfx.Mac.Digest.Algorithm}
	for _, a := range append(work, ciphers...) {
		if !bounded(a.Parameters.FullBytes) {
			return nil, nil, errNotPFX
		}
	}
	if pfx.Mac.Iterations > maxIterations {
		return nil, nil, errNotPFX
	}
	return ciphers, pfx.Mac.Digest.Algorithm.Algorithm, nil
}

func (c pfxContent) isData() bool {
	return c.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}) // RFC 5652, section 4
}

// algorithms are those of what the content is encrypted with, or else of the
// key bags in it.
func (c pfxContent) algorithms() ([]pkix.AlgorithmIdentifier, bool) {
	if !c.isData() {
		var e pfxEncrypted
		ok := decodeDER(c.Content.Bytes, &e)
		return []pkix.AlgorithmIdentifier{e.Info.Algorithm}, ok
	}
	var content []byte
	var bags []pfxBag
	if !decodeDER(c.Content.Bytes, &content) || !decodeDER(content, &bags) {
		return nil, false
	}
	var found []pkix.AlgorithmIdentifier
	for _, bag := range bags {
		if !bag.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}) { // pkcs8ShroudedKeyBag
			continue
		}
		var key pfxShrouded
		if !decodeDER(bag.Value.Bytes, &key) {
			return nil, false
		}
		found = append(found, key.Algorithm)
	}
	return found, true
}

func isSHA1(algorithm asn1.ObjectIdentifier) bool {
	return algorithm.Equal(asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26})
}

// allLegacy reports whether all are password-based encryption of PKCS#12 itself
// (RFC 7292, appendix C), as all was before AES.
func allLegacy(ciphers []pkix.AlgorithmIdentifier) bool {
	legacy := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1}
	for _, c := range ciphers {
		if n := len(c.Algorithm) - 1; n < 0 || !c.Algorithm[:n].Equal(legacy) {
			return false
		}
	}
	return true
}

// bounded reports whether no number in an algorithm's parameters, however deep,
// is beyond the bound of iterations.
func bounded(der []byte) bool {
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		switch {
		case err != nil:
			return false
		case v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger:
			if new(big.Int).SetBytes(v.Bytes).Cmp(big.NewInt(maxIterations)) > 0 { // negative ones look large
				return false
			}
		case v.IsCompound && !bounded(v.Bytes):
			return false
		}
		der = rest
	}
	return true
}

// decodeDER decodes one value and nothing after it.
func decodeDER(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}
