// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestServer_GenerateKey_WhenRSA(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/generateKey", `{"use":"sig","kty":"rsa","nbf":1767322000,"exp":1799000000,"k":null,}`)
	r.want(t, http.StatusOK, "")
	key := r.object(t)
	for name, want := range map[string]any{
		"kty": "RSA", "use": "sig", "k": nil, "e": "AQAB",
		"nbf": json.Number("1767322000"), "exp": json.Number("1799000000"),
		"@odata.context": c.server.URL() + "/beta/$metadata#microsoft.graph.trustFrameworkKey",
	} {
		if got, ok := key[name]; !ok || got != want {
			t.Errorf("%s is %v (there: %t), want %v", name, got, ok, want)
		}
	}
	if x5c, ok := key["x5c"].([]any); !ok || len(x5c) != 0 {
		t.Errorf("x5c is %v, want []", key["x5c"])
	}
	modulus, err := base64.RawURLEncoding.DecodeString(r.text(t, "n"))
	if bits := new(big.Int).SetBytes(modulus).BitLen(); err != nil || bits != 2048 {
		t.Errorf("n has %d bits (%v)", bits, err)
	}
	sum := sha256.Sum256([]byte(fmt.Sprintf(`{"e":"AQAB","kty":"RSA","n":"%s"}`, r.text(t, "n"))))
	if got, want := r.text(t, "kid"), base64.RawURLEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("kid %q, want the thumbprint %q", got, want)
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi"} {
		if key[private] != nil {
			t.Errorf("private member %q is there", private)
		}
	}
}

func TestServer_GenerateKey_WhenOct(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	r := c.call(http.MethodPost, "/trustFramework/keySets('B2C_1A_A')/microsoft.graph.generateKey()", `{"use":"enc","kty":"OCT","nbf":null}`)
	r.want(t, http.StatusOK, "")
	key := r.object(t)
	for name, want := range map[string]any{"kty": "oct", "use": "enc", "k": nil, "n": nil, "e": nil, "nbf": nil, "exp": nil} {
		if got, ok := key[name]; !ok || got != want {
			t.Errorf("%s is %v (there: %t), want %v", name, got, ok, want)
		}
	}
	if kid := r.text(t, "kid"); !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(kid) {
		t.Errorf("kid %q", kid)
	}
}

func TestServer_GenerateKey_Appends(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	var want []string
	for range 3 {
		want = append(want, c.generate("B2C_1A_A", octSig))
	}
	if got := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A", "").kids(t); !slices.Equal(got, want) {
		t.Errorf("kids %q, want %q", got, want)
	}
}

func TestServer_GenerateKey_WhenRefused(t *testing.T) {
	t.Parallel()
	now := startTime().Unix()
	c := newCaller(t, emulator.Config{})
	c.make("Oct")
	c.generate("B2C_1A_Oct", octSig)
	for name, test := range map[string]struct{ body, code, text string }{
		"no use":               {`{"kty":"oct"}`, "AADB2C90253", "'use'"},
		"no kty":               {`{"use":"sig"}`, "AADB2C90253", "'kty'"},
		"null use":             {`{"use":null,"kty":"oct"}`, "AADB2C90253", "'use'"},
		"empty kty":            {`{"use":"sig","kty":""}`, "AADB2C90253", "'kty'"},
		"bad kty":              {`{"use":"sig","kty":"EC"}`, "AADB2C95031", "Bad kty parameter 'EC' for the trustframework key. Must be RSA or oct."},
		"bad use":              {`{"use":"sign","kty":"oct"}`, "AADB2C95033", "Bad use parameter 'sign'"},
		"use in capitals":      {`{"use":"SIG","kty":"oct"}`, "AADB2C95033", "'SIG'"},
		"number as use":        {`{"use":1,"kty":"oct"}`, "AADB2C90136", "'use' has the value '1'"},
		"mixed kty":            {`{"use":"sig","kty":"RSA"}`, "AADB2C95032", "One can't mix RSA and Oct types in one key set."},
		"mixed use":            {`{"use":"enc","kty":"oct"}`, "AADB2C95042", "One can't mix signature and encryption usage in one key set."},
		"exp now":              {fmt.Sprintf(`{"use":"sig","kty":"oct","exp":%d}`, now), "AADB2C90214", "Passed date :'2026-01-02T03:04:05'"},
		"exp before nbf":       {fmt.Sprintf(`{"use":"sig","kty":"oct","nbf":%d,"exp":%d}`, now+20, now+10), "AADB2C90136", "'exp'"},
		"string as nbf":        {fmt.Sprintf(`{"use":"sig","kty":"oct","nbf":"%d"}`, now), "AADB2C90136", "'nbf'"},
		"fraction":             {`{"use":"sig","kty":"oct","exp":4102444800.0}`, "AADB2C90136", "'exp'"},
		"exponent":             {`{"use":"sig","kty":"oct","exp":4e9}`, "AADB2C90136", "'exp'"},
		"milliseconds":         {`{"use":"sig","kty":"oct","exp":4102444800000}`, "AADB2C90136", "'exp'"},
		"too large for 64 bit": {`{"use":"sig","kty":"oct","exp":99999999999999999999}`, "AADB2C90136", "'exp'"},
		"negative":             {`{"use":"sig","kty":"oct","nbf":-1}`, "AADB2C90136", "'nbf'"},
		"kid":                  {`{"use":"sig","kty":"oct","kid":"mine"}`, "AADB2C90136", "'kid'"},
		"odata type":           {`{"use":"sig","kty":"oct","@odata.type":"x"}`, "AADB2C90136", "'@odata.type'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_Oct/generateKey", test.body)
			r.want(t, http.StatusBadRequest, test.code)
			if _, message, _ := r.failure(t); !strings.Contains(message, test.text) {
				t.Errorf("message %q lacks %q", message, test.text)
			}
		})
	}
	t.Run("secret is not repeated", func(t *testing.T) {
		t.Parallel()
		r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_Oct/generateKey", `{"use":"sig","kty":"oct","k":"hunter2"}`)
		r.want(t, http.StatusBadRequest, "AADB2C90136")
		if bytes.Contains(r.body, []byte("hunter2")) {
			t.Errorf("the answer has the secret: %s", r.body)
		}
	})
}

