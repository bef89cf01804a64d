// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"testing"
	"unicode/utf16"
)

// The shape of a PKCS#12 file (RFC 7292, section 4), to take it apart.
type (
	pfxShape struct {
		Version  int
		AuthSafe contentShape
		Mac      macShape
	}
	contentShape struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	macShape struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
)

// remade is a file with the certificates of one file and the private key of
// another, as they are encrypted there, and a MAC of its own, for plainText. Beyond a million
// iterations the MAC is wrong: nobody waits for it.
func remade(t *testing.T, certificates, key []byte, mac crypto.Hash, iterations int) []byte {
	t.Helper()
	var outer pfxShape
	parts := func(file []byte) []asn1.RawValue {
		var content []byte
		var parts []asn1.RawValue
		undo(t, file, &outer)
		undo(t, outer.AuthSafe.Content.Bytes, &content)
		undo(t, content, &parts)
		return parts
	}
	content := redo(t, []asn1.RawValue{parts(certificates)[0], parts(key)[1]})
	outer.AuthSafe.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: redo(t, content)}

	outer.Mac.Digest.Algorithm = pkix.AlgorithmIdentifier{
		Algorithm:  map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA1: {1, 3, 14, 3, 2, 26}, crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1}}[mac],
		Parameters: asn1.NullRawValue,
	}
	outer.Mac.Salt, outer.Mac.Iterations = []byte("salt"), iterations
	keyed := hmac.New(mac.New, macKey(mac, outer.Mac.Salt, min(iterations, 1_000_000)))
	_, _ = keyed.Write(content) // never fails (hash.Hash)
	outer.Mac.Digest.Digest = keyed.Sum(nil)
	return redo(t, outer)
}

// macKey derives the key of a MAC (RFC 7292, appendix B.2), which for the hashes
// here takes one block.
func macKey(h crypto.Hash, salt []byte, iterations int) []byte {
	var encoded []byte
	for _, unit := range append(utf16.Encode([]rune(plainText)), 0) {
		encoded = binary.BigEndian.AppendUint16(encoded, unit)
	}
	const block = 64
	filled := func(b []byte) []byte {
		size := (len(b) + block - 1) / block * block
		return bytes.Repeat(b, size/len(b)+1)[:size]
	}
	key := append(bytes.Repeat([]byte{3}, block), append(filled(salt), filled(encoded)...)...)
	for range iterations {
		sum := h.New()
		_, _ = sum.Write(key) // never fails (hash.Hash)
		key = sum.Sum(nil)
	}
	return key
}

func undo(t *testing.T, der []byte, into any) {
	t.Helper()
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		t.Fatalf("take a PKCS#12 file apart: %v, %d bytes left", err, len(rest))
	}
}

func redo(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatalf("make a PKCS#12 file: %v", err)
	}
	return der
}
