// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// plainText is recognizable, so that it can be searched for.
const (
	plainText = "correct-horse-battery-staple"
	secretSig = `{"use":"sig","k":"` + plainText + `"}`
)

func TestServer_UploadSecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path, body string
		switches   emulator.Switches
		want       map[string]any
	}{
		"plain": {"uploadSecret", secretSig, emulator.Switches{}, map[string]any{"kty": "oct", "use": "sig", "nbf": nil, "exp": nil}},
		"dates": {
			"uploadSecret", `{"use":"enc","k":"x y","nbf":1767322000,"exp":1799000000}`, emulator.Switches{},
			map[string]any{"kty": "oct", "use": "enc", "nbf": json.Number("1767322000"), "exp": json.Number("1799000000")},
		},
		"kty and nulls": {
			"microsoft.graph.uploadSecret()", `{"use":"sig","k":"x","kty":"OCT","nbf":null,"exp":null,}`, emulator.Switches{OctSpelling: "OCT"},
			map[string]any{"kty": "OCT", "use": "sig"},
		},
		"null kty":   {"UPLOADSECRET()", `{"use":"sig","k":"x","kty":null}`, emulator.Switches{}, map[string]any{"kty": "oct"}},
		"filled nbf": {"uploadSecret", secretSig, emulator.Switches{FillNbf: true}, map[string]any{"nbf": json.Number("1767323045"), "exp": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Switches: test.switches})
			c.make("A")
			r := c.upload("B2C_1A_A", test.path, test.body)
			r.want(t, http.StatusOK, "")
			key := r.object(t)
			for member, want := range test.want {
				if got, ok := key[member]; !ok || got != want {
					t.Errorf("%s is %v (there: %t), want %v", member, got, ok, want)
				}
			}
			for _, member := range []string{"k", "n", "e", "x5t"} {
				if key[member] != nil {
					t.Errorf("%s is %v", member, key[member])
				}
			}
			if kid := r.text(t, "kid"); !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(kid) {
				t.Errorf("kid %q", kid)
			}
			if got := c.call(http.MethodGet, setA, "").kids(t); !slices.Equal(got, []string{r.text(t, "kid")}) {
				t.Errorf("kids %q", got)
			}
		})
	}
}

func TestServer_UploadSecret_Appends(t *testing.T) {
	t.Parallel()
	c := newCaller(t, emulator.Config{Switches: emulator.Switches{DisabledAtFirst: true}})
	c.make("A")
	want := []string{c.generate("B2C_1A_A", octSig)}
	for range 2 { // the same again: its value isn't kept, so nothing can tell
		r := c.upload("B2C_1A_A", "uploadSecret", secretSig)
		r.want(t, http.StatusOK, "")
		want = append(want, r.text(t, "kid"))
	}
	if got := c.call(http.MethodGet, setA, "").kids(t); !slices.Equal(got, want) {
		t.Errorf("kids %q, want %q", got, want)
	}
	for _, kid := range want {
		if got := c.status(kid); got != "disabled" {
			t.Errorf("status %q", got)
		}
	}
}

