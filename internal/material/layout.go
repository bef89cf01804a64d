// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
)

// The parts of a PKCS#12 file that can be read without its password (RFC 7292, section 4).
type (
	pfx struct {
		Version  int
		AuthSafe contentInfo
		MAC      macData `asn1:"optional"`
	}
	contentInfo struct {
		ContentType asn1.ObjectIdentifier
		Content     asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	macData struct {
		MAC struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			ContentType asn1.ObjectIdentifier
			Algorithm   pkix.AlgorithmIdentifier
			Content     []byte `asn1:"tag:0,optional"`
		}
	}
	safeBag struct {
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes asn1.RawValue `asn1:"set,optional"`
	}
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbeParameters struct {
		Salt       []byte
		Iterations int
	}
	pbes2Parameters struct {
		KDF    pkix.AlgorithmIdentifier
		Scheme pkix.AlgorithmIdentifier
	}
)

// Object identifiers, of RFC 7292 and RFC 2315.
const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
	oidPBES2         = "1.2.840.113549.1.5.13"
	oidSHA1          = "1.3.14.3.2.26"
)

// layout is what a PKCS#12 file shows of itself without its password.
type layout struct {
	// ciphers has the names of the encryptions, each once, in the file's order.
	ciphers []string
	// mac is the name of the MAC's algorithm, "" if there is none.
	mac string
	// modern: the service says of such a file that its password is wrong.
	modern bool
	// unsupported: neither legacy nor modern, but older or rarer than what can be opened here.
	unsupported bool
	// iterations of all key derivations together.
	iterations int64

	// keys and certificates are those outside of encrypted parts; a shrouded key is encrypted by itself. Whether there
	// is an encrypted part, which usually has the certificates, is in encrypted.
	keys, certificates int
	encrypted          bool
}

// readLayout tells a file that isn't PKCS#12, or not in a form that can be read, from one that a password may open.
func readLayout(file []byte) (*layout, error) {
	var outer pfx
	if !unmarshal(file, &outer) || outer.Version != 3 {
		return nil, notPKCS12(file)
	}
	var safe []byte
	switch {
	case outer.AuthSafe.ContentType.String() != oidData:
		return nil, mistake("The PKCS#12 file is protected by a signature instead of a password, which the service has no way to check. Export it again with a password.")
	case !unmarshal(outer.AuthSafe.Content.Bytes, &safe):
		return nil, damaged(file)
	}
	var parts []contentInfo
	if !unmarshal(safe, &parts) {
		return nil, damaged(file)
	}
	// That is all the library opens, and all that OpenSSL, Windows and Java write.
	if len(parts) == 0 || len(parts) > 2 {
		return nil, mistake("The PKCS#12 file has %d parts, and can't be checked here; one or two are usual. %s", len(parts), reexport)
	}
	l := &layout{}
	for _, part := range parts {
		if !l.addPart(part) {
			return nil, damaged(file)
		}
	}
	if algorithm := outer.MAC.MAC.Algorithm.Algorithm; len(algorithm) > 0 {
		l.mac = macName(algorithm)
		l.modern = l.modern || algorithm.String() != oidSHA1
		l.add(outer.MAC.Iterations)
	}
	return l, nil
}

// check says why the file can't be opened, by the service or here, with any password.
func (l *layout) check() error {
	mac := "no MAC"
	if l.mac != "" {
		mac = l.mac + " MAC"
	}
	uses := "no encryption"
	if len(l.ciphers) > 0 {
		uses = strings.Join(l.ciphers, " and ")
	}
	switch {
	case l.modern:
		return mistake("The PKCS#12 file uses %s with %s, which the service can't open: it answers such a file with "+
			"\"The certificate password provided in request is incorrect\" (AADB2C90213), even if the password is right. %s", uses, mac, reexport)
	case l.unsupported:
		return mistake("The PKCS#12 file uses %s with %s, which can't be opened here to check it. %s", uses, mac, reexport)
	case l.mac == "":
		return mistake("The PKCS#12 file uses %s with no MAC, and so no password to check. The service refuses a PKCS#12 file without a password. %s", uses, reexport)
	case l.iterations > maxIterations:
		return mistake("The PKCS#12 file asks for more than %d iterations to derive its keys, which takes too long to check. %s", maxIterations, reexport)
	}
	return nil
}

// addPart reports whether the part could be read.
func (l *layout) addPart(part contentInfo) bool {
	switch part.ContentType.String() {
	case oidEncryptedData:
		var data encryptedData
		l.encrypted = true
		return unmarshal(part.Content.Bytes, &data) && l.addEncryption(data.Info.Algorithm)
	case oidData:
		var content []byte
		var bags []safeBag
		if !unmarshal(part.Content.Bytes, &content) || !unmarshal(content, &bags) {
			return false
		}
		return !slices.ContainsFunc(bags, func(bag safeBag) bool { return !l.addBag(bag) })
	}
	// Encrypted for a public key.
	l.ciphers = append(l.ciphers, "a part that isn't encrypted with a password")
	l.unsupported = true
	return true
}

func (l *layout) addBag(bag safeBag) bool {
	switch bag.ID.String() {
	case oidCertBag:
		l.certificates++
	case oidKeyBag:
		l.keys++
	case oidShroudedBag:
		l.keys++
		var key encryptedKey
		return unmarshal(bag.Value.Bytes, &key) && l.addEncryption(key.Algorithm)
	}
	return true
}

