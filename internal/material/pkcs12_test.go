// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package material

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what the file's MAC is made with
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

const password = "correct horse battery"

func encode(tb testing.TB, encoder *pkcs12.Encoder, key any, leaf *x509.Certificate, chain ...*x509.Certificate) []byte {
	tb.Helper()
	pw := password
	if encoder == pkcs12.Passwordless {
		pw = ""
	}
	file, err := encoder.Encode(key, leaf, chain, pw)
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

// rewrite changes a file's parts, and makes its SHA-1 MAC anew.
func rewrite(tb testing.TB, file []byte, change func(parts []contentInfo) []contentInfo) []byte {
	tb.Helper()
	var outer pfx
	var safe []byte
	var parts []contentInfo
	if !unmarshal(file, &outer) || !unmarshal(outer.AuthSafe.Content.Bytes, &safe) || !unmarshal(safe, &parts) {
		tb.Fatal("not a file that can be rewritten")
	}
	safe = marshal(tb, change(parts))
	outer.AuthSafe.Content = explicit(marshal(tb, safe))
	outer.MAC.MAC.Digest = macOf(safe, outer.MAC.Salt, outer.MAC.Iterations)
	return marshal(tb, outer)
}

// macOf is RFC 7292, appendix B.2 with SHA-1 and ID 3, for the one block that the key of a MAC takes.
func macOf(content, salt []byte, iterations int) []byte {
	var bmp []byte
	for _, unit := range append(utf16.Encode([]rune(password)), 0) {
		bmp = binary.BigEndian.AppendUint16(bmp, unit)
	}
	fill := func(b []byte) []byte {
		return bytes.Repeat(b, 64)[:(len(b)+63)/64*64]
	}
	key := append(append(bytes.Repeat([]byte{3}, 64), fill(salt)...), fill(bmp)...)
	for range max(iterations, 1) {
		sum := sha1.Sum(key) //nolint:gosec // what the file's MAC is made with
		key = sum[:]
	}
	mac := hmac.New(sha1.New, key)
	mac.Write(content)
	return mac.Sum(nil)
}

func marshal(tb testing.TB, value any) []byte {
	tb.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func explicit(content []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: content}
}

// bagsOf returns the bags of a part that isn't encrypted, and partOf makes such a part.
func bagsOf(tb testing.TB, part contentInfo) []asn1.RawValue {
	tb.Helper()
	var content []byte
	var bags []asn1.RawValue
	if !unmarshal(part.Content.Bytes, &content) || !unmarshal(content, &bags) {
		tb.Fatal("not a plain part")
	}
	return bags
}

func partOf(tb testing.TB, bags []asn1.RawValue) contentInfo {
	tb.Helper()
	return contentInfo{ContentType: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, Content: explicit(marshal(tb, marshal(tb, bags)))}
}

// withIterations asks for n iterations where the file asks for 2048 to decrypt the private key.
func withIterations(tb testing.TB, file []byte, n int) []byte {
	tb.Helper()
	return rewrite(tb, file, func(parts []contentInfo) []contentInfo {
		var bag safeBag
		var key encryptedKey
		var parameters pbeParameters
		if !unmarshal(bagsOf(tb, parts[1])[0].FullBytes, &bag) || !unmarshal(bag.Value.Bytes, &key) || !unmarshal(key.Algorithm.Parameters.FullBytes, &parameters) {
			tb.Fatal("no shrouded key")
		}
		parameters.Iterations = n
		key.Algorithm.Parameters = asn1.RawValue{FullBytes: marshal(tb, parameters)}
		bag.Value = explicit(marshal(tb, key))
		return []contentInfo{parts[0], partOf(tb, []asn1.RawValue{{FullBytes: marshal(tb, bag)}})}
	})
}

func TestParsePKCS12_Opens(t *testing.T) {
	t.Parallel()
	key := newRSAKey(t)
	caKey := newRSAKey(t)
	ca := issue(t, "CA", caKey, nil, nil, authority)
	leaf := issue(t, "leaf", key, ca, caKey, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })
	// A root from before X.509 version 3 doesn't say that it is an authority.
	oldRoot := issue(t, "old root", caKey, nil, nil, nil)
	oldLeaf := issue(t, "leaf", key, oldRoot, caKey, nil)
	own := issue(t, "own", key, nil, nil, nil)
	file := encode(t, pkcs12.LegacyDES, key, own)
	for name, row := range map[string]struct {
		text  string
		leaf  *x509.Certificate
		chain int
	}{
		"3DES":                           {inBase64(file), own, 0},
		"RC2":                            {inBase64(encode(t, pkcs12.LegacyRC2, key, own)), own, 0},
		"many iterations":                {inBase64(encode(t, pkcs12.LegacyDES.WithIterations(100_000), key, own)), own, 0},
		"with line breaks":               {"\n" + inBase64(file)[:76] + "\r\n" + inBase64(file)[76:] + " \n", own, 0},
		"with its chain":                 {inBase64(encode(t, pkcs12.LegacyDES, key, leaf, ca)), leaf, 1},
		"with its chain, leaf last":      {inBase64(encode(t, pkcs12.LegacyDES, key, ca, leaf)), leaf, 1},
		"with the leaf twice":            {inBase64(encode(t, pkcs12.LegacyDES, key, leaf, ca, leaf)), leaf, 1},
		"with a root of X.509 version 1": {inBase64(encode(t, pkcs12.LegacyDES, key, oldLeaf, oldRoot)), oldLeaf, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParsePKCS12(row.text, password, now())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Certificate.DER, row.leaf.Raw) || len(got.Chain) != row.chain {
				t.Errorf("leaf %s, chain of %d", got.Certificate.Subject(), len(got.Chain))
			}
			if inBase64(got.File) != strings.Join(strings.Fields(row.text), "") {
				t.Error("the file isn't the one that was given")
			}
		})
	}
}

