// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"crypto/x509"
	"encoding/pem"
	"regexp"
	"strings"
)

const certificateBlock = "CERTIFICATE"

// privateKeyLine is the first line of any PEM block with a private key, the dashes of SSH2's included. What follows
// it need not be a block that can be decoded.
var privateKeyLine = regexp.MustCompile(`(?i)-{4,5} ?BEGIN [^-\n]*PRIVATE KEY`)

// byteOrderMark is what Windows' editors put before text, and pem.Decode takes for a part of the first line.
const byteOrderMark = "\uFEFF"

// pemLine is the first line of any PEM block.
var pemLine = regexp.MustCompile(`-----BEGIN [^-\n]*-----`)

// ParsePEM reads text with exactly one CERTIFICATE block. Text around it is left out of account, such as comments and
// OpenSSL's "Bag Attributes". A private key anywhere in it is refused.
func ParsePEM(text string) (*Certificate, error) {
	text = strings.TrimPrefix(text, byteOrderMark)
	if privateKeyLine.MatchString(text) {
		return nil, privateKeyMistake()
	}
	var ders [][]byte
	var others []string
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == certificateBlock {
			ders = append(ders, block.Bytes)
			continue
		}
		others = append(others, blockName(block.Type))
	}
	if begun := strings.Count(text, "-----BEGIN "+certificateBlock+"-----"); begun > len(ders) {
		return nil, mistake("The PEM text has a CERTIFICATE block that is damaged: its lines were indented, changed or joined, or its END line is missing. " +
			"Read it with file(), which leaves the lines as they are; a heredoc that is indented begins with <<-.")
	}
	switch {
	case len(ders) == 1:
		return ParseDER(ders[0])
	case len(ders) > 1:
		return nil, mistake("The PEM text holds %d certificates. Give the leaf alone, the certificate that the key is made of, without those that issued it.", len(ders))
	case len(others) > 0:
		return nil, mistake("The PEM text holds no certificate, but %s. A block that begins with -----BEGIN CERTIFICATE----- is expected.", others[0])
	case strings.TrimSpace(text) == "":
		return nil, mistake("The text is empty. A block that begins with -----BEGIN CERTIFICATE----- is expected.")
	}
	if der, err := decodeBase64(text); err == nil {
		if kindOf(der) == kindPrivateKey {
			return nil, privateKeyMistake()
		}
		if _, err := x509.ParseCertificate(der); err == nil {
			return nil, mistake("The text is a certificate in base64, without the lines that make it PEM. Use certificate_base64 for it.")
		}
	}
	return nil, mistake("The text holds no certificate. A block that begins with -----BEGIN CERTIFICATE----- is expected.")
}

// ParseBase64 reads a certificate's DER in standard base64. White space and line breaks are left out of account. A
// private key or PKCS#12 file is refused.
func ParseBase64(text string) (*Certificate, error) {
	switch {
	case privateKeyLine.MatchString(text):
		return nil, privateKeyMistake()
	case pemLine.MatchString(text):
		return nil, mistake("The text is PEM. Use certificate_pem for it.")
	}
	der, err := decodeBase64(text)
	if err != nil {
		return nil, err
	}
	switch {
	case privateKeyLine.Match(der):
		return nil, privateKeyMistake()
	case pemLine.Match(der):
		return nil, mistake("The text is PEM that was encoded in base64 once more. Use certificate_pem and read the file with file() instead of filebase64().")
	}
	return ParseDER(der)
}

// ParseDER reads a certificate in DER. It leaves x509's words out: some quote what they couldn't read.
func ParseDER(der []byte) (*Certificate, error) {
	switch kind := kindOf(der); kind {
	case kindPrivateKey:
		return nil, privateKeyMistake()
	case kindPKCS12:
		return nil, mistake("This is a PKCS#12 file, which holds a private key. %s", keepOutOfState)
	case kindUnknown:
	default:
		return nil, mistake("This is not a certificate, but %s. An X.509 certificate is expected.", kind)
	}
	if all, err := x509.ParseCertificates(der); err == nil && len(all) > 1 {
		return nil, mistake("There are %d certificates, one after the other. Give the leaf alone, the certificate that the key is made of.", len(all))
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, mistake("This is not an X.509 certificate, or one that is damaged or doesn't keep to RFC 5280. " +
			"Look at the file with `openssl x509 -noout -text -in FILE`.")
	}
	return &Certificate{DER: parsed.Raw, parsed: parsed}, nil
}

const keepOutOfState = "This argument is stored in the state, where a private key doesn't belong. " +
	"For a certificate with its private key use the resource trustframework_uploaded_pkcs12, which stores neither; " +
	"for the certificate alone leave the private key out."

func privateKeyMistake() error {
	return mistake("There is a private key where a certificate is expected. %s", keepOutOfState)
}

// blockName names the kind of a PEM block. A type that isn't known is not repeated: it is the user's text.
func blockName(blockType string) string {
	switch blockType {
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return kindRequest + " (CERTIFICATE REQUEST)"
	case "PKCS7", "CMS":
		return kindPKCS7 + " (" + blockType + "); `openssl pkcs7 -print_certs` takes the certificates out of it"
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return kindPublicKey + " (" + blockType + ")"
	case "TRUSTED CERTIFICATE", "X509 CERTIFICATE":
		return "a " + blockType + ", OpenSSL's own format, which `openssl x509` makes a CERTIFICATE of"
	case "X509 CRL":
		return "a revocation list (X509 CRL)"
	}
	return "a PEM block of another type"
}
