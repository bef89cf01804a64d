// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// TestClient_MakeKey_KeepsOnlyWhatWasGivenUp: an upload keeps a key of its certificate that a resource of its kind has
// given up and nothing owns since, and no other.
func TestClient_MakeKey_KeepsOnlyWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	g := newGoods(t)
	set := `{"id":"B2C_1A_Test","keys":[{"kid":"mine","use":"enc","kty":"RSA","x5c":["` + base64.StdEncoding.EncodeToString(g.certificate.Raw) + `"]}]}`
	for name, row := range map[string]struct {
		in     emulator.Op
		before func(t *testing.T, client *trustframework.Client)
		kept   bool
	}{
		"given up": {emulator.OpUploadCertificate, func(_ *testing.T, client *trustframework.Client) {
			client.GiveUp(trustframework.OpUploadCertificate, "test", "mine")
		}, true},
		"owned": {emulator.OpUploadCertificate, func(_ *testing.T, client *trustframework.Client) {
			client.Hold("Test", "mine")
		}, false},
		"owned again": {emulator.OpUploadCertificate, func(_ *testing.T, client *trustframework.Client) {
			client.GiveUp(trustframework.OpUploadCertificate, "Test", "mine")
			client.Hold("B2C_1A_TEST", "mine")
		}, false},
		// The key of a certificate has no private half.
		"of another kind": {emulator.OpUploadPKCS12, func(_ *testing.T, client *trustframework.Client) {
			client.GiveUp(trustframework.OpUploadCertificate, "Test", "mine")
		}, false},
		// The service may go on showing the key set that was deleted.
		"deleted with its set": {emulator.OpUploadCertificate, func(t *testing.T, client *trustframework.Client) {
			t.Helper()
			client.GiveUp(trustframework.OpUploadCertificate, "Test", "mine")
			if err := client.DeleteKeySet(t.Context(), "Test", false); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			posts := 0
			client := service(func(req *http.Request) (*http.Response, error) {
				switch req.Method {
				case http.MethodGet:
					return reply{status: 200, body: []byte(set)}.answer(req)
				case http.MethodDelete:
					return reply{status: 204}.answer(req)
				}
				posts++
				return reply{status: 200, body: fmt.Appendf(nil, `{"kid":"new%d","use":"enc","kty":"oct"}`, posts)}.answer(req)
			}).client(t)
			row.before(t, client)
			in := g.inputs()[row.in]
			inTheWay := client.InTheWay(trustframework.KeySet{ID: "B2C_1A_Test", Keys: []trustframework.Key{
				{Kid: "mine", Kty: "RSA", X5C: []string{base64.StdEncoding.EncodeToString(g.certificate.Raw)}},
			}}, in)
			if kept := len(inTheWay) == 0; kept != row.kept {
				t.Errorf("in the way: %v", inTheWay)
			}
			key, err := client.MakeKey(t.Context(), timeout, in)
			kid, sent := "new1", 1
			if row.kept {
				kid, sent = "mine", 0
			}
			if err != nil || key.Kept != row.kept || key.Kid != kid || posts != sent {
				t.Errorf("%d uploads, key %+v, %v", posts, key, err)
			}
			if _, err := client.MakeKey(t.Context(), timeout, in); err != nil || posts != sent+1 {
				t.Errorf("%d uploads after a second one, %v", posts, err)
			}
		})
	}
}