func (l *layout) addEncryption(algorithm pkix.AlgorithmIdentifier) bool {
	name, legacy := cipherName(algorithm)
	if !slices.Contains(l.ciphers, name) {
		l.ciphers = append(l.ciphers, name)
	}
	switch {
	case algorithm.Algorithm.String() == oidPBES2:
		l.modern = true
	case !legacy:
		l.unsupported = true
	default:
		var parameters pbeParameters
		if !unmarshal(algorithm.Parameters.FullBytes, &parameters) {
			return false
		}
		l.add(parameters.Iterations)
	}
	return true
}

// add counts iterations; a number below one stands for one.
func (l *layout) add(iterations int) {
	l.iterations += min(int64(max(iterations, 1)), maxIterations+1)
}

// cipherName names an encryption as OpenSSL does, and says whether it is one of those that can be opened.
func cipherName(algorithm pkix.AlgorithmIdentifier) (name string, legacy bool) {
	switch algorithm.Algorithm.String() {
	case "1.2.840.113549.1.12.1.3":
		return "PBE-SHA1-3DES", true
	case "1.2.840.113549.1.12.1.5":
		return "PBE-SHA1-RC2-128", true
	case "1.2.840.113549.1.12.1.6":
		return "PBE-SHA1-RC2-40", true
	case "1.2.840.113549.1.12.1.1":
		return "PBE-SHA1-RC4-128", false
	case "1.2.840.113549.1.12.1.2":
		return "PBE-SHA1-RC4-40", false
	case "1.2.840.113549.1.12.1.4":
		return "PBE-SHA1-2DES", false
	case oidPBES2:
		var parameters pbes2Parameters
		if !unmarshal(algorithm.Parameters.FullBytes, &parameters) {
			return "PBES2", false
		}
		switch parameters.Scheme.Algorithm.String() {
		case "2.16.840.1.101.3.4.1.2":
			return "AES-128-CBC", false
		case "2.16.840.1.101.3.4.1.22":
			return "AES-192-CBC", false
		case "2.16.840.1.101.3.4.1.42":
			return "AES-256-CBC", false
		case "1.2.840.113549.3.7":
			return "DES-EDE3-CBC (PBES2)", false
		}
		return "PBES2", false
	}
	return "an unknown encryption", false
}

func macName(algorithm asn1.ObjectIdentifier) string {
	switch algorithm.String() {
	case oidSHA1:
		return "SHA-1"
	case "2.16.840.1.101.3.4.2.4":
		return "SHA-224"
	case "2.16.840.1.101.3.4.2.1":
		return "SHA-256"
	case "2.16.840.1.101.3.4.2.2":
		return "SHA-384"
	case "2.16.840.1.101.3.4.2.3":
		return "SHA-512"
	case "1.2.840.113549.1.5.14":
		return "PBMAC1"
	}
	return "unknown"
}

func notPKCS12(file []byte) error {
	switch {
	case beginsPKCS12(file) && isBER(file, maxDepth):
		return damaged(file)
	case pemLine.Match(file) || privateKeyLine.Match(file):
		return mistake("This is PEM text in base64, not a PKCS#12 file. " +
			"`openssl pkcs12 -export -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1` makes one of a private key and its certificate in PEM.")
	case bytes.HasPrefix(file, []byte{0xFE, 0xED, 0xFE, 0xED}):
		return mistake("This is a Java key store (JKS), not a PKCS#12 file. `keytool -importkeystore -deststoretype pkcs12` makes one of it.")
	}
	if _, err := x509.ParseCertificate(file); err == nil {
		return mistake("This is a certificate without its private key, not a PKCS#12 file. Use the resource trustframework_uploaded_certificate for it.")
	}
	switch kind := kindOf(file); kind {
	case kindUnknown, kindPKCS12:
		return mistake("This is not a PKCS#12 file, or only a part of one, or one that was damaged. Look at the file with `openssl pkcs12 -info -noout -in FILE`.")
	default:
		return mistake("This is %s, not a PKCS#12 file. A PKCS#12 file has a private key and its certificate.", kind)
	}
}

func damaged(file []byte) error {
	if isBER(file, maxDepth) {
		return mistake("The PKCS#12 file is encoded as BER, with parts of indefinite length or in pieces, which can't be read here to check it; DER is expected. %s", reexport)
	}
	return mistake("The PKCS#12 file is damaged: it begins as one, but what follows can't be read. Export it again.")
}

// maxDepth is how deep isBER looks; PKCS#12 nests its parts some ten deep.
const maxDepth = 32

// isBER reports whether the file's structure has what DER forbids. It goes into octet strings, where PKCS#12 nests.
func isBER(der []byte, depth int) bool {
	for len(der) >= 2 && depth > 0 {
		const constructedOctets = 0x24
		if der[1] == 0x80 && der[0]&0x20 != 0 || der[0] == constructedOctets {
			return true
		}
		var element asn1.RawValue
		rest, err := asn1.Unmarshal(der, &element)
		if err != nil {
			return false
		}
		nested := element.IsCompound || isUniversal(element, asn1.TagOctetString) && bytes.HasPrefix(element.Bytes, []byte{0x30})
		if nested && isBER(element.Bytes, depth-1) {
			return true
		}
		der = rest
	}
	return false
}

// unmarshal is strict as the library's: nothing may follow. The reason is left out, it could quote the file.
func unmarshal(der []byte, value any) bool {
	rest, err := asn1.Unmarshal(der, value)
	return err == nil && len(rest) == 0
}