func TestServer_UploadSecret_WhenRefused(t *testing.T) {
	t.Parallel()
	now := startTime().Unix()
	c := newCaller(t, emulator.Config{})
	c.make("Oct")
	c.generate("B2C_1A_Oct", octSig)
	c.make("RSA")
	c.tenant.AddKey("RSA", emulator.KeySpec{})
	for name, test := range map[string]struct{ set, body, code, text string }{
		"no k":           {"Oct", `{"use":"sig"}`, "AADB2C90253", "'k'"},
		"null k":         {"Oct", `{"use":"sig","k":null}`, "AADB2C90253", "'k'"},
		"empty k":        {"Oct", `{"use":"sig","k":""}`, "AADB2C90253", "'k'"},
		"white k":        {"Oct", `{"use":"sig","k":" \t\n\u00a0"}`, "AADB2C90253", "'k'"},
		"number as k":    {"Oct", `{"use":"sig","k":424242}`, "AADB2C90136", "'k' has the value ''"},
		"no use":         {"Oct", `{"k":"` + plainText + `"}`, "AADB2C90253", "'use'"},
		"empty use":      {"Oct", `{"use":"","k":"` + plainText + `"}`, "AADB2C90253", "'use'"},
		"bad use":        {"Oct", `{"use":"sign","k":"` + plainText + `"}`, "AADB2C95033", "'sign'"},
		"bad kty":        {"Oct", `{"use":"sig","kty":"EC","k":"` + plainText + `"}`, "AADB2C95031", "'EC'"},
		"RSA as kty":     {"Oct", `{"use":"sig","kty":"rsa","k":"` + plainText + `"}`, "AADB2C90136", "'kty' has the value 'RSA'"},
		"exp now":        {"Oct", fmt.Sprintf(`{"use":"sig","k":"%s","exp":%d}`, plainText, now), "AADB2C90214", "2026-01-02T03:04:05"},
		"exp before nbf": {"Oct", fmt.Sprintf(`{"use":"sig","k":"%s","nbf":%d,"exp":%d}`, plainText, now+20, now+10), "AADB2C90136", "'exp'"},
		"string as exp":  {"Oct", `{"use":"sig","k":"` + plainText + `","exp":"4102444800"}`, "AADB2C90136", "'exp'"},
		"kid":            {"Oct", `{"use":"sig","k":"` + plainText + `","kid":"mine"}`, "AADB2C90136", "'kid' has the value ''"},
		"odata type":     {"Oct", `{"use":"sig","k":"` + plainText + `","@odata.type":"x"}`, "AADB2C90136", "'@odata.type'"},
		"mixed use":      {"Oct", `{"use":"enc","k":"` + plainText + `"}`, "AADB2C95042", "One can't mix signature and encryption"},
		"mixed kty":      {"RSA", secretSig, "AADB2C95032", "One can't mix RSA and Oct types"},
		"missing set":    {"None", secretSig, "AADB2C90073", "'B2C_1A_None'"},
		"no JSON":        {"Oct", `{"use":"sig","k":"` + plainText, "BadRequest", "Unable to read JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.upload("B2C_1A_"+test.set, "uploadSecret", test.body)
			r.want(t, http.StatusBadRequest, test.code)
			if _, message, _ := r.failure(t); !strings.Contains(message, test.text) {
				t.Errorf("message %q lacks %q", message, test.text)
			}
			for _, secret := range []string{plainText, "424242"} {
				if bytes.Contains(r.body, []byte(secret)) {
					t.Errorf("the answer has the secret: %s", r.body)
				}
			}
		})
	}
	t.Run("permission", func(t *testing.T) {
		t.Parallel()
		c := newTenantCaller(t, newServer(t, emulator.Config{}), emulator.TenantConfig{Roles: []string{emulator.RoleRead}})
		c.tenant.AddKeySet("A")
		for _, action := range []string{"uploadSecret", "uploadCertificate", "uploadPkcs12"} {
			c.upload("B2C_1A_A", action, secretSig).want(t, http.StatusForbidden, "AADB2C")
		}
	})
}

// The same request worked at other times: the trouble comes once for each key set,
// and whether it did its work depends on the seed and the name.
func TestSwitches_UploadSecretProblem(t *testing.T) {
	t.Parallel()
	const sets = 24
	made := func(seed uint64, noise int) string {
		c := newCaller(t, emulator.Config{Seed: seed, Switches: emulator.Switches{UploadSecretProblem: true}})
		for range noise {
			c.call(http.MethodGet, "/trustFramework/keySets", "")
		}
		var worked strings.Builder
		for i := range sets {
			set := c.make(fmt.Sprintf("S%d", i))
			c.upload(set, "uploadSecret", `{"use":"sig"}`).want(t, http.StatusBadRequest, "AADB2C90253") // is no request that can work
			c.tenant.ResetJournal()
			r := c.upload(set, "uploadSecret", secretSig)
			r.want(t, http.StatusInternalServerError, "AADB2C90063")
			if _, message, _ := r.failure(t); message != "There is a problem with the service." {
				t.Errorf("message %q", message)
			}
			n := len(c.call(http.MethodGet, "/trustFramework/keySets/"+set, "").kids(t))
			if e := c.tenant.Journal()[0]; e.Committed != (n == 1) || e.Fault != "" || e.Status != http.StatusInternalServerError {
				t.Errorf("%d keys, journal %v", n, e)
			}
			c.upload(strings.ToUpper(set), "uploadSecret", secretSig).want(t, http.StatusOK, "")
			fmt.Fprint(&worked, n)
		}
		return worked.String()
	}
	first, again, other := made(1, 0), made(1, 3), made(2, 0)
	if first != again || first == other || !strings.Contains(first, "1") || !strings.Contains(first, "0") {
		t.Errorf("seed 1: %s, again %s, seed 2: %s", first, again, other)
	}
}

