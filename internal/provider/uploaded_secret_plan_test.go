// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestProtocol_UploadedSecret_Change: what replaces the key, what changes in place, and what is no change. A new key
// is sent what the configuration has then, and leaves the old one in its set.
func TestProtocol_UploadedSecret_Change(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	const none, update, replace = "none", "update", "replace"
	patch := map[emulator.Op]int{emulator.OpPatchKey: 1}
	for name, row := range map[string]struct {
		before, after secretArguments
		action        string
		// writes is what an update sends.
		writes map[emulator.Op]int
	}{
		"nothing":                              {nil, nil, none, nil},
		"secret_wo alone":                      {nil, secretArguments{"secret_wo": "another"}, none, nil},
		"secret_wo is left out":                {nil, secretArguments{"secret_wo": nil}, none, nil},
		"secret_wo_version":                    {nil, secretArguments{"secret_wo": "another", "secret_wo_version": 2}, replace, nil},
		"secret_wo_version is less":            {nil, secretArguments{"secret_wo": "another", "secret_wo_version": 0}, replace, nil},
		"secret_wo_version, the secret stays":  {nil, secretArguments{"secret_wo_version": 2}, replace, nil},
		"secret_wo_version is new":             {secretArguments{"secret_wo_version": nil}, nil, update, nil},
		"secret_wo_version is new, and secret": {secretArguments{"secret_wo_version": nil}, secretArguments{"secret_wo": "another"}, update, nil},
		"secret_wo_version is taken away":      {nil, secretArguments{"secret_wo_version": nil}, replace, nil},
		"secret_wo_version isn't known":        {nil, secretArguments{"secret_wo_version": tftypes.UnknownValue}, replace, nil},
		"key_set_id":                           {nil, secretArguments{"key_set_id": "B2C_1A_Others"}, replace, nil},
		"key_set_id in another spelling":       {nil, secretArguments{"key_set_id": "secrets"}, none, nil},
		"use, with another set":                {nil, secretArguments{"key_set_id": "B2C_1A_Others", "use": "enc"}, replace, nil},
		"nbf":                                  {secretArguments{"nbf": in(0)}, secretArguments{"nbf": in(day)}, replace, nil},
		"nbf is set":                           {nil, secretArguments{"nbf": in(day)}, replace, nil},
		"exp":                                  {secretArguments{"exp": in(day)}, secretArguments{"exp": in(2 * day)}, replace, nil},
		"exp is no longer set":                 {secretArguments{"exp": in(day)}, nil, none, nil},
		"rotate_when_changed":                  {secretArguments{"rotate_when_changed": tags("1")}, secretArguments{"rotate_when_changed": tags("2")}, replace, nil},
		"rotate_when_changed is new":           {nil, secretArguments{"rotate_when_changed": tags("1")}, update, nil},
		"rotate_when_changed is taken away":    {secretArguments{"rotate_when_changed": tags("1")}, nil, replace, nil},
		"on_destroy":                           {nil, secretArguments{"on_destroy": "disable"}, update, nil},
		"on_destroy of a key that is replaced": {secretArguments{"on_destroy": "disable"}, secretArguments{"on_destroy": "disable", "secret_wo_version": 2}, replace, nil},
		"status is disabled":                   {nil, secretArguments{"status": "disabled"}, update, patch},
		"status is enabled, as it is":          {nil, secretArguments{"status": "enabled"}, update, nil},
		"status is enabled again":              {secretArguments{"status": "disabled"}, secretArguments{"status": "enabled"}, update, patch},
		"status is no longer managed":          {secretArguments{"status": "disabled"}, nil, update, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, other := secretWorld(t, emulator.Config{})
			w.AddKeySet("B2C_1A_Others")
			sent := &sentSecrets{}
			s := newSecretServer(t, w, sent.wrap)
			first, _, said := s.changeSecret(managed{}, secretWith(row.before))
			if len(said) > 0 || len(sent.texts()) != 1 {
				t.Fatal(sent.texts(), said)
			}
			kid := s.attributes(first)["kid"]
			w.clock.Advance(2 * time.Minute) // what was read before is too old to be used
			w.ResetJournal()
			arguments := secretWith(row.after)
			if arguments["secret_wo_version"] == any(tftypes.UnknownValue) {
				if _, _, action, said := s.planSecret(first, arguments); action != row.action || len(said) > 0 || len(w.Writes()) > 0 {
					t.Errorf("%s: %v", action, said)
				}
				return
			}
			second, action, said := s.changeSecret(first, arguments)
			// An old key that has dates is told of: it may be a leftover, for all that a new process knows.
			if action != row.action || said.failed() {
				t.Fatalf("%s: %v", action, said)
			}
			if first := strings.HasPrefix(name, "secret_wo_version is new"); strings.Contains(said.String(), "Nothing is uploaded for the first version") != first {
				t.Errorf("the first version: %t, %v", first, said)
			}
			writes := map[emulator.Op]int{}
			for _, e := range w.Writes() {
				writes[e.Op]++
			}
			if action != replace {
				if !maps.Equal(writes, row.writes) || len(sent.texts()) != 1 || s.attributes(second)["kid"] != kid {
					t.Errorf("wrote %v, sent %d secrets, kid %s, was %s", writes, len(sent.texts()), s.attributes(second)["kid"], kid)
				}
			} else {
				wantTexts := []any{plainText, arguments["secret_wo"]}
				if writes[emulator.OpUploadSecret] != 1 || !slices.Equal(sent.texts(), wantTexts) {
					t.Errorf("wrote %v, sent %q, want %q", writes, sent.texts(), wantTexts)
				}
				id, _ := arguments["key_set_id"].(string)
				made := s.attributes(second)["kid"]
				if made == kid || !slices.ContainsFunc(w.keys(id), func(k emulator.Key) bool { return k.Kid == made }) {
					t.Errorf("kid %s, was %s; %v", made, kid, w.keys(id))
				}
				// The old key goes on, disabled if it was asked for: somebody else's can still be used.
				status := map[bool]string{true: "disabled", false: "enabled"}[row.before["on_destroy"] == "disable"]
				if old := w.keys(uploadSetID); len(old) < 2 || old[0].Kid != other || old[1].Kid != kid || old[1].Status != status {
					t.Errorf("keys %+v", old)
				}
			}
			if _, _, action, said := s.planSecret(second, arguments); action != none || len(said) > 0 {
				t.Errorf("then %s: %v", action, said)
			}
		})
	}
}

