// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// AzureCLI is a folder with a program az, which answers as the Azure CLI does when it is signed in.
type AzureCLI struct {
	t   *testing.T
	dir string
}

// graphResource is what a token is asked for in the global cloud.
const graphResource = "https://graph.microsoft.com"

// AzureCLI makes an az that is signed in to a tenant as an identity, and knows no other tenant.
func (e *Env) AzureCLI(t *testing.T, in *emulator.Tenant, as emulator.Identity) *AzureCLI {
	t.Helper()
	token, expires, err := in.IssueToken(graphResource, as)
	if err != nil {
		t.Fatal(err)
	}
	// The shape is that of "az account get-access-token" since 2.54 (documented).
	answer, err := json.Marshal(map[string]any{
		"accessToken": token, "expiresOn": expires.Local().Format("2006-01-02 15:04:05.000000"), "expires_on": expires.Unix(),
		"tenant": in.ID(), "tokenType": "Bearer",
	})
	if err != nil {
		t.Fatal(err)
	}
	return e.azure(t, fmt.Sprintf("cat <<'END'\n%s\nEND\n", answer))
}

// AzureCLIWithoutLogin makes an az that nobody has signed in to.
func (e *Env) AzureCLIWithoutLogin(t *testing.T) *AzureCLI {
	t.Helper()
	return e.azure(t, "echo \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n")
}

func (e *Env) azure(t *testing.T, then string) *AzureCLI {
	t.Helper()
	a := &AzureCLI{t: t, dir: t.TempDir()}
	script := fmt.Sprintf(`#!/bin/sh
echo "$*" >> '%[1]s'
case "$*" in
"account get-access-token -o json --resource %[2]s --tenant %[3]s") ;;
"account get-access-token -o json --resource %[2]s --tenant %[4]s") ;;
*)
  echo "ERROR: unrecognized arguments: $*" >&2
  exit 2
  ;;
esac
%[5]s`, filepath.Join(a.dir, "calls"), graphResource, e.ID(), e.Domain(), then)
	if err := os.WriteFile(filepath.Join(a.dir, "az"), []byte(script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return a
}

// Dir is the folder, for PATH.
func (a *AzureCLI) Dir() string { return a.dir }

// Calls are the arguments of each call.
func (a *AzureCLI) Calls() []string {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, "calls"))
	if err != nil && !os.IsNotExist(err) {
		a.t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}
