// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// keySetsData is a data source that reads the tenant's key sets; arguments are lines of HCL.
func keySetsData(arguments ...string) string {
	return fmt.Sprintf("data \"trustframework_key_sets\" \"read\" {\n  %s\n}\n", strings.Join(arguments, "\n  "))
}

const keySetsDataAddress = "data.trustframework_key_sets.read"

// shownSets writes key sets in a state as "A:2 B.bak:0 (backup)", with the number of their keys and
// without the prefix. It is "null" if there is no list at all.
func shownSets(state map[string]any) string {
	sets, ok := state["key_sets"].([]any)
	if !ok {
		return "null"
	}
	var parts []string
	for _, s := range sets {
		set, _ := s.(map[string]any)
		keys, ok := set["keys"].([]any)
		text := fmt.Sprintf("%s:%d", strings.TrimPrefix(fmt.Sprint(set["id"]), "B2C_1A_"), len(keys))
		if !ok {
			text += " (keys are null)"
		}
		if set["backup"] == true {
			text += " (backup)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestAccKeySetsDataSource_ListsWhatMatches(t *testing.T) {
	t.Parallel()
	const three = "Encryption:1 Signing:2 signing_old:0"
	for name, row := range map[string]struct {
		switches  emulator.Switches
		arguments []string
		lists     int
		reads     int
		want      string
	}{
		"all but backups":      {emulator.Switches{}, nil, 1, 0, three},
		"backups too":          {emulator.Switches{}, []string{"include_backups = true"}, 1, 0, "Encryption:1 Encryption.bak:1 (backup) Signing:2 signing_old:0"},
		"no backups":           {emulator.Switches{}, []string{"include_backups = false"}, 1, 0, three},
		"a name":               {emulator.Switches{}, []string{`name_regex = "Signing$"`}, 1, 0, "Signing:2"},
		"any part, with case":  {emulator.Switches{}, []string{`name_regex = "ign"`}, 1, 0, "Signing:2 signing_old:0"},
		"without case":         {emulator.Switches{}, []string{`name_regex = "(?i)^b2c_1a_signing$"`}, 1, 0, "Signing:2"},
		"the prefix counts":    {emulator.Switches{}, []string{`name_regex = "^Signing"`}, 1, 0, ""},
		"name and backups":     {emulator.Switches{}, []string{`name_regex = "Enc"`, "include_backups = true"}, 1, 0, "Encryption:1 Encryption.bak:1 (backup)"},
		"pages":                {emulator.Switches{PageSize: 1}, nil, 4, 0, three},
		"a listing without":    {emulator.Switches{ListWithoutKeys: true}, nil, 1, 3, three},
		"without, and a name":  {emulator.Switches{ListWithoutKeys: true}, []string{`name_regex = "Signing$"`}, 1, 1, "Signing:2"},
		"numbers are strings":  {emulator.Switches{NumbersAsStrings: true, OctSpelling: "OCT"}, nil, 1, 0, three},
		"an empty expression":  {emulator.Switches{}, []string{`name_regex = ""`}, 1, 0, three},
		"statuses in it":       {emulator.Switches{StatusInListing: true}, nil, 1, 0, three},
		"null is as left out":  {emulator.Switches{}, []string{"name_regex = null", "include_backups = null"}, 1, 0, three},
		"a read timeout of it": {emulator.Switches{}, []string{`timeouts = { read = "1m" }`}, 1, 0, three},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			w.SetRoles(emulator.RoleRead) // no more is needed
			// Not in the order of ids.
			for _, s := range []struct {
				id   string
				keys int
			}{{"signing_old", 0}, {"Signing", 2}, {"Encryption.bak", 1}, {"Encryption", 1}} {
				w.AddKeySet(s.id)
				for range s.keys {
					w.AddKey(s.id, emulator.KeySpec{Kty: "oct"})
				}
			}
			tf := w.inProcess(t, w.Provider()+keySetsData(row.arguments...))
			if o := tf.apply(true); len(o.diagnostics) > 0 {
				t.Errorf("got %v", o.diagnostics)
			}
			if got := shownSets(tf.state(keySetsDataAddress)); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			want := map[emulator.Op]int{emulator.OpList: row.lists}
			if row.reads > 0 {
				want[emulator.OpGet] = row.reads
			}
			if err := w.CheckRequests(want)(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAccKeySetsDataSource_OfAnEmptyTenantIsAnEmptyList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	tf := w.inProcess(t, w.Provider()+keySetsData()+"output \"n\" {\n  value = length(data.trustframework_key_sets.read.key_sets)\n}\n")
	tf.apply(true)
	if got := shownSets(tf.state(keySetsDataAddress)); got != "" {
		t.Errorf("got %s", got)
	}
}

// TestAccKeySetsDataSource_ShowsKeysAsTheOtherDoes: one way to show a key, wherever it is listed.
func TestAccKeySetsDataSource_ShowsKeysAsTheOtherDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{StatusInListing: true})
	w.AddKeySet("Signing")
	nbf, exp := in(0), in(1)
	w.AddKey("Signing", emulator.KeySpec{Nbf: &nbf, Exp: &exp})
	w.AddKey("Signing", emulator.KeySpec{Certificate: &emulator.CertificateSpec{Subject: "S", NotBefore: start(), NotAfter: start()}})
	tf := w.inProcess(t, w.Provider()+keySetData("Signing")+keySetsData())
	tf.apply(true)
	sets, ok := tf.state(keySetsDataAddress)["key_sets"].([]any)
	if !ok || len(sets) != 1 {
		t.Fatalf("got %v", sets)
	}
	set, _ := sets[0].(map[string]any)
	if keys := tf.state(keySetDataAddress)["keys"]; !reflect.DeepEqual(set["keys"], keys) {
		t.Errorf("got %v\nwant %v", set["keys"], keys)
	}
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1})(nil); err != nil {
		t.Error(err)
	}
}