// TestProtocol_UploadedSecret_Invalid_IsRefusedBeforeAnythingIsSent, and no secret is repeated.
func TestProtocol_UploadedSecret_Invalid_IsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	const blank = " \t\r\n  "
	for name, row := range map[string]struct {
		arguments secretArguments
		path      string
		words     []string
		reads     bool // the check needs the key set
	}{
		"empty secret":            {secretArguments{"secret_wo": ""}, "secret_wo", []string{"Invalid secret", "empty or only white space"}, false},
		"white space":             {secretArguments{"secret_wo": blank}, "secret_wo", []string{"Invalid secret", "empty or only white space"}, false},
		"no secret":               {secretArguments{"secret_wo": nil}, "secret_wo", []string{"Secret is missing", "ephemeral variable or resource"}, false},
		"no secret, set unknown":  {secretArguments{"secret_wo": nil, "key_set_id": tftypes.UnknownValue}, "secret_wo", []string{"Secret is missing"}, false},
		"exp before nbf":          {secretArguments{"nbf": in(time.Hour), "exp": in(time.Minute)}, "exp", []string{"Invalid date", "would expire", "later time than nbf"}, false},
		"exp is nbf":              {secretArguments{"nbf": in(time.Hour), "exp": in(time.Hour)}, "exp", []string{"Invalid date", "would expire"}, false},
		"exp in the past":         {secretArguments{"exp": in(-time.Second)}, "exp", []string{"would have expired", "2030-01-01T11:59:59Z"}, false},
		"exp in milliseconds":     {secretArguments{"exp": 1924991999000}, "exp", []string{"looks like milliseconds", "1924991999"}, false},
		"nbf in milliseconds":     {secretArguments{"nbf": 1924991999000}, "nbf", []string{"looks like milliseconds", "1924991999"}, false},
		"nbf before 1970":         {secretArguments{"nbf": -1}, "nbf", []string{"before 1970"}, false},
		"unknown use":             {secretArguments{"use": "sign"}, "use", []string{`"sig" "enc"`}, false},
		"unknown status":          {secretArguments{"status": "off"}, "status", []string{`"enabled" "disabled"`}, false},
		"unknown on_destroy":      {secretArguments{"on_destroy": "delete"}, "on_destroy", []string{`"retain" "disable"`}, false},
		"set with a slash":        {secretArguments{"key_set_id": "a/b"}, "key_set_id", []string{"can't name a key set"}, false},
		"set of RSA keys":         {secretArguments{"key_set_id": "B2C_1A_RSA"}, "key_set_id", []string{"Key doesn't fit its key set", `kty = "RSA"`, `"oct"`}, true},
		"set of encryption keys":  {secretArguments{"key_set_id": "B2C_1A_Enc"}, "use", []string{"Key doesn't fit its key set", `use = "enc"`, `"sig"`}, true},
		"encryption in a sig set": {secretArguments{"use": "enc"}, "use", []string{"Key doesn't fit its key set", `use = "sig"`, `"enc"`}, true},
		"disabled and alone":      {secretArguments{"key_set_id": "B2C_1A_Empty", "status": "disabled"}, "status", []string{"Last usable key would be disabled"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			w.AddKeySet("B2C_1A_RSA")
			w.AddKey("B2C_1A_RSA", emulator.KeySpec{})
			w.AddKeySet("B2C_1A_Enc")
			w.AddKey("B2C_1A_Enc", emulator.KeySpec{Use: "enc", Kty: "oct"})
			w.AddKeySet("B2C_1A_Empty")
			after, _, said := newSecretServer(t, w).changeSecret(managed{}, secretWith(row.arguments))
			if !said.failed() || len(said) != 1 || after.state != nil {
				t.Fatal(said)
			}
			text := strings.Join(strings.Fields(said.String()), " ")
			for _, word := range row.words {
				if !strings.Contains(text, word) {
					t.Errorf("no %q in %s", word, text)
				}
			}
			if strings.Contains(said.String(), plainText) || strings.Contains(said.String(), blank) {
				t.Error("the secret is repeated")
			}
			if want := tftypes.NewAttributePath().WithAttributeName(row.path); !said[0].Attribute.Equal(want) {
				t.Errorf("at %s, want %s", said[0].Attribute, want)
			}
			if len(w.Writes()) > 0 || !row.reads && len(w.Requests()) > 0 {
				t.Errorf("requests: %v", w.Requests())
			}
		})
	}
}