func TestServer_GenerateKey_WhenDatesAreEqual(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	c.generate("B2C_1A_A", `{"use":"sig","kty":"oct","nbf":1908969811,"exp":1908969811}`)
}

func TestServer_GetActiveKey_PicksNewestBegun(t *testing.T) {
	t.Parallel()
	now := startTime().Unix()
	at := func(d int64) *int64 { v := now + d; return &v }
	for name, test := range map[string]struct {
		keys []emulator.KeySpec
		want int // index, -1 for none
	}{
		"empty":                 {nil, -1},
		"undated":               {[]emulator.KeySpec{{}}, 0},
		"undated tie":           {[]emulator.KeySpec{{}, {}}, 1},
		"dated beats undated":   {[]emulator.KeySpec{{Nbf: at(-10)}, {}}, 0},
		"newest begun":          {[]emulator.KeySpec{{Nbf: at(-10)}, {Nbf: at(-5)}, {Nbf: at(-20)}}, 1},
		"equal nbf":             {[]emulator.KeySpec{{Nbf: at(-10)}, {Nbf: at(-10)}}, 1},
		"begins now":            {[]emulator.KeySpec{{Nbf: at(-10)}, {Nbf: at(0)}}, 1},
		"future":                {[]emulator.KeySpec{{Nbf: at(-10)}, {Nbf: at(1)}}, 0},
		"future only":           {[]emulator.KeySpec{{Nbf: at(1)}}, -1},
		"expired":               {[]emulator.KeySpec{{}, {Nbf: at(-10), Exp: at(-1)}}, 0},
		"expires now":           {[]emulator.KeySpec{{Nbf: at(-10), Exp: at(0)}}, -1},
		"expires in a moment":   {[]emulator.KeySpec{{Nbf: at(-10), Exp: at(1)}}, 0},
		"expired, no other one": {[]emulator.KeySpec{{Exp: at(-1)}}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{})
			c.tenant.AddKeySet("A")
			var kids []string
			for _, spec := range test.keys {
				spec.Kty = "oct"
				kids = append(kids, c.tenant.AddKey("A", spec))
			}
			for _, path := range []string{"/getActiveKey", "/getActiveKey()", "/microsoft.graph.getActiveKey()"} {
				r := c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A"+path, "")
				if test.want < 0 {
					r.want(t, http.StatusBadRequest, "AADB2C90019")
					continue
				}
				r.want(t, http.StatusOK, "")
				if got := r.text(t, "kid"); got != kids[test.want] {
					t.Errorf("%s: key %d, want %d", path, slices.Index(kids, got), test.want)
				}
			}
		})
	}
}

func TestServer_GetActiveKey_MovesWithTheClock(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	old := c.generate("B2C_1A_A", octSig)
	next := c.generate("B2C_1A_A", fmt.Sprintf(`{"use":"sig","kty":"oct","nbf":%d}`, startTime().Add(time.Minute).Unix()))
	active := func() string {
		return c.call(http.MethodGet, "/trustFramework/keySets/B2C_1A_A/getActiveKey", "").text(t, "kid")
	}
	if active() != old {
		t.Error("the new key is active before its time")
	}
	c.server.Advance(time.Minute)
	if active() != next {
		t.Error("the new key isn't active at its time")
	}
	c.tenant.SetKeyStatus("A", next, false)
	if active() != old {
		t.Error("a disabled key is active")
	}
}

func TestServer_GetActiveKey_WhenPosted(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{})
	c.make("A")
	r := c.call(http.MethodPost, "/trustFramework/keySets/B2C_1A_A/getActiveKey", `{}`)
	r.want(t, http.StatusNotFound, "UnknownError")
	_, message, _ := r.failure(t)
	var inside struct {
		MessageDetail string `json:"messageDetail"`
	}
	if err := json.Unmarshal([]byte(message), &inside); err != nil || !strings.HasPrefix(inside.MessageDetail, "No action was found") {
		t.Errorf("message %q (%v)", message, err)
	}
}
