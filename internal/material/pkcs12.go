// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// maxIterations bounds what a file can ask of the processor, all its key derivations together. What is in use asks for
// thousands, and rarely for a million.
const maxIterations = 10_000_000

// reexport ends each error that another encryption or encoding of the same file helps against. OpenSSL encrypts the
// private key in all.pem, as long as it isn't told -nodes.
const reexport = `Write it again with the older encryption, with OpenSSL 3. It asks for the file's password and for one that encrypts the private key in all.pem, then for that one and the new file's:

    openssl pkcs12 -in old.pfx -out all.pem
    openssl pkcs12 -export -in all.pem -out new.pfx -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
    rm all.pem

If the first command calls the file's encryption unsupported, add -legacy to it.`

// PKCS12 is a PKCS#12 file that could be opened.
type PKCS12 struct {
	// File is the file as it was read.
	File []byte
	// Certificate is the leaf, the one that the private key belongs to.
	Certificate *Certificate
	// Chain has the file's other certificates, in the file's order.
	Chain []*Certificate
	// PrivateKey is the file's private key (PKCS#8, DER): it is there to be known as secret, and for nothing else.
	PrivateKey []byte
}

// ParsePKCS12 opens a PKCS#12 file, given in standard base64 with white space left out of account, and checks that the
// service can take it: it has a password and the older encryption, which is looked at before the password is tried,
// one RSA private key and one leaf that it belongs to, and the leaf passes Certificate.Check.
//
// All errors are of type *Error, whose Password tells which of the two arguments is at fault.
func ParsePKCS12(base64File, password string, now time.Time) (*PKCS12, error) {
	if privateKeyLine.MatchString(base64File) || pemLine.MatchString(base64File) {
		return nil, mistake("This is PEM text. A PKCS#12 file in base64 is expected, as filebase64() reads it; " +
			"`openssl pkcs12 -export -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1` makes one of a private key and its certificate in PEM.")
	}
	file, err := decodeBase64(base64File)
	if err != nil {
		return nil, err
	}
	found, err := readLayout(file)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(password) == "" {
		return nil, passwordMistake("The password is blank. The service refuses a PKCS#12 file without a password: export the file with one.")
	}
	if err := found.check(); err != nil {
		return nil, err
	}
	if !utf8.ValidString(password) || strings.ContainsFunc(password, func(r rune) bool { return r > 0xFFFF }) {
		return nil, passwordMistake("The password has a character that PKCS#12 can't hold, such as an emoji. Export the file with another password.")
	}
	key, first, others, err := pkcs12.DecodeChain(file, password)
	if err != nil {
		return nil, found.explain(err)
	}
	leaf, chain, err := pickLeaf(key, append([]*x509.Certificate{first}, others...))
	if err != nil {
		return nil, err
	}
	if err := leaf.Check(now); err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, mistake("The private key in the PKCS#12 file is of a kind that can't be written.")
	}
	return &PKCS12{File: file, Certificate: leaf, Chain: chain, PrivateKey: private}, nil
}

// explain says why the library couldn't open the file. Of its errors only two can be told apart; for the others what
// can be seen from outside has to do. Its words are left out: nobody promises what they quote.
func (l *layout) explain(err error) error {
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return passwordMistake("The password doesn't open the PKCS#12 file. Either it is another file's, or the file was changed after it was written. " +
			"Look for a line break at the end of the password, and try `openssl pkcs12 -info -noout -legacy -in FILE`.")
	case errors.Is(err, pkcs12.ErrDecryption):
		return mistake("The PKCS#12 file is damaged, or its parts have different passwords: the password fits its MAC, but doesn't decrypt what is in it. Export it again.")
	case l.keys > 1:
		return manyKeys(l.keys)
	case l.keys == 0:
		return mistake("No private key was found in the PKCS#12 file. Export it again with its private key, or, if the certificate is all " +
			"there is, use the resource trustframework_uploaded_certificate.")
	case l.certificates == 0 && !l.encrypted:
		return mistake("The PKCS#12 file has a private key but no certificate. Export it again with the certificate.")
	}
	return mistake("The password fits the PKCS#12 file, but what is in it can't be read: it has no certificate, it is damaged, or its private key is of a rare kind that isn't RSA. %s", reexport)
}

func manyKeys(n int) error {
	return mistake("The PKCS#12 file has %d private keys. The service makes one key of a file: export the one that is meant, with its certificate.", n)
}

// pickLeaf finds the certificate that the private key belongs to. Files don't agree on its place: OpenSSL writes it
// first, Windows may write it last.
func pickLeaf(key any, found []*x509.Certificate) (leaf *Certificate, chain []*Certificate, err error) {
	var all []*x509.Certificate
	for _, c := range found {
		if !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
	leaves := 0
	for _, c := range all {
		if !c.IsCA && !issuedAnother(c, all) {
			leaves++
		}
	}
	if leaves > 1 {
		return nil, nil, mistake("The PKCS#12 file has %d certificates that aren't the issuer of another one. The service makes one key of a file: "+
			"export the leaf that is meant with its private key and, if wanted, with those that issued it.", leaves)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, mistake("The private key in the PKCS#12 file isn't RSA. A policy key from a certificate is an RSA key: have the certificate issued for one.")
	}
	for _, c := range all {
		certificate := &Certificate{DER: c.Raw, parsed: c}
		switch {
		case leaf == nil && private.PublicKey.Equal(c.PublicKey):
			leaf = certificate
		default:
			chain = append(chain, certificate)
		}
	}
	if leaf == nil {
		return nil, nil, mistake("The private key in the PKCS#12 file doesn't belong to its certificate: the public keys differ. Export the certificate that was issued for this private key.")
	}
	return leaf, chain, nil
}

// issuedAnother goes by the names: roots from before X.509 version 3 don't say that they are authorities.
func issuedAnother(c *x509.Certificate, all []*x509.Certificate) bool {
	return slices.ContainsFunc(all, func(other *x509.Certificate) bool {
		return !other.Equal(c) && bytes.Equal(other.RawIssuer, c.RawSubject)
	})
}
