// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"software.sslmate.com/src/go-pkcs12"
)

// canary is a secret that is easy to recognize wherever it comes out.
type canary struct {
	name  string
	whole []byte
	// pieces are long enough to be nothing else, and short enough for a leak of a part to show.
	pieces [][]byte
}

// newCanary is a secret as users have them, with characters that no encoding leaves as they are.
func newCanary(t *testing.T, name string) canary {
	t.Helper()
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	core := hex.EncodeToString(random)
	return canary{
		name:   name,
		whole:  []byte(fmt.Sprintf("canary-%s-%s+/ &\"%%é", strings.ReplaceAll(name, " ", "-"), core)),
		pieces: [][]byte{[]byte(core[:16]), []byte(core[16:])},
	}
}

func (c canary) text() string { return string(c.whole) }

// longCanary is a secret of which every part is random.
func longCanary(name string, whole []byte) canary {
	const size = 24
	c := canary{name: name, whole: whole}
	for i := range 3 {
		at := (i + 1) * len(whole) / 4
		c.pieces = append(c.pieces, whole[at-size/2:at+size/2])
	}
	return c
}

// tokenCanary is an access token. What is secret in it is its signature.
func tokenCanary(n int, token string) []canary {
	name := fmt.Sprintf("token %d", n)
	signature := token[strings.LastIndex(token, ".")+1:]
	c := longCanary(name, []byte(signature))
	c.whole = []byte(token)
	all := []canary{c}
	if raw, err := base64.RawURLEncoding.DecodeString(signature); err == nil {
		all = append(all, longCanary(name+"'s signature", raw))
	}
	return all
}

// canaryFile is a private key with a certificate that signs, in a PKCS#12 file.
type canaryFile struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

func newCanaryFile(t *testing.T) canaryFile {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now() //nolint:forbidigo // the provider lives in the system's time
	template := &x509.Certificate{
		SerialNumber: big.NewInt(4711),
		Subject:      pkix.Name{CommonName: "canary"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return canaryFile{key: key, certificate: certificate}
}

// in writes the file in base64.
func (f canaryFile) in(t *testing.T, encoder *pkcs12.Encoder, password canary) string {
	t.Helper()
	file, err := encoder.Encode(f.key, f.certificate, nil, password.text())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(file)
}

// canaries are what must not come out of the private key: the bytes of its numbers, which each encoding of it
// holds, and their digits, as Go prints them.
func (f canaryFile) canaries(name string) []canary {
	var all []canary
	for part, number := range map[string]*big.Int{"d": f.key.D, "p": f.key.Primes[0], "q": f.key.Primes[1]} {
		all = append(all,
			longCanary(name+"'s "+part, number.Bytes()),
			longCanary(name+"'s "+part+" in digits", []byte(number.String())))
	}
	return all
}

// fileCanaries are a PKCS#12 file: its bytes, and its base64, which may be encoded once more.
func fileCanaries(t *testing.T, name, base64File string) []canary {
	t.Helper()
	file, err := base64.StdEncoding.DecodeString(base64File)
	if err != nil {
		t.Fatal(err)
	}
	return []canary{longCanary(name, file), longCanary(name+" in base64", []byte(base64File))}
}

// canarySpellings are the forms in which a piece of a secret is looked for, whatever surrounds it.
func canarySpellings(piece []byte) map[string][]byte {
	digits := fmt.Sprintf("%x", piece)
	spaced := fmt.Sprintf("% x", piece)
	list := strings.Trim(fmt.Sprintf("%d", piece), "[]")
	all := map[string]string{
		"clear":           string(piece),
		"quoted":          quotedPiece(piece),
		"URL query":       url.QueryEscape(string(piece)),
		"URL path":        url.PathEscape(string(piece)),
		"hex":             digits,
		"HEX":             strings.ToUpper(digits),
		"hex, spaced":     spaced,
		"HEX, spaced":     strings.ToUpper(spaced),
		"hex, colons":     strings.ReplaceAll(spaced, " ", ":"),
		"HEX, colons":     strings.ToUpper(strings.ReplaceAll(spaced, " ", ":")),
		"numbers":         list,
		"numbers, commas": strings.ReplaceAll(list, " ", ","),
		"entities":        eachByte("&#%d;", piece),
		"hex entities":    eachByte("&#x%x;", piece),
		"percent signs":   eachByte("%%%02X", piece),
		"JSON escapes":    eachByte(`\u%04x`, piece),
	}
	// What base64 makes of a text depends on where in a group of three bytes it begins, and at its ends on its
	// neighbors.
	for skip := range 3 {
		group := piece[skip:]
		group = group[:len(group)-len(group)%3]
		all[fmt.Sprintf("base64, %d", skip)] = base64.StdEncoding.EncodeToString(group)
		all[fmt.Sprintf("base64url, %d", skip)] = base64.URLEncoding.EncodeToString(group)
	}
	spellings := map[string][]byte{}
	for name, s := range all {
		if name == "quoted" && len(s) < keySize {
			continue // too little is left of a short piece that is no text
		}
		spellings[name] = []byte(s)
	}
	// Passwords of PKCS#12 are UTF-16 to those who derive keys from them.
	if utf8.Valid(piece) {
		var wide []byte
		for _, unit := range utf16.Encode([]rune(string(piece))) {
			wide = binary.BigEndian.AppendUint16(wide, unit)
		}
		spellings["UTF-16"] = wide[1:] // in either order of bytes, as the pieces are ASCII
	}
	return spellings
}

// quotedPiece is how Go quotes a piece of bytes. At its ends that depends on its neighbors, which may make a character
// with it.
func quotedPiece(piece []byte) string {
	margin := utf8.UTFMax - 1
	if utf8.Valid(piece) {
		margin = 0
	}
	var b strings.Builder
	for at := 0; at < len(piece)-margin; {
		_, size := utf8.DecodeRune(piece[at:])
		if at >= margin {
			quoted := strconv.Quote(string(piece[at : at+size]))
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		at += size
	}
	return b.String()
}

// eachByte writes each byte of a piece by itself, as encoders do that leave no character as it is.
func eachByte(format string, piece []byte) string {
	var b strings.Builder
	for _, one := range piece {
		fmt.Fprintf(&b, format, one)
	}
	return b.String()
}