func TestParsePKCS12_Refused(t *testing.T) {
	t.Parallel()
	key, otherKey := newRSAKey(t), newRSAKey(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, other := issue(t, "own", key, nil, nil, nil), issue(t, "other", otherKey, nil, nil, nil)
	expired := issue(t, "old", key, nil, nil, func(c *x509.Certificate) { c.NotAfter = now().Add(-time.Hour) })
	file := encode(t, pkcs12.LegacyDES, key, own)
	changed := bytes.Clone(file)
	changed[len(changed)/4] ^= 0xff
	trust, err := pkcs12.LegacyDES.EncodeTrustStore([]*x509.Certificate{own}, password)
	if err != nil {
		t.Fatal(err)
	}
	oneKey := rewrite(t, file, func(parts []contentInfo) []contentInfo { return parts[1:] })
	twoKeys := rewrite(t, file, func(parts []contentInfo) []contentInfo {
		bags := bagsOf(t, parts[1])
		return []contentInfo{parts[0], partOf(t, append(bags, bags...))}
	})
	threeParts := rewrite(t, file, func(parts []contentInfo) []contentInfo { return append(parts, parts[1]) })
	noPart := rewrite(t, file, func([]contentInfo) []contentInfo { return nil })
	// The MAC is right, and the padding of the encrypted certificates isn't: in CBC, a bit of one block of 8 bytes turns
	// the same bit of the next.
	garbled := rewrite(t, file, func(parts []contentInfo) []contentInfo {
		parts[0].Content.FullBytes = nil
		parts[0].Content.Bytes[len(parts[0].Content.Bytes)-9] ^= 0xff
		return parts
	})
	oddBag := rewrite(t, file, func(parts []contentInfo) []contentInfo {
		return []contentInfo{parts[0], {ContentType: parts[1].ContentType, Content: explicit(marshal(t, []byte{0x30, 0x01}))}}
	})
	rc4 := bytes.ReplaceAll(file, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03}, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x01})
	// The same content, in a file whose outermost sequence has no length.
	ber := append(append([]byte{0x30, 0x80}, file[4:]...), 0, 0)
	// Pieces of an octet string, which DER forbids, inside of sequences that are DER.
	pieces := marshal(t, pfx{
		Version:  3,
		AuthSafe: contentInfo{ContentType: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, Content: explicit(append([]byte{0x24, 0x80}, 0, 0))},
	})

	mistaken := func(encryption ...string) []string {
		return append(encryption, "AADB2C90213", `"The certificate password provided in request is incorrect"`, "even if the password is right",
			"openssl pkcs12 -export -in all.pem -out new.pfx -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1")
	}
	const right, blank = false, true
	for name, row := range map[string]struct {
		text            string
		password        string
		passwordAtFault bool
		words           []string
	}{
		"empty":            {"", password, right, []string{"empty", "filebase64()"}},
		"not base64":       {"hunter2!", password, right, []string{"isn't base64", "filebase64()"}},
		"PEM":              {inPEM("CERTIFICATE", own.Raw) + inPEM("PRIVATE KEY", pkcs8(t, key)), password, right, []string{"PEM", "openssl pkcs12 -export"}},
		"PEM in base64":    {inBase64([]byte(inPEM("PRIVATE KEY", pkcs8(t, key)))), password, right, []string{"PEM text in base64"}},
		"bytes":            {string(file), password, right, []string{"bytes of a file", "filebase64() instead of file()"}},
		"twice":            {inBase64([]byte(inBase64(file))), password, right, []string{"twice"}},
		"too large":        {inBase64(make([]byte, maxSize+1)), password, right, []string{"1 MiB"}},
		"something":        {inBase64([]byte("hunter2")), password, right, []string{"not a PKCS#12 file"}},
		"a certificate":    {inBase64(own.Raw), password, right, []string{"certificate without its private key", "trustframework_uploaded_certificate"}},
		"a private key":    {inBase64(pkcs8(t, key)), password, right, []string{"a private key, not a PKCS#12 file"}},
		"a Java key store": {inBase64([]byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2}), password, right, []string{"JKS", "keytool"}},
		"half of it":       {inBase64(file[:len(file)/2]), password, right, []string{"only a part of one"}},
		"BER":              {inBase64(ber), password, right, []string{"BER", "openssl pkcs12 -export -in all.pem"}},
		"BER in pieces":    {inBase64(pieces), password, right, []string{"BER", "openssl pkcs12 -export -in all.pem"}},
		"no part":          {inBase64(noPart), password, right, []string{"0 parts"}},
		"three parts":      {inBase64(threeParts), password, right, []string{"3 parts", "openssl"}},
		"odd part":         {inBase64(oddBag), password, right, []string{"damaged", "begins as one"}},

		"empty password":         {inBase64(file), "", blank, []string{"blank", "refuses a PKCS#12 file without a password"}},
		"white space password":   {inBase64(file), " \t", blank, []string{"blank"}},
		"no password at all":     {inBase64(encode(t, pkcs12.Passwordless, key, own)), "", blank, []string{"blank"}},
		"a password for nothing": {inBase64(encode(t, pkcs12.Passwordless, key, own)), password, right, []string{"no encryption with no MAC", "openssl"}},

		"Modern":                    {inBase64(encode(t, pkcs12.Modern, key, own)), password, right, mistaken("AES-256-CBC with SHA-256 MAC")},
		"Modern2023":                {inBase64(encode(t, pkcs12.Modern2023, key, own)), password, right, mistaken("AES-256-CBC with SHA-256 MAC")},
		"Modern2026":                {inBase64(encode(t, pkcs12.Modern2026, key, own)), password, right, mistaken("AES-256-CBC with PBMAC1 MAC")},
		"Modern and wrong password": {inBase64(encode(t, pkcs12.Modern, key, own)), "wrong", right, mistaken("AES-256-CBC with SHA-256 MAC")},
		"3DES with a SHA-256 MAC":   {inBase64(withMAC(t, file, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1})), password, right, mistaken("PBE-SHA1-3DES with SHA-256 MAC")},
		"AES for the key alone":     {inBase64(mixed(t, file, encode(t, pkcs12.Modern, key, own))), password, right, mistaken("PBE-SHA1-3DES and AES-256-CBC with SHA-1 MAC")},
		"RC4":                       {inBase64(rc4), password, right, []string{"PBE-SHA1-RC4-128 with SHA-1 MAC", "can't be opened here", "openssl"}},
		"2^31 iterations":           {inBase64(withIterations(t, file, 1<<31)), password, right, []string{"10000000 iterations"}},

		"wrong password":         {inBase64(file), "wrong", blank, []string{"doesn't open", "changed after it was written"}},
		"a password with emoji":  {inBase64(file), "wrong 🔑", blank, []string{"a character that PKCS#12 can't hold"}},
		"changed":                {inBase64(changed), password, blank, []string{"doesn't open", "changed after it was written"}},
		"garbled":                {inBase64(garbled), password, right, []string{"password fits", "damaged"}},
		"no private key":         {inBase64(trust), password, right, []string{"No private key", "trustframework_uploaded_certificate"}},
		"no certificate":         {inBase64(oneKey), password, right, []string{"no certificate", "Export it again"}},
		"two private keys":       {inBase64(twoKeys), password, right, []string{"2 private keys", "one key"}},
		"two leaves":             {inBase64(encode(t, pkcs12.LegacyDES, key, own, other)), password, right, []string{"2 certificates", "the leaf"}},
		"not RSA":                {inBase64(encode(t, pkcs12.LegacyDES, ed, issue(t, "ed", ed, nil, nil, nil))), password, right, []string{"private key", "isn't RSA"}},
		"another's certificate":  {inBase64(encode(t, pkcs12.LegacyDES, key, other)), password, right, []string{"doesn't belong to its certificate"}},
		"expired":                {inBase64(encode(t, pkcs12.LegacyDES, key, expired)), password, right, []string{"expired at 2030-01-01T11:00:00Z"}},
		"neither signs nor else": {inBase64(encode(t, pkcs12.LegacyDES, key, issue(t, "own", key, nil, nil, withoutUse))), password, right, []string{"KeyUsage", "digitalSignature"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParsePKCS12(row.text, row.password, now())
			atFault := checkMistake(t, err, row.words, inBase64(pkcs8(t, key)), inPEM("", pkcs8(t, key)), row.text[:min(len(row.text), 5000)], password, "hunter2", "wrong 🔑")
			if atFault != row.passwordAtFault {
				t.Errorf("the password is at fault: %t, want %t", atFault, row.passwordAtFault)
			}
		})
	}
}

