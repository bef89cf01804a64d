// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	abs "github.com/microsoft/kiota-abstractions-go"

	"github.com/trustframework/terraform-provider-trustframework/internal/errorcode"
	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// bodies are answers that were documented or observed, and what a proxy, a cut or a mistake makes of them.
func bodies() []string {
	const key = `{"kid":"Gaid7K8sO8RavMX9fzHir_Wg0femGhbY9b-B4rVIxbE","use":"sig","kty":"RSA","nbf":1508969811,"exp":"1908969811","k":null,"x5c":[],"e":"AQAB","n":"rd54s6"}`
	return []string{
		key,
		`{"value":` + key + `}`,
		`{"value":[` + key + `]}`,
		`{"id":"B2C_1A_A","keys":[` + key + `]}`,
		`{"id":"b2c_1a_a","keys":[]}`,
		`{"id":"B2C_1A_A"}`,
		`{"id":"B2C_1A_A.bak","keys":[` + key + `]}`,
		`{"id":"B2C_1A_A","keys":[{"kid":"x"},null,{"kid":""}]}`,
		`{"value":[{"id":"B2C_1A_A","keys":[` + key + `]}],"@odata.nextLink":"https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x"}`,
		`{"value":[{"id":""}]}`,
		`{"value":null}`,
		`{"kid":"x","nbf":"","exp":null,"kty":"OCT","use":"SIG","status":"Enabled"}`,
		`{"kid":"x","nbf":1.5}`,
		`{"kid":"x","exp":1e400}`,
		`{"kid":"x","exp":99999999999999999999}`,
		`{"kid":"x","kty":"RSA","n":"AA","e":"AA"}`,
		`{"kid":"x","kty":"RSA","n":"AA","e":"AQAB"}`,
		`{"kid":"x","kty":"RSA","n":"!","e":"AQAB"}`,
		`{"kid":"x","kty":"RSA","n":"rd54s6","e":"f____w","x5c":["AAAA",""]}`,
		`{"KID":"x","Kid":"y","kid":null}`,
		`{"error":{"code":"AADB2C90073","message":"KeyContainer with 'id': 'B2C_1A_A' cannot be found in the directory."}}`,
		`{"error":{"code":"AADB2C95028","message":"Can't create trustframework key set."}}`,
		`{"error":{"code":"ResourceNotFound","message":"no"}}`,
		`{"error":{"code":"UnknownError","message":""}}`,
		`{"error":{"code":"","message":"no"}}`,
		`{"error":{"code":90073}}`,
		`{"error":"AADB2C90073"}`,
		`AADB2C90073`,
		"<html>\r\n<title>502 Bad\xffGateway \xe2\x80\xa8</title>",
		`{"kid":"x`,
		`[]`,
		`null`,
		``,
	}
}

// FuzzDecode_AnyBody: an answer that is accepted names what it is about, and what is shown of its keys can be
// read by others.
func FuzzDecode_AnyBody(f *testing.F) {
	for _, body := range bodies() {
		f.Add([]byte(body), "B2C_1A_A")
	}
	f.Add([]byte(`{"id":"B2C_1A_İ","keys":[]}`), "i̇")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		if key, err := decodeKey(body, nil); err == nil {
			checkKey(t, key)
		}
		if key, err := decodeKeyV2(body, nil); err == nil {
			checkKey(t, key)
		}
		if set, hidden, err := decodeKeySet(body, id, nil); err == nil {
			if !SameID(set.ID, id) {
				t.Fatalf("an answer about %q was taken for one about %q", set.ID, id)
			}
			checkKeys(t, set.Keys, hidden == nil)
		}
		if page, _, _, err := decodePage[wireKeySet](body); err == nil {
			for _, w := range page {
				set, hidden := w.keySet(nil)
				if why := IDProblem(set.ID); why != "" {
					t.Fatalf("a set was accepted with the ID %q: %s", set.ID, why)
				}
				checkKeys(t, set.Keys, hidden == nil)
			}
		}
		if page, _, _, err := decodePage[wireKey](body); err == nil {
			for _, w := range page {
				checkKey(t, w.key())
			}
		}
	})
}

func checkKeys(t *testing.T, keys []Key, known bool) {
	t.Helper()
	for _, key := range keys {
		if known && (key.Kid == "" || key.Kty == "" || key.Use == "") {
			t.Fatalf("a set's keys count as known with %+v", key)
		}
		showKey(t, key)
	}
	if _, err := (KeySet{Keys: keys}).JWKS(); err != nil {
		t.Fatal(err)
	}
}

func checkKey(t *testing.T, key Key) {
	t.Helper()
	if why := IDProblem(key.Kid); why != "" {
		t.Fatalf("a key was accepted with the kid %q: %s", key.Kid, why)
	}
	showKey(t, key)
}

// showKey writes the public half of a key and reads it as anybody would.
func showKey(t *testing.T, key Key) {
	t.Helper()
	if strings.EqualFold(key.Kty, KtyRSA) && key.Kty != KtyRSA || strings.EqualFold(key.Kty, KtyOct) && key.Kty != KtyOct {
		t.Fatalf("kty %q", key.Kty)
	}
	text, err := key.PublicKeyPEM()
	if err == nil && text != "" {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			t.Fatalf("%q is no PEM", text)
		}
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			t.Fatalf("nobody can read the public key of n %q, e %q: %v", key.N, key.E, err)
		}
	}
	jwk, err := key.PublicKeyJWK()
	if err == nil && jwk != "" && !json.Valid([]byte(jwk)) {
		t.Fatalf("%s is no JSON", jwk)
	}
	if certificate, err := key.Certificate(); err == nil && certificate != nil && certificate.PEM() == "" {
		t.Fatal("a certificate without PEM")
	}
}