// TestProtocol_UploadedSecret_Replace_ThatCantBeMade keeps the key that it would have replaced.
func TestProtocol_UploadedSecret_Replace_ThatCantBeMade(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		after secretArguments
		word  string
	}{
		"no secret":       {secretArguments{"secret_wo": nil, "secret_wo_version": 2}, "Secret is missing"},
		"another use":     {secretArguments{"use": "enc"}, "Key doesn't fit its key set"},
		"exp in the past": {secretArguments{"exp": in(-time.Hour)}, "would have expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			s := newSecretServer(t, w)
			first, _, said := s.changeSecret(managed{}, secretWith(nil))
			if len(said) > 0 {
				t.Fatal(said)
			}
			w.ResetJournal()
			after, _, said := s.changeSecret(first, secretWith(row.after))
			if !said.failed() || !strings.Contains(said.String(), row.word) || after.state == nil || len(w.Writes()) > 0 {
				t.Error(said)
			}
		})
	}
}

// TestProtocol_UploadedSecret_UnknownValues_ArentLookedAt: what a plan can't know is neither an error nor asked for.
func TestProtocol_UploadedSecret_UnknownValues_ArentLookedAt(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		arguments secretArguments
		reads     bool
	}{
		"key_set_id":          {secretArguments{"key_set_id": tftypes.UnknownValue}, false},
		"secret_wo":           {secretArguments{"secret_wo": tftypes.UnknownValue}, true},
		"secret_wo_version":   {secretArguments{"secret_wo_version": tftypes.UnknownValue}, true},
		"use":                 {secretArguments{"use": tftypes.UnknownValue}, true},
		"nbf":                 {secretArguments{"nbf": tftypes.UnknownValue, "exp": in(time.Hour)}, true},
		"exp":                 {secretArguments{"exp": tftypes.UnknownValue, "nbf": in(time.Hour)}, true},
		"rotate_when_changed": {secretArguments{"rotate_when_changed": tftypes.UnknownValue}, true},
		"status":              {secretArguments{"status": tftypes.UnknownValue}, true},
		"on_destroy":          {secretArguments{"on_destroy": tftypes.UnknownValue}, true},
		"all":                 {secretArguments{"key_set_id": tftypes.UnknownValue, "secret_wo": tftypes.UnknownValue, "use": tftypes.UnknownValue, "nbf": tftypes.UnknownValue}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			_, _, _, said := newSecretServer(t, w).planSecret(managed{}, secretWith(row.arguments))
			if len(said) > 0 {
				t.Error(said)
			}
			if got := len(w.Requests()) > 0; got != row.reads || len(w.Writes()) > 0 {
				t.Errorf("requests: %v", w.Requests())
			}
		})
	}
}