// withMAC names another algorithm for the file's MAC, which is looked at before the MAC itself.
func withMAC(tb testing.TB, file []byte, algorithm asn1.ObjectIdentifier) []byte {
	tb.Helper()
	var outer pfx
	if !unmarshal(file, &outer) {
		tb.Fatal("not a PKCS#12 file")
	}
	outer.MAC.MAC.Algorithm.Algorithm = algorithm
	return marshal(tb, outer)
}

// mixed has the certificates of the one file and the private key of the other.
func mixed(tb testing.TB, certificates, key []byte) []byte {
	tb.Helper()
	var parts []contentInfo
	var outer pfx
	var safe []byte
	if !unmarshal(key, &outer) || !unmarshal(outer.AuthSafe.Content.Bytes, &safe) || !unmarshal(safe, &parts) {
		tb.Fatal("not a PKCS#12 file")
	}
	return rewrite(tb, certificates, func(own []contentInfo) []contentInfo { return []contentInfo{own[0], parts[1]} })
}

// TestParsePKCS12_TheCommandsOfTheError_Help runs what the error says, with passwords from a variable instead of typed.
func TestParsePKCS12_TheCommandsOfTheError_Help(t *testing.T) {
	t.Parallel()
	if version, err := exec.CommandContext(t.Context(), "openssl", "version").Output(); err != nil || !bytes.HasPrefix(version, []byte("OpenSSL 3")) {
		t.Skip("there is no OpenSSL 3")
	}
	key := newRSAKey(t)
	old := encode(t, pkcs12.Modern2023, key, issue(t, "own", key, nil, nil, nil))
	_, err := ParsePKCS12(inBase64(old), password, now())
	if err == nil {
		t.Fatal("the file needs no command")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old.pfx"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    (openssl .*)$`).FindAllStringSubmatch(err.Error(), -1)
	if len(commands) != 2 {
		t.Fatalf("the error has %d commands", len(commands))
	}
	for _, command := range commands {
		words := append(strings.Fields(command[1])[1:], "-passin", "env:PFX_PASSWORD", "-passout", "env:PFX_PASSWORD")
		openssl := exec.CommandContext(t.Context(), "openssl", words...)
		openssl.Dir, openssl.Env = dir, append(os.Environ(), "PFX_PASSWORD="+password)
		if out, err := openssl.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command[1], err, out)
		}
	}
	between, err := os.ReadFile(filepath.Join(dir, "all.pem"))
	if err != nil || !bytes.Contains(between, []byte("BEGIN ENCRYPTED PRIVATE KEY")) || bytes.Contains(between, []byte("BEGIN PRIVATE KEY")) {
		t.Errorf("the private key isn't encrypted in between (%v)", err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "new.pfx"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParsePKCS12(inBase64(file), password, now()); err != nil {
		t.Error(err)
	}
}
