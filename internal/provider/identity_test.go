// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// importBlock imports a resource by the arguments given in HCL.
func importBlock(address, arguments string) string {
	return fmt.Sprintf("import {\n  to = %s\n  %s\n}\n", address, arguments)
}

// identityOf writes an identity in HCL; pairs are names and values.
func identityOf(pairs ...string) string {
	var b strings.Builder
	b.WriteString("identity = {\n")
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, "    %s = %q\n", pairs[i], pairs[i+1])
	}
	return b.String() + "  }"
}

// TestAcc_Import_ByBlock imports a key set and a key by each kind of block: it writes nothing, plans
// nothing else, and costs one listing.
func TestAcc_Import_ByBlock(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		identity bool
		set, key func(tenant, kid string) string
	}{
		"id": {
			set: func(string, string) string { return `id = "B2C_1A_Signing"` },
			key: func(_, kid string) string { return fmt.Sprintf("id = %q", "B2C_1A_Signing/"+kid) },
		},
		"id in another spelling": {
			set: func(string, string) string { return `id = "signing"` },
			key: func(_, kid string) string { return fmt.Sprintf("id = %q", "b2c_1a_SIGNING/"+kid) },
		},
		"identity": {
			identity: true,
			set:      func(string, string) string { return identityOf("key_set_id", "B2C_1A_Signing") },
			key:      func(_, kid string) string { return identityOf("key_set_id", "B2C_1A_Signing", "kid", kid) },
		},
		"identity with tenant_id": {
			identity: true,
			set:      func(tenant, _ string) string { return identityOf("tenant_id", tenant, "key_set_id", "B2C_1A_Signing") },
			key: func(tenant, kid string) string {
				return identityOf("tenant_id", strings.ToUpper(tenant), "key_set_id", "B2C_1A_Signing", "kid", kid)
			},
		},
		"identity in another spelling": {
			identity: true,
			set:      func(string, string) string { return identityOf("key_set_id", "signing") },
			key:      func(_, kid string) string { return identityOf("key_set_id", "Signing", "kid", kid) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.identity {
				skipUnless(t, featureIdentity())
			}
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet("B2C_1A_Signing")
			kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
			tf := w.inProcess(t, w.Provider()+keyConfig()+importBlock(keySetAddress, row.set(w.ID(), kid))+importBlock(keyAddress, row.key(w.ID(), kid)))
			o := tf.apply(true)
			if !strings.Contains(o.stdout, `"import":2,"remove":0`) && !strings.Contains(o.stdout, "2 imported, 0 added, 0 changed, 0 destroyed") || len(o.diagnostics) > 0 {
				t.Errorf("got %v\n%s", o.diagnostics, o.stdout)
			}
			if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1})(nil); err != nil {
				t.Error(err)
			}
			if got := tf.state(keyAddress); got["id"] != "B2C_1A_Signing/"+kid || got["key_set_id"] != "B2C_1A_Signing" {
				t.Errorf("state %v", got)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
		})
	}
}

// TestAcc_Import_OfFortyKeysIsOneListing counts what an adopted tenant costs.
func TestAcc_Import_OfFortyKeysIsOneListing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	config := w.Provider()
	for i := range 40 {
		set := fmt.Sprintf("B2C_1A_Set%d", i/4)
		if i%4 == 0 {
			w.AddKeySet(set)
		}
		address := fmt.Sprintf("trustframework_generated_key.key%d", i)
		config += importBlock(address, fmt.Sprintf("id = %q", set+"/"+w.AddKey(set, emulator.KeySpec{Kty: "oct"}))) +
			fmt.Sprintf("resource \"trustframework_generated_key\" \"key%d\" {\n  key_set_id = %q\n  use = \"sig\"\n  kty = \"oct\"\n}\n", i, set)
	}
	tf := w.inProcess(t, config)
	if o := tf.apply(true); len(o.diagnostics) > 0 {
		t.Errorf("got %v", o.diagnostics)
	}
	if err := w.CheckRequests(map[emulator.Op]int{emulator.OpList: 1})(nil); err != nil {
		t.Error(err)
	}
	if _, changes := tf.plan(); changes {
		t.Error("the plan has changes")
	}
}