// TestProtocol_UploadedSecret_OldClient is told what it needs.
func TestProtocol_UploadedSecret_OldClient(t *testing.T) {
	t.Parallel()
	w, _ := secretWorld(t, emulator.Config{})
	s := newSecretServer(t, w)
	said := s.validate(secretWith(nil), false)
	if !said.failed() || !strings.Contains(said.String(), "Terraform 1.11") || strings.Contains(said.String(), plainText) {
		t.Error(said)
	}
	// An imported key needs no secret.
	if said := s.validate(secretWith(secretArguments{"secret_wo": nil}), false); len(said) > 0 {
		t.Error(said)
	}
}

// TestProtocol_UploadedSecret_Import: the plan after it is empty, or changes in place what the service doesn't hold.
func TestProtocol_UploadedSecret_Import(t *testing.T) {
	t.Parallel()
	const none, update, replace = "none", "update", "replace"
	for name, row := range map[string]struct {
		arguments secretArguments
		action    string
	}{
		"without a secret":       {secretArguments{"secret_wo": nil, "secret_wo_version": nil}, none},
		"with a secret":          {secretArguments{"secret_wo_version": nil}, none},
		"with a secret unknown":  {secretArguments{"secret_wo": tftypes.UnknownValue, "secret_wo_version": nil}, none},
		"with a version":         {nil, update},
		"version without secret": {secretArguments{"secret_wo": nil}, update},
		"rotate_when_changed":    {secretArguments{"secret_wo_version": nil, "rotate_when_changed": tags("1")}, update},
		"on_destroy":             {secretArguments{"secret_wo_version": nil, "on_destroy": "disable"}, update},
		"on_destroy by default":  {secretArguments{"secret_wo_version": nil, "on_destroy": "retain"}, none},
		"status as the key's is": {secretArguments{"secret_wo_version": nil, "status": "enabled"}, update},
		"the dates it has":       {secretArguments{"secret_wo_version": nil, "nbf": in(0), "exp": in(time.Hour)}, none},
		"another exp":            {secretArguments{"secret_wo_version": nil, "exp": in(2 * time.Hour)}, replace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := secretWorld(t, emulator.Config{})
			nbf, exp := in(0), in(time.Hour)
			kid := w.AddKey(uploadSetID, emulator.KeySpec{Kty: "oct", Nbf: &nbf, Exp: &exp})
			s := newSecretServer(t, w)
			imported := s.importSecret(kid)
			if row.action == replace {
				if _, _, action, said := s.planSecret(imported, secretWith(row.arguments)); action != replace || said.failed() {
					t.Errorf("%s: %v", action, said)
				}
				return
			}
			after, action, said := s.changeSecret(imported, secretWith(row.arguments))
			if action != row.action || len(said) > 0 || len(w.Writes()) > 0 {
				t.Errorf("%s: %v; %d writes", action, said, len(w.Writes()))
			}
			after, said = s.refresh(after)
			if _, _, action, more := s.planSecret(after, secretWith(row.arguments)); action != none || len(said)+len(more) > 0 {
				t.Errorf("then %s: %v%v", action, said, more)
			}
			// From now on another version counts, but not for a key that has none.
			if row.arguments == nil {
				if _, _, action, _ := s.planSecret(after, secretWith(secretArguments{"secret_wo_version": 2})); action != replace {
					t.Errorf("another version: %s", action)
				}
			}
		})
	}
}

