// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_SignIn_IsNotRedirected: a redirect would carry the client secret to another host.
func TestProtocol_SignIn_IsNotRedirected(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				t.Errorf("%s with %d bytes went elsewhere", r.Method, r.ContentLength)
				w.WriteHeader(http.StatusBadRequest)
			}))
			defer elsewhere.Close()
			var login *httptest.Server
			login = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					http.Redirect(w, r, elsewhere.URL, status)
					return
				}
				_, _ = fmt.Fprintf(w, `{"issuer":%[1]q,"authorization_endpoint":%[1]q,"token_endpoint":%[1]q}`, login.URL)
			}))
			defer login.Close()
			file := filepath.Join(t.TempDir(), "ca.pem")
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: login.Certificate().Raw})
			if err := os.WriteFile(file, ca, 0o600); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, emulator.Switches{})
			variables := w.Variables()
			variables["AZURE_AUTHORITY_HOST"], variables["TRUSTFRAMEWORK_CA_CERT_FILE"] = login.URL, file
			s := newServerWith(t, w, variables)
			_, said := s.apply(setType, managed{}, map[string]string{"name": "New"})
			if !said.failed() || !strings.Contains(said.String(), "Signing in with client secret failed") {
				t.Error(said)
			}
		})
	}
}
