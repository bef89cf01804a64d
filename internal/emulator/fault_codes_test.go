// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

func TestRefusal_EveryCode(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Control: "127.0.0.1:0"})
	c.make("A")
	codes := emulator.Codes()
	if len(codes) < 50 || !slices.Contains(codes, "AADB2C") {
		t.Fatalf("codes %q", codes)
	}
	for _, code := range codes {
		for name, inject := range map[string]func(){
			"library": func() { c.tenant.Inject(emulator.Refusal(emulator.OpGenerateKey, code)) },
			"control": func() {
				control(t, c, http.MethodPost, "/faults", `{"kind":"Refusal","op":"generateKey","code":"`+code+`"}`, nil).want(t, http.StatusNoContent, "")
			},
		} {
			c.tenant.ResetJournal()
			inject()
			r := c.call(http.MethodPost, setA+"/generateKey", octSig)
			status := map[string]int{"AADB2C90063": 500, "AADB2C90229": 429, "AADB2C90244": 429, "AADB2C95043": 429}[code]
			r.want(t, max(status, 400), code)
			if _, message, inner := r.failure(t); message != emulator.Refusal("", code).Message || len(message) < 20 || inner["correlationId"] == nil {
				t.Errorf("%s, %s: answer %s", code, name, r.body)
			}
			if journal := c.tenant.Journal(); len(journal) != 1 || journal[0].Fault != "Refusal" || journal[0].Committed {
				t.Errorf("%s, %s: journal %v", code, name, journal)
			}
		}
	}
	if n := len(c.tenant.KeySets()[0].Keys); n != 0 {
		t.Errorf("%d keys", n)
	}
	for _, body := range []string{`{"kind":"Refusal","op":"create","code":"AADB2C90000"}`, `{"kind":"Refusal","op":"create"}`} {
		control(t, c, http.MethodPost, "/faults", body, nil).want(t, http.StatusBadRequest, "")
	}
}

// TestRefusal_SaysWhatTheEmulatorSays: where the emulator comes to an answer by itself, it has the status and the
// words of the refusal that can be asked for.
func TestRefusal_SaysWhatTheEmulatorSays(t *testing.T) {
	t.Parallel()
	const generate = setA + "/generateKey"
	key := rsaKey(t, 2048)
	cert := certificate(t, key, nil)
	toSign := keyBody(t, cert.Raw)
	for code, provoke := range map[string]struct{ method, path, body string }{
		"AADB2C":      {http.MethodPost, "/trustFramework/keySets", `{"id":"B","@odata.type":"x"}`},
		"AADB2C90019": {http.MethodGet, "/trustFramework/keySets/B2C_1A_Empty/getActiveKey", ""},
		"AADB2C90063": {http.MethodPost, setA + "/uploadSecret", secretSig},
		"AADB2C90073": {http.MethodGet, "/trustFramework/keySets/B2C_1A_None", ""},
		"AADB2C90136": {http.MethodPost, generate, `{"use":"sig","kty":"oct","nbf":"soon"}`},
		"AADB2C90137": {http.MethodPost, setA + "/uploadCertificate", keyBody(t, certificate(t, rsaKey(t, 1024), nil).Raw)},
		"AADB2C90179": {http.MethodPost, setA + "/uploadCertificate", keyBody(t, cert.Raw[:9])},
		"AADB2C90180": {http.MethodPost, "/trustFramework/keySets/B2C_1A_Certified/uploadCertificate", toSign},
		"AADB2C90213": {http.MethodPost, setA + "/uploadPkcs12", pfxBody(t, pfx(t, pkcs12.LegacyDES, key, cert), "x")},
		"AADB2C90215": {http.MethodPost, "/trustFramework/keySets/B2C_1A_Encrypting/uploadCertificate", toSign},
		"AADB2C90214": {http.MethodPost, generate, `{"use":"sig","kty":"oct","exp":1}`},
		"AADB2C90253": {http.MethodPost, generate, `{"kty":"oct"}`},
		"AADB2C95028": {http.MethodPost, "/trustFramework/keySets", `{"id":"A"}`},
		"AADB2C95031": {http.MethodPost, generate, `{"use":"sig","kty":"EC"}`},
		"AADB2C95032": {http.MethodPost, generate, `{"use":"sig","kty":"RSA"}`},
		"AADB2C95033": {http.MethodPost, generate, `{"use":"sign","kty":"oct"}`},
		"AADB2C95042": {http.MethodPost, generate, `{"use":"enc","kty":"oct"}`},
		"AADB2C95053": {http.MethodPost, "/trustFramework/keySets/B2C_1A_Busy/generateKey", octSig},
		"AADB2C99014": {http.MethodPatch, setA + "/keys_v2/KID", `{"status":"disabled","use":"enc"}`},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: emulator.Switches{OverlapRefused: true, UploadSecretProblem: true}})
			c.make("A")
			c.make("Empty")
			c.make("Busy")
			kid := c.generate("B2C_1A_A", octSig)
			c.upload(c.make("Certified"), "uploadCertificate", toSign).want(t, http.StatusOK, "")
			c.make("Encrypting")
			c.tenant.AddKey("Encrypting", emulator.KeySpec{Use: "enc"})
			defer c.tenant.BeginWrite("B2C_1A_Busy")()
			r := c.call(provoke.method, regexp.MustCompile("KID$").ReplaceAllString(provoke.path, kid), provoke.body)
			fault := emulator.Refusal("", code)
			r.want(t, fault.Status, fault.Code)
			template := regexp.MustCompile(`\\\{\d\\\}`).ReplaceAllString(regexp.QuoteMeta(fault.Message), ".*")
			if _, message, _ := r.failure(t); !regexp.MustCompile(fmt.Sprintf("^%s$", template)).MatchString(message) {
				t.Errorf("got  %s\nwant %s", message, fault.Message)
			}
		})
	}
}