// TestProtocol_UploadedSecret_Import_Refuses what is no such key, and tells how to import those there are.
func TestProtocol_UploadedSecret_Import_Refuses(t *testing.T) {
	t.Parallel()
	w, kid := secretWorld(t, emulator.Config{})
	w.AddKeySet("B2C_1A_RSA")
	rsa := w.AddKey("B2C_1A_RSA", emulator.KeySpec{})
	w.AddKeySet("B2C_1A_Empty")
	command := "terraform import trustframework_uploaded_secret.NAME " + uploadSetID + "/" + kid
	const other = "11111111-2222-3333-4444-555555555555"
	for name, row := range map[string]struct {
		id       string
		identity map[string]string
		words    []string
	}{
		"an RSA key":              {"B2C_1A_RSA/" + rsa, nil, []string{"Key is of another type", `kty = "RSA"`, `always has "oct"`}},
		"an RSA key by identity":  {"", map[string]string{"key_set_id": "RSA", "kid": rsa}, []string{"Key is of another type"}},
		"a set":                   {"secrets", nil, []string{"Import ID names a key set", kid + ": sig, oct", command}},
		"a key that isn't there":  {"secrets/none", nil, []string{"Key to import is not in its key set", command}},
		"an empty set":            {"Empty", nil, []string{"has no keys to import"}},
		"a set that isn't there":  {"None/" + kid, nil, []string{`There is no key set "B2C_1A_None"`, "AADB2C90073"}},
		"two slashes":             {"a/b/c", nil, []string{"isn't the ID of a key"}},
		"a key of another tenant": {"", map[string]string{"tenant_id": other, "key_set_id": "Secrets", "kid": kid}, []string{"another tenant", other}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, errors := newServer(t, w).importResource(secretType, row.id, row.identity)
			for _, word := range row.words {
				if !strings.Contains(errors, word) {
					t.Errorf("no %q in %q", word, errors)
				}
			}
			if strings.Contains(errors, "trustframework_generated_key") {
				t.Errorf("another resource is named: %s", errors)
			}
		})
	}
}

// TestProtocol_UploadedSecret_EmptyAtApply: a client that doesn't validate what has become known gets an error.
func TestProtocol_UploadedSecret_EmptyAtApply(t *testing.T) {
	t.Parallel()
	w, _ := secretWorld(t, emulator.Config{})
	s := newSecretServer(t, w)
	req, planned, _, said := s.planSecret(managed{}, secretWith(secretArguments{"secret_wo": tftypes.UnknownValue}))
	if len(said) > 0 {
		t.Fatal(said)
	}
	applied, err := s.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: secretType, PriorState: req.PriorState, PlannedState: planned.PlannedState, Config: s.config(secretWith(secretArguments{"secret_wo": ""})),
		PlannedPrivate: planned.PlannedPrivate, PlannedIdentity: planned.PlannedIdentity,
	})
	if err != nil {
		t.Fatal(err)
	}
	said = applied.Diagnostics
	if !said.failed() || strings.Contains(said.String(), "panic") || s.kept(secretType, applied.NewState, nil, nil).state != nil || len(w.keys(uploadSetID)) != 1 {
		t.Error(said)
	}
}
