// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/clock"
	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

const (
	argumentCertificate     = "client_certificate"
	argumentCertificatePath = "client_certificate_path"
	argumentPassword        = "client_certificate_password"
)

// readCertificate reads and checks the certificate to sign in with. Errors are of type *argumentError and repeat no input.
func (c Config) readCertificate() (keyPair, error) {
	var pairs []keyPair
	if c.Certificate.Path != "" {
		content, err := os.ReadFile(c.Certificate.Path)
		if err != nil {
			return keyPair{}, &argumentError{argumentCertificatePath, fmt.Errorf("the file can't be read: %w", err)}
		}
		pair, err := c.parseCertificate(argumentCertificatePath, content)
		if err != nil {
			return keyPair{}, err
		}
		pairs = append(pairs, pair)
	}
	if c.Certificate.Value != "" {
		content, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(c.Certificate.Value), ""))
		if err != nil {
			return keyPair{}, &argumentError{argumentCertificate, errors.New("it is not base64: a PKCS#12 file in base64 is expected, as filebase64() reads it")}
		}
		pair, err := c.parseCertificate(argumentCertificate, content)
		if err != nil {
			return keyPair{}, err
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 2 && !pairs[0].certificates[0].Equal(pairs[1].certificates[0]) {
		return keyPair{}, &argumentError{argumentCertificate, errDiffer}
	}
	return pairs[0], nil
}

// parseCertificate reads a PKCS#12 file, or PEM where it comes from a path.
func (c Config) parseCertificate(argument string, content []byte) (keyPair, error) {
	var pair keyPair
	var err error
	if isPEM(content) {
		pair, err = parsePEM(content)
	} else {
		var leaf *x509.Certificate
		var chain []*x509.Certificate
		pair.key, leaf, chain, err = pkcs12.DecodeChain(content, c.CertificatePassword)
		pair.certificates = append([]*x509.Certificate{leaf}, chain...)
		switch {
		case errors.Is(err, pkcs12.ErrIncorrectPassword) && c.CertificatePassword == "":
			return keyPair{}, &argumentError{argumentPassword, errors.New("the PKCS#12 file has a password, and none is given")}
		case errors.Is(err, pkcs12.ErrIncorrectPassword):
			return keyPair{}, &argumentError{argumentPassword, errors.New("the password doesn't open the PKCS#12 file")}
		case err != nil:
			err = fmt.Errorf("it can't be read as a PKCS#12 file with one certificate and its private key: %w", err)
		}
	}
	if err == nil {
		err = pair.check(clock.Real{}.Now())
	}
	if err != nil {
		return keyPair{}, &argumentError{argument, err}
	}
	c.addCertificate(content, pair)
	return pair, nil
}

// addCertificate makes a file secret that a certificate was read from, and its private key. The certificates are public.
func (c Config) addCertificate(content []byte, pair keyPair) {
	var public [][]byte
	for _, certificate := range pair.certificates {
		public = append(public, certificate.Raw)
	}
	if private, err := x509.MarshalPKCS8PrivateKey(pair.key); err == nil {
		c.Secrets.AddFile(private, public...)
	}
	if !isPEM(content) {
		c.Secrets.AddFile(content, public...)
	}
}

func isPEM(content []byte) bool { return bytes.Contains(content, []byte("-----BEGIN ")) }

func parsePEM(content []byte) (keyPair, error) {
	var pair keyPair
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return keyPair{}, fmt.Errorf("a certificate in the PEM file can't be read: %w", err)
			}
			pair.certificates = append(pair.certificates, certificate)
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return keyPair{}, errors.New("the private key in the PEM file is encrypted, which can't be read: use a PKCS#12 file, or PEM with a private key that isn't encrypted")
		case strings.HasSuffix(block.Type, "PRIVATE KEY") && pair.key != nil:
			return keyPair{}, errors.New("the PEM file has more than one private key")
		case block.Type == "PRIVATE KEY" || block.Type == "RSA PRIVATE KEY":
			var err error
			if pair.key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
				pair.key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
			}
			if err != nil {
				return keyPair{}, errors.New("the private key in the PEM file can't be read")
			}
		}
	}
	switch {
	case len(pair.certificates) == 0:
		return keyPair{}, errors.New("the PEM file has no certificate")
	case pair.key == nil:
		return keyPair{}, errors.New("the PEM file has no private key: it needs the certificate and its key, one after the other")
	}
	return pair.leafFirst()
}

// leafFirst puts the certificate that the key belongs to before the others.
func (p keyPair) leafFirst() (keyPair, error) {
	signer, ok := p.key.(crypto.Signer)
	if !ok {
		return keyPair{}, errors.New("the private key can't sign")
	}
	for i, c := range p.certificates {
		if public, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(signer.Public()) {
			p.certificates[0], p.certificates[i] = p.certificates[i], p.certificates[0]
			return p, nil
		}
	}
	return keyPair{}, errors.New("the private key belongs to none of the certificates")
}

// check refuses what Entra ID would: it takes RSA keys (source: MSAL signs with PS256 and RS256 only), and certificates in
// the time they are for.
func (p keyPair) check(now time.Time) error {
	leaf := p.certificates[0]
	switch _, isRSA := p.key.(*rsa.PrivateKey); {
	case !isRSA:
		return errors.New("the private key is no RSA key; Entra ID takes no other for signing in")
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate expired at %s (it is now %s by this machine's clock); create a new one and add it to the application", leaf.NotAfter.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate is valid from %s on only (it is now %s by this machine's clock)", leaf.NotBefore.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}
