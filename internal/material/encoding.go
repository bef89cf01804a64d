// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"strings"
	"unicode"
)

// maxSize is the number of bytes up to which a file is looked at. A PKCS#12 file with its chain has some 10 KB.
const maxSize = 1 << 20

// decodeBase64 reads standard base64 with white space anywhere in it.
func decodeBase64(text string) ([]byte, error) {
	compact := strings.Join(strings.Fields(text), "")
	der, err := base64.StdEncoding.DecodeString(compact)
	switch {
	case compact == "":
		return nil, mistake("The text is empty. The file in standard base64 is expected, as filebase64() reads it.")
	case strings.ContainsFunc(compact, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }):
		return nil, mistake("The text isn't base64, but the bytes of a file, or text with characters of other kinds. Read the file with filebase64() instead of file().")
	case err != nil && isBase64URL(compact):
		return nil, mistake("The text is base64url, which has - and _ where standard base64 has + and /. Give standard base64, as filebase64() and base64encode() make it.")
	case err != nil && len(compact)%4 != 0 && isBase64Raw(compact):
		return nil, mistake("The base64 is incomplete: its length isn't a multiple of four. A part of it, or the = at its end, is missing.")
	case err != nil:
		return nil, mistake("The text isn't base64. Give the file in standard base64, as filebase64() reads it.")
	case len(der) > maxSize:
		return nil, mistake("The file has more than 1 MiB, much more than a certificate with its chain. Is it another file?")
	case isDERInBase64(der):
		return nil, mistake("The text was encoded in base64 twice. filebase64() has encoded it already: leave base64encode() out.")
	}
	return der, nil
}

func isBase64URL(compact string) bool {
	_, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(compact, "="))
	return err == nil && strings.ContainsAny(compact, "-_")
}

func isBase64Raw(compact string) bool {
	whole := strings.TrimRight(compact, "=")
	_, err := base64.RawStdEncoding.DecodeString(whole[:len(whole)/4*4])
	return err == nil
}

// isDERInBase64 recognizes the "M" that any DER or BER sequence begins with in base64.
func isDERInBase64(decoded []byte) bool {
	if len(decoded) < 4 || decoded[0] != 'M' {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(decoded)), ""))
	return err == nil
}

// The kinds of DER that are told apart, as an error names them. A certificate is none of them.
const (
	kindUnknown    = ""
	kindPrivateKey = "a private key"
	kindPKCS12     = "a PKCS#12 file"
	kindPKCS7      = "a PKCS#7 file"
	kindRequest    = "a certificate request"
	kindPublicKey  = "a public key"
)

// kindOf goes by the first elements, so that a damaged private key is still known as one.
func kindOf(der []byte) string {
	if beginsPKCS12(der) {
		return kindPKCS12
	}
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !isSequence(outer) {
		return kindUnknown
	}
	fields := elements(outer.Bytes, 3)
	if len(fields) < 2 {
		return kindUnknown
	}
	first, second := fields[0], fields[1]
	switch {
	case isUniversal(first, asn1.TagInteger):
		switch {
		case isSequence(second), isUniversal(second, asn1.TagOctetString):
			// PKCS#8 and SEC 1.
			return kindPrivateKey
		case isUniversal(second, asn1.TagInteger) && len(fields) == 3:
			// PKCS#1; its public key has two numbers only.
			return kindPrivateKey
		case isUniversal(second, asn1.TagInteger):
			return kindPublicKey
		}
	case isSequence(first) && isUniversal(second, asn1.TagOctetString):
		// An encrypted PKCS#8 key.
		return kindPrivateKey
	case isUniversal(first, asn1.TagOID) && bytes.HasPrefix(first.Bytes, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}):
		return kindPKCS7
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return kindPublicKey
	}
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return kindRequest
	}
	return kindUnknown
}

// beginsPKCS12 looks for a sequence of any length, DER or BER, with the version 3 and another sequence. There may be
// less of it than it says.
func beginsPKCS12(file []byte) bool {
	if len(file) < 2 || file[0] != 0x30 {
		return false
	}
	header := 2
	if file[1] > 0x80 {
		header += int(file[1] - 0x80)
	}
	return len(file) > header && bytes.HasPrefix(file[header:], []byte{0x02, 0x01, 0x03, 0x30})
}

// elements returns up to n elements that der begins with.
func elements(der []byte, n int) []asn1.RawValue {
	var all []asn1.RawValue
	for len(der) > 0 && len(all) < n {
		var element asn1.RawValue
		rest, err := asn1.Unmarshal(der, &element)
		if err != nil {
			return all
		}
		all = append(all, element)
		der = rest
	}
	return all
}

func isUniversal(value asn1.RawValue, tag int) bool {
	return value.Class == asn1.ClassUniversal && value.Tag == tag
}

func isSequence(value asn1.RawValue) bool {
	return isUniversal(value, asn1.TagSequence) && value.IsCompound
}