// FuzzNumericDate_StringsAreNumbers: a date in a string is the same date, or the same refusal, as the number.
func FuzzNumericDate_StringsAreNumbers(f *testing.F) {
	for _, text := range []string{"0", "-1", "1508969811", "9223372036854775807", "9223372036854775808", "1e3", "1.0", "-0", "null", "", " ", "soon", "+1", "0x10", "1_0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Skip()
		}
		var date numericDate
		err = json.Unmarshal(quoted, &date)
		text = strings.TrimSpace(text)
		whole, decimals, _ := strings.Cut(text, ".")
		if strings.Trim(decimals, "0") != "" || strings.HasSuffix(text, ".") {
			whole = text
		}
		want, ok := new(big.Int).SetString(whole, 10)
		switch none := text == "" || text == "null"; {
		case none && (err != nil || date.seconds != nil):
			t.Fatalf("%q: %v, %v", text, date.seconds, err)
		case !none && (err == nil) != (ok && want.IsInt64()):
			t.Fatalf("%q: %v", text, err)
		case !none && err == nil && (date.seconds == nil || *date.seconds != want.Int64()):
			t.Fatalf("%q was read as %v", text, date.seconds)
		}
		var number numericDate
		if !json.Valid([]byte(text)) || strings.ContainsAny(text, `"{[`) {
			return
		}
		if numberErr := json.Unmarshal([]byte(text), &number); (numberErr == nil) != (err == nil) || !sameDate(number.seconds, date.seconds) {
			t.Fatalf("%s: the number %v, %v, the string %v, %v", text, number.seconds, numberErr, date.seconds, err)
		}
	})
}

// FuzzError_AnyAnswer: only the service's own word for a missing key set means gone, and whatever a proxy
// sends in its place is told in one short line.
func FuzzError_AnyAnswer(f *testing.F) {
	for _, body := range bodies() {
		for _, status := range []int{400, 404, 429, 502} {
			f.Add(status, []byte(body))
		}
	}
	f.Add(410, []byte(`{"error":{"code":"AADB2C90073"}}`))
	f.Add(404, []byte(strings.Repeat("\xff ", 500)))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := newError("read key", "B2C_1A_A", answer{status: status, header: http.Header{}, body: body})
		if e.Kind == KindKeySetGone && !saysGone(status, body) {
			t.Fatalf("%d %q means gone", status, body)
		}
		if e.Kind != KindKeySetGone && saysGone(status, body) {
			t.Fatalf("%d %q means %s", status, body, e.Kind)
		}
		if !slices.Contains([]Kind{KindKeySetGone, KindExists, KindThrottled, KindDenied, KindUnavailable, KindRefused}, e.Kind) {
			t.Fatalf("kind %q", e.Kind)
		}
		if status < 400 && e.Kind == KindRefused || status >= 500 && e.Kind == KindRefused {
			t.Fatalf("%d %q is taken for a refusal, after which nothing was done", status, body)
		}
		if text := e.Message; !json.Valid(body) && len(text) > 200 || len(text) > redact.Longest || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\u2028\u0085") {
			t.Fatalf("the excerpt %q", text)
		}
		if e.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}

// saysGone is what the design says of "gone", in words of its own: AADB2C90073 with 400 or 404, or a 404 of
// Graph's with a code that isn't that of an address that doesn't exist, nor one that means something else.
func saysGone(status int, body []byte) bool {
	var answer struct{ Error struct{ Code string } }
	if json.Unmarshal(body, &answer) != nil {
		answer.Error.Code = partOf(body)
	}
	switch code := answer.Error.Code; status {
	case http.StatusBadRequest:
		return code == "AADB2C90073"
	case http.StatusNotFound:
		_, meansElse := errorcode.Lookup(code)
		return code == "AADB2C90073" || code != "" && code != "UnknownError" && !meansElse
	default:
		return false
	}
}

// partOf is the code of an error that has something else wrong with it.
func partOf(body []byte) string {
	var answer struct {
		Error struct{ Code, Message json.RawMessage }
	}
	var code string
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer.Error.Code, &code) != nil {
		return ""
	}
	return code
}

// FuzzNextPage_StaysAtHome: whatever the service calls the next page, the request for it goes to the collection at
// the configured endpoint.
func FuzzNextPage_StaysAtHome(f *testing.F) {
	for _, link := range []string{
		"https://graph.microsoft.com/beta/trustFramework/keySets?$skiptoken=x",
		"https://evil.example/keySets?$skiptoken=x",
		"//evil.example/keysets?x",
		"keySets?x=https://evil.example/#y",
		"https://u:p@evil.example/KEYSETS/?%zz",
		"https://graph.microsoft.com/beta/users?$skiptoken=x",
		"https://graph.microsoft.com/beta/trustFramework/keySets",
		"?", "#", "%", "/keySets?\x7f", "/keySets?a b",
	} {
		f.Add(link)
	}
	const base, collection = "https://graph.test/beta", "/trustFramework/keySets"
	c := &Client{adapter: homeAdapter{base: base}}
	f.Fuzz(func(t *testing.T, link string) {
		next, err := c.nextPage(link, collection)
		if err != nil {
			return
		}
		u, err := url.Parse(next)
		if err != nil || u.Scheme != "https" || u.Host != "graph.test" || u.User != nil || u.Path != "/beta"+collection || u.Fragment != "" {
			t.Fatalf("%q leads to %q (%v)", link, next, err)
		}
	})
}

// homeAdapter only knows its base URL.
type homeAdapter struct {
	abs.RequestAdapter
	base string
}

// GetBaseUrl implements abs.RequestAdapter.
func (a homeAdapter) GetBaseUrl() string { return a.base }