// TestAccGeneratedKey_Import_WithInPlaceArguments: what the service doesn't hold can only be recorded, which
// sends nothing and replaces nothing.
func TestAccGeneratedKey_Import_WithInPlaceArguments(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		argument string
		changes  bool
		reads    map[emulator.Op]int // to apply
	}{
		"on_destroy":              {`on_destroy = "disable"`, true, map[emulator.Op]int{emulator.OpList: 1}},
		"on_destroy by default":   {`on_destroy = "retain"`, false, map[emulator.Op]int{emulator.OpList: 1}},
		"rotate_when_changed":     {`rotate_when_changed = { a = "1" }`, true, map[emulator.Op]int{emulator.OpList: 1}},
		"timeouts":                {`timeouts = { create = "30m" }`, true, map[emulator.Op]int{emulator.OpList: 1}},
		"status as the key's is":  {`status = "enabled"`, true, map[emulator.Op]int{emulator.OpList: 1, emulator.OpListKeys: 1}},
		"key_set_id by its name":  {`key_set_id = "signing"`, false, map[emulator.Op]int{emulator.OpList: 1}},
		"nbf, which the key has":  {fmt.Sprintf("nbf = %d", in(0)), false, map[emulator.Op]int{emulator.OpList: 1}},
		"a status in the listing": {`status = "enabled"`, false, map[emulator.Op]int{emulator.OpList: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{StatusInListing: name == "a status in the listing"})
			w.AddKeySet("B2C_1A_Signing")
			nbf := in(0)
			kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{Nbf: &nbf})
			tf := w.inProcess(t, w.Provider()+statusConfig(row.argument))
			tf.command("import", keyAddress, "Signing/"+kid)
			o, changes := tf.plan()
			if changes != row.changes || len(o.diagnostics) > 0 || strings.Contains(o.stdout, `"action":"replace"`) {
				t.Errorf("changes: %t, %v\n%s", changes, o.diagnostics, o.stdout)
			}
			w.clock.Advance(2 * time.Minute)
			w.ResetJournal()
			tf.apply(true)
			if err := w.CheckRequests(row.reads)(nil); err != nil {
				t.Error(err)
			}
			if _, changes := tf.plan(); changes || tf.state(keyAddress)["kid"] != kid {
				t.Errorf("changes: %t, %v", changes, tf.state(keyAddress))
			}
		})
	}
}

func TestAcc_Import_ByIdentity_RefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	skipUnless(t, featureIdentity())
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	kid := w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
	const other = "11111111-2222-3333-4444-555555555555"
	for name, row := range map[string]struct {
		address, identity, summary string
		words                      []string
	}{
		"another tenant's key":     {keyAddress, identityOf("tenant_id", other, "key_set_id", "Signing", "kid", kid), "Resource belongs to another tenant", []string{other, w.ID()}},
		"another tenant's key set": {keySetAddress, identityOf("tenant_id", other, "key_set_id", "Signing"), "Resource belongs to another tenant", []string{other, w.ID()}},
		"a domain for a tenant":    {keyAddress, identityOf("tenant_id", w.Domain(), "key_set_id", "Signing", "kid", kid), "Invalid import identity", []string{w.Domain(), "GUID"}},
		"a kid with a slash":       {keyAddress, identityOf("key_set_id", "Signing", "kid", "a/b"), "Invalid import identity", []string{"can't be a kid"}},
		"an empty kid":             {keyAddress, identityOf("key_set_id", "Signing", "kid", ""), "Invalid import identity", []string{"can't be a kid"}},
		"an empty key set":         {keySetAddress, identityOf("key_set_id", ""), "Invalid import identity", []string{"it is empty"}},
		"a kid that isn't there":   {keyAddress, identityOf("key_set_id", "Signing", "kid", "none"), "Key to import is not in its key set", []string{kid}},
		"a set that isn't there":   {keySetAddress, identityOf("key_set_id", "None"), "Unable to import key set", []string{"B2C_1A_None"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := keyConfig() + importBlock(row.address, row.identity)
			if o := w.inProcess(t, w.Provider()+config).expect(false, "plan"); !o.has("error", row.summary, row.words...) {
				t.Errorf("got %v", o.diagnostics)
			}
		})
	}
}

// TestAcc_Identity_IsStored: by what is made and by what is only read, in the service's spelling.
func TestAcc_Identity_IsStored(t *testing.T) {
	t.Parallel()
	skipUnless(t, featureIdentity())
	for name, row := range map[string]struct {
		switches emulator.Switches
		domain   bool
		tenant   bool
	}{
		"from the token":           {tenant: true},
		"from the configuration":   {switches: emulator.Switches{OpaqueTokens: true}, tenant: true},
		"from the OpenID document": {switches: emulator.Switches{OpaqueTokens: true}, domain: true, tenant: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, row.switches)
			block := w.Provider()
			if row.domain {
				block = w.Provider("tenant_id", `"`+w.Domain()+`"`)
			}
			tf := w.inProcess(t, block+strings.ReplaceAll(keyConfig(), `"Signing"`, `"signing"`))
			tf.apply(true)
			kid := tf.state(keyAddress)["kid"]
			want := map[string]any{"tenant_id": w.ID(), "key_set_id": "B2C_1A_signing"}
			if got := tf.identity(keySetAddress); !maps.Equal(got, want) {
				t.Errorf("key set: %v, want %v", got, want)
			}
			want["kid"] = kid
			if got := tf.identity(keyAddress); !maps.Equal(got, want) {
				t.Errorf("key: %v, want %v", got, want)
			}
			tf.configure(block + strings.ReplaceAll(keyConfig(`on_destroy = "disable"`), `"Signing"`, `"signing"`))
			tf.apply(true)
			if got := tf.identity(keyAddress); !maps.Equal(got, want) {
				t.Errorf("key after an update: %v, want %v", got, want)
			}
		})
	}
}
