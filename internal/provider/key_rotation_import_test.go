// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccKeyRotation_Import: an import by id takes the usable keys of a set, or those that it names, and writes nothing. The plan
// after it is empty if the configuration is that of the keys and nothing is due.
func TestAccKeyRotation_Import(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		id        string // {0} is the kid of the first key, and so on
		arguments []string
		want      string
		changes   bool
		fails     string
		texts     []string
	}{
		"all usable keys":             {id: "B2C_1A_Signing", want: "none, -10d to 110d"},
		"in another spelling":         {id: "signing", want: "none, -10d to 110d"},
		"one key":                     {id: "B2C_1A_Signing/{2}", want: "-10d to 110d"},
		"two keys":                    {id: "B2C_1A_Signing/{2},{0}", want: "none, -10d to 110d"},
		"one key twice":               {id: "B2C_1A_Signing/{2},{2}", want: "-10d to 110d"},
		"the one without dates":       {id: "B2C_1A_Signing/{0}", want: "none", changes: true},
		"an expired key":              {id: "B2C_1A_Signing/{1},{2}", want: "-200d to -80d, -10d to 110d"},
		"with other settings":         {id: "B2C_1A_Signing", arguments: []string{"overlap_days = 60"}, want: "none, -10d to 110d", changes: true},
		"a set that isn't there":      {id: "B2C_1A_None", fails: "Unable to import key rotation", texts: []string{"AADB2C90073"}},
		"a set without keys":          {id: "B2C_1A_Empty", fails: "Key set has no keys to import", texts: []string{"create the resource"}},
		"a key that isn't there":      {id: "B2C_1A_Signing/{0},other", fails: "Key to import is not in its key set", texts: []string{`no key "other"`}},
		"an id with nothing after it": {id: "B2C_1A_Signing/", fails: "Invalid import ID", texts: []string{"<kid>,<kid>"}},
		"an id that can't be one":     {id: "a/b/c", fails: "Invalid import ID", texts: []string{`"b/c" can't name`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			w.AddKeySet("B2C_1A_Empty")
			var kids []string
			for _, k := range []emulator.KeySpec{{}, keySpec(-200*day, -80*day), keySpec(-10*day, 110*day)} {
				kids = append(kids, w.AddKey("B2C_1A_Signing", k))
			}
			tf := w.inProcess(t, w.Provider()+rotationConfig(row.arguments...))
			id := strings.NewReplacer("{0}", kids[0], "{1}", kids[1], "{2}", kids[2]).Replace(row.id)
			if row.fails != "" {
				command, cancel := tf.prepare("import", "-input=false", "-no-color", rotationAddress, id)
				defer cancel()
				output, err := command.CombinedOutput()
				if err == nil {
					t.Error("imported")
				}
				said := strings.Join(strings.Fields(strings.ReplaceAll(string(output), "│", "")), " ")
				for _, text := range append(row.texts, row.fails) {
					if !strings.Contains(said, text) {
						t.Errorf("lacks %q: %s", text, said)
					}
				}
				return
			}
			tf.command("import", "-input=false", rotationAddress, id)
			r := tf.rotation()
			if r.dates() != row.want {
				t.Errorf("keys %s, want %s", r.dates(), row.want)
			}
			if len(w.Writes()) > 0 {
				t.Errorf("%d writes", len(w.Writes()))
			}
			o, changes := tf.plan()
			if changes != row.changes {
				t.Errorf("changes %t: %s", changes, o.stdout)
			}
			if newest := r.Keys[len(r.Keys)-1]; newest.Nbf != nil && *r.RotationDays != 90 {
				t.Errorf("rotation_days = %d", *r.RotationDays)
			}
		})
	}
}

// TestAccKeyRotation_ImportBlock imports by a block with an id, and by one with an identity where the client has those.
func TestAccKeyRotation_ImportBlock(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		block    string
		identity bool
	}{
		"by id":       {block: `id = "B2C_1A_Signing"`},
		"by identity": {block: "identity = {\n    key_set_id = \"signing\"\n  }", identity: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.identity {
				skipUnless(t, featureIdentity())
			}
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			for _, k := range []emulator.KeySpec{{}, keySpec(-10*day, 110*day)} {
				w.AddKey("B2C_1A_Signing", k)
			}
			tf := w.inProcess(t, w.Provider()+rotationConfig()+"\nimport {\n  to = "+rotationAddress+"\n  "+row.block+"\n}\n")
			if o := tf.apply(true); len(o.diagnostics) > 0 || len(w.Writes()) > 0 {
				t.Errorf("%d writes, %v", len(w.Writes()), o.diagnostics)
			}
			if r := tf.rotation(); r.dates() != "none, -10d to 110d" {
				t.Errorf("keys %s", r.dates())
			}
			if o, changes := tf.plan(); changes {
				t.Errorf("%s", o.stdout)
			}
		})
	}
}