// All that can be aimed at a generateKey can be aimed at an upload.
func TestTenant_Inject_OnUploads(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	cert := certificate(t, key, nil)
	for op, body := range map[emulator.Op]string{
		emulator.OpUploadSecret:      secretSig,
		emulator.OpUploadCertificate: keyBody(t, cert.Raw),
		emulator.OpUploadPKCS12:      pfxBody(t, pfx(t, pkcs12.LegacyDES, key, cert), plainText),
	} {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, emulator.Config{Control: "127.0.0.1:0"})
			c.make("A")
			c.tenant.ResetJournal()
			send := func() result {
				return c.try(http.MethodPost, "/beta"+setA+"/"+string(op), body,
					http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}})
			}
			keys := func() int { return len(c.tenant.KeySets()[0].Keys) }
			for _, f := range []emulator.Fault{emulator.Throttled(op, "1"), emulator.Unavailable(op), emulator.ServiceProblem(op), emulator.Refusal(op, "AADB2C90213")} {
				c.tenant.Inject(f)
				send().want(t, f.Status, f.Code)
			}
			control(t, c, http.MethodPost, "/faults", `{"kind":"Refusal","op":"`+string(op)+`","code":"AADB2C90180"}`, nil).want(t, http.StatusNoContent, "")
			send().want(t, http.StatusBadRequest, "AADB2C90180")
			c.tenant.SetStorm(emulator.Storm{Seed: 1, Rate: 1, Faults: []emulator.Fault{emulator.Unavailable(op)}})
			send().want(t, http.StatusServiceUnavailable, "")
			c.tenant.ClearFaults()
			c.tenant.Inject(emulator.CutBeforeWork(op))
			if r := send(); r.err == nil || keys() != 0 {
				t.Errorf("status %d, %d keys", r.status, keys())
			}
			c.tenant.Inject(emulator.CommitsLate(op, time.Minute).WithLag(time.Minute))
			send().want(t, http.StatusGatewayTimeout, "")
			if keys() != 0 {
				t.Error("done at once")
			}
			c.server.Advance(time.Minute)
			if kids := c.call(http.MethodGet, setA, "").kids(t); keys() != 1 || len(kids) != 0 {
				t.Errorf("%d keys, of which %d show", keys(), len(kids))
			}
			c.tenant.RemoveKey("A", c.tenant.KeySets()[0].Keys[0].Kid)
			c.tenant.Inject(emulator.HalfAnswer(op))
			if r := send(); r.err == nil || r.status != http.StatusOK || keys() != 1 {
				t.Errorf("status %d, error %v, %d keys", r.status, r.err, keys())
			}
			for _, e := range c.tenant.Journal() {
				if e.Method == http.MethodPost && (e.Op != op || !e.Write() || e.KeySet != "B2C_1A_A") {
					t.Errorf("journal %v", e)
				}
			}
		})
	}
}

// TestUploads_LeaveNoSecret looks for what was sent wherever the emulator shows something.
func TestUploads_LeaveNoSecret(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	c := newCaller(t, emulator.Config{ErrorLog: log.New(&logged, "", 0)})
	key := rsaKey(t, 2048)
	cert := certificate(t, key, nil)
	file := pfx(t, pkcs12.LegacyDES, key, cert)
	c.make("A")
	c.make("RSA")
	var answers []byte
	for _, sent := range []struct{ set, action, body string }{
		{"A", "uploadSecret", secretSig},
		{"A", "uploadSecret?k=" + plainText, secretSig},
		{"A", "uploadSecret", `{"use":"sig","k":"` + plainText + `","k":"` + plainText + `"}`},
		{"A", "uploadSecret", `{"use":"sig","k":["` + plainText + `"]}`},
		{"A", "uploadCertificate", inJSON(t, map[string]string{"key": plainText})},
		{"A", "uploadPkcs12", inJSON(t, map[string]string{"key": plainText, "password": plainText})},
		{"A", "uploadPkcs12", pfxBody(t, file, plainText)},
		{"RSA", "uploadPkcs12", pfxBody(t, file, plainText)},
		{"RSA", "uploadPkcs12", pfxBody(t, file, plainText)},
		{"RSA", "uploadPkcs12", pfxBody(t, file, plainText+"!")},
		{"RSA", "uploadPkcs12", pfxBody(t, file[:len(file)/2], plainText)},
	} {
		answers = append(answers, c.upload("B2C_1A_"+sent.set, sent.action, sent.body).body...)
	}
	if sets := c.tenant.KeySets(); len(sets[0].Keys) != 2 || len(sets[1].Keys) != 1 {
		t.Fatalf("keys %v", sets)
	}
	journal, err := json.Marshal(c.server.Journal())
	if err != nil {
		t.Fatal(err)
	}
	sets, err := json.Marshal(c.tenant.KeySets())
	if err != nil {
		t.Fatal(err)
	}
	private := base64.RawURLEncoding.EncodeToString(key.D.Bytes())
	for place, text := range map[string]string{
		"journal": string(journal), "journal, verbose": fmt.Sprintf("%+v", c.server.Journal()), "log": logged.String(),
		"answers": string(answers), "key sets": string(sets),
	} {
		for what, secret := range map[string]string{
			"secret": plainText, "secret in base64": base64.StdEncoding.EncodeToString([]byte(plainText)),
			"file": base64.StdEncoding.EncodeToString(file)[:64], "private key": private[:64],
		} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s has the %s: %s", place, what, text)
			}
		}
	}
}
