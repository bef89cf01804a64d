// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const (
	statusAction = "trustframework_set_key_status"
	actionSet    = "B2C_1A_Signing"
)

// actionWorld is a tenant whose key set Signing has two keys: FIRST, and SECOND, which is active while it can be used.
func actionWorld(t *testing.T, switches emulator.Switches, first emulator.KeySpec) (w *world, kids []string) {
	t.Helper()
	w = newWorld(t, switches)
	w.AddKeySet(actionSet)
	return w, []string{w.AddKey(actionSet, first), w.AddKey(actionSet, emulator.KeySpec{})}
}

func TestProtocol_SetKeyStatus(t *testing.T) {
	t.Parallel()
	type requests = map[emulator.Op]int
	const (
		list, get, keysV2, patch, active = emulator.OpList, emulator.OpGet, emulator.OpListKeys, emulator.OpPatchKey, emulator.OpGetActiveKey

		disabled    = `Key "SECOND" of key set "B2C_1A_Signing" is disabled now.`
		enabled     = `Key "SECOND" of key set "B2C_1A_Signing" is enabled now.`
		firstActive = `The active key of key set "B2C_1A_Signing" is "FIRST" now.`
		noneActive  = `No key of key set "B2C_1A_Signing" is active now: policies that refer to it fail until a key is enabled or made.`
		lastUsable  = "warning: Last usable key would be disabled: "
	)
	past, future := in(-time.Hour), in(time.Hour)
	setStatus := func(which int, enabled bool) func(*world, []string) {
		return func(w *world, kids []string) { w.SetKeyStatus(actionSet, kids[which], enabled) }
	}
	inject := func(faults ...emulator.Fault) func(*world, []string) {
		return func(w *world, _ []string) {
			for _, f := range faults {
				w.Inject(f)
			}
		}
	}
	// alone leaves SECOND as the only key that can be used.
	alone := setStatus(0, false)
	for name, row := range map[string]struct {
		switches emulator.Switches
		first    emulator.KeySpec
		before   func(w *world, kids []string)
		// config is what differs from disabling SECOND.
		config map[string]string
		// plan is what the plan says, from the beginning of its only diagnostic.
		plan string
		// meanwhile happens between plan and apply.
		meanwhile func(w *world, kids []string)
		progress  []string
		fails     []string // what the error says
		requests  requests // of the apply
		status    string   // of SECOND; "disabled" where it is left out
	}{
		"disable one of two": {
			progress: []string{disabled, firstActive},
			requests: requests{list: 1, keysV2: 3, patch: 1, active: 1},
		},
		"in another spelling": {
			config:   map[string]string{"key_set_id": "signing"},
			progress: []string{disabled, firstActive},
			requests: requests{list: 1, keysV2: 3, patch: 1, active: 1},
		},
		"with the status in listings": {
			switches: emulator.Switches{StatusInListing: true},
			progress: []string{disabled, firstActive},
			requests: requests{list: 1, keysV2: 3, patch: 1, active: 1},
		},
		"enable again": {
			before: setStatus(1, false), config: map[string]string{"status": "enabled"},
			progress: []string{enabled}, requests: requests{list: 1, keysV2: 2, patch: 1}, status: "enabled",
		},
		"disabled already": {
			before:   setStatus(1, false),
			progress: []string{`Key "SECOND" of key set "B2C_1A_Signing" is disabled already: nothing was changed.`},
			requests: requests{list: 1, keysV2: 1},
		},
		"disabled already, as are all": {
			before:   func(w *world, kids []string) { alone(w, kids); w.SetKeyStatus(actionSet, kids[1], false) },
			progress: []string{`Key "SECOND" of key set "B2C_1A_Signing" is disabled already: nothing was changed.`},
			requests: requests{list: 1, keysV2: 1},
		},
		"enabled already": {
			config:   map[string]string{"status": "enabled"},
			progress: []string{`Key "SECOND" of key set "B2C_1A_Signing" is enabled already: nothing was changed.`},
			requests: requests{list: 1, keysV2: 1}, status: "enabled",
		},
		"the last usable key": {
			before: alone, plan: lastUsable,
			fails:    []string{"No other key", "Nothing was changed.", "force = true", "policies fail"},
			requests: requests{list: 1, keysV2: 1}, status: "enabled",
		},
		"the last one that hasn't expired": {
			first: emulator.KeySpec{Exp: &past}, plan: lastUsable,
			fails:    []string{"No other key", "Nothing was changed.", "force = true"},
			requests: requests{list: 1, keysV2: 1}, status: "enabled",
		},
		"the last one that is valid yet": {
			first: emulator.KeySpec{Nbf: &future}, config: map[string]string{"force": "false"}, plan: lastUsable,
			fails:    []string{"No other key", "Nothing was changed.", "force = true"},
			requests: requests{list: 1, keysV2: 1}, status: "enabled",
		},
		"the last one since the plan": {
			meanwhile: alone,
			fails:     []string{"No other key", "Nothing was changed.", "force = true"},
			requests:  requests{list: 1, keysV2: 1}, status: "enabled",
		},
		"no longer the last one since the plan": {
			before: alone, plan: lastUsable, meanwhile: setStatus(0, true),
			progress: []string{disabled, firstActive},
			requests: requests{list: 1, keysV2: 3, patch: 1, active: 1},
		},
		"the last usable key, forced": {
			before: alone, config: map[string]string{"force": "true"}, plan: lastUsable,
			progress: []string{disabled, noneActive},
			requests: requests{list: 1, keysV2: 2, patch: 1, active: 1},
		},
		"one of two, forced": {
			config:   map[string]string{"force": "true"},
			progress: []string{disabled, firstActive},
			requests: requests{list: 1, keysV2: 2, patch: 1, active: 1},
		},
		"disabled already, forced": {
			before: setStatus(1, false), config: map[string]string{"force": "true"},
			progress: []string{`Key "SECOND" of key set "B2C_1A_Signing" is disabled already: nothing was changed.`},
			requests: requests{list: 1, keysV2: 1},
		},
		"another process disables the other": {
			meanwhile: func(w *world, kids []string) {
				w.onAnswer(patch, 1, func() { w.SetKeyStatus(actionSet, kids[0], false) })
			},
			fails:    []string{"No other key", "Nothing was changed.", "force = true"},
			requests: requests{list: 1, keysV2: 2, patch: 2}, status: "enabled",
		},
		"another process disables the other, forced": {
			config: map[string]string{"force": "true"},
			meanwhile: func(w *world, kids []string) {
				w.onAnswer(patch, 1, func() { w.SetKeyStatus(actionSet, kids[0], false) })
			},
			progress: []string{disabled, noneActive},
			requests: requests{list: 1, keysV2: 2, patch: 1, active: 10}, // over the settle time
		},
		"a key that isn't there": {
			config: map[string]string{"kid": "none"}, plan: "error: Unable to plan key's status: The key isn't in key set",
			fails:    []string{`The key isn't in key set "B2C_1A_Signing"`, `has no key "none"`},
			requests: requests{list: 1, get: 1}, status: "enabled",
		},
		"a set that isn't there": {
			config:   map[string]string{"key_set_id": "Other"},
			fails:    []string{`There is no key set "B2C_1A_Other"`, "Code: AADB2C90073", "Request ID: "},
			requests: requests{list: 1, get: 1}, status: "enabled",
		},
		"denied": {
			meanwhile: inject(emulator.Fault{Op: patch, Status: 403, Code: "AADB2C", Message: "no"}),
			fails:     []string{"The service denied access", "Status: 403", "Request ID: "},
			requests:  requests{list: 1, keysV2: 1, patch: 1}, status: "enabled",
		},
		"with the read role": {
			before:   func(w *world, _ []string) { w.SetRoles(emulator.RoleRead) },
			fails:    []string{"The service denied access", "TrustFrameworkKeySet.ReadWrite.All", "Status: 403"},
			requests: requests{list: 1, keysV2: 1}, status: "enabled",
		},
		"throttled": {
			meanwhile: inject(emulator.Throttled(patch, "2.5")),
			progress:  []string{disabled, firstActive},
			requests:  requests{list: 1, keysV2: 3, patch: 2, active: 1},
		},
		"a lost answer": {
			meanwhile: inject(emulator.CutAfterCommit(patch)),
			progress:  []string{disabled, firstActive},
			requests:  requests{list: 1, keysV2: 3, patch: 2, active: 1},
		},
		"late to show": {
			meanwhile: inject(emulator.Fault{Op: patch, Lag: 20 * time.Second}),
			progress:  []string{disabled, firstActive},
			requests:  requests{list: 1, keysV2: 8, patch: 1, active: 1}, // until it shows
		},
		"late to show in listings": {
			switches:  emulator.Switches{StatusInListing: true},
			meanwhile: inject(emulator.Fault{Op: patch, Lag: 20 * time.Second}),
			progress:  []string{disabled, firstActive},
			requests:  requests{list: 1, keysV2: 8, patch: 1, active: 1},
		},
		"nobody can see whether it shows": {
			meanwhile: inject(emulator.Fault{Op: keysV2, Skip: 2, Status: 403, Code: "AADB2C", Message: "no"}),
			progress:  []string{disabled, "Whether the service shows that isn't known: ", firstActive},
			requests:  requests{list: 1, keysV2: 3, patch: 1, active: 1},
		},
		"no keys_v2": {
			switches: emulator.Switches{NoKeysV2: true},
			fails:    []string{"The service refused the request", "Nothing was changed."},
			requests: requests{list: 1, get: 1, "": 2}, status: "enabled", // addresses that the service doesn't know
		},
		"later to show than anybody waits": {
			meanwhile: inject(emulator.Fault{Op: patch, Lag: time.Hour}),
			progress:  []string{disabled, "The service is late to show that: plans still take the key for what it was.", `The service still names the disabled key as the active one of key set "B2C_1A_Signing"`},
			requests:  requests{list: 1, keysV2: 12, patch: 1, active: 1},
		},
		"nobody knows the active key": {
			meanwhile: inject(emulator.Fault{Op: active, Status: 403, Code: "AADB2C", Message: "no"}),
			progress:  []string{disabled, `Which key of key set "B2C_1A_Signing" is active now isn't known: `},
			requests:  requests{list: 1, keysV2: 3, patch: 1, active: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := actionWorld(t, row.switches, row.first)
			if row.before != nil {
				row.before(w, kids)
			}
			config := map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"}
			for name, value := range row.config {
				config[name] = value
			}
			planner := newServer(t, w)
			given := planner.value(planner.actions[statusAction], config)
			if said := planner.validateAction(given); len(said) > 0 {
				t.Errorf("validate: %s", said)
			}
			said := planner.planAction(given)
			if (len(said) > 0) != (row.plan != "") || len(said) > 1 || !strings.HasPrefix(said.String(), row.plan) {
				t.Errorf("plan: %s", said)
			}
			if forced := config["force"] == "true"; strings.HasPrefix(row.plan, lastUsable) && strings.Contains(said.String(), "set force to true") == forced {
				t.Errorf("plan: %s", said)
			}
			if writes := w.Writes(); len(writes) > 0 {
				t.Errorf("the plan has written: %v", writes)
			}
			if row.meanwhile != nil {
				row.meanwhile(w, kids)
			}
			w.ResetJournal()

			progress, end := newServer(t, w).invoke(given)
			names := strings.NewReplacer(kids[0], "FIRST", kids[1], "SECOND")
			if !slices.EqualFunc(progress, row.progress, func(got, want string) bool { return strings.HasPrefix(names.Replace(got), want) }) {
				t.Errorf("progress %q, want %q", progress, row.progress)
			}
			if end.failed() != (row.fails != nil) || len(end) > 1 {
				t.Errorf("in the end: %s", end)
			}
			for _, text := range row.fails {
				if !strings.HasPrefix(end.String(), "error: Unable to set key's status: ") || !strings.Contains(end.String(), text) {
					t.Errorf("no %q in %s", text, end)
				}
			}
			if err := w.CheckRequests(row.requests)(nil); err != nil {
				t.Error(err)
			}
			want := row.status
			if want == "" {
				want = "disabled"
			}
			if got := w.keys(actionSet)[1].Status; got != want {
				t.Errorf("status %q, want %q", got, want)
			}
		})
	}
}

// TestProtocol_SetKeyStatus_AfterACreate: the plan warns of the last usable key, but it no longer is when the action
// follows the making of another one in the same run, even one that keys_v2 is late to show.
func TestProtocol_SetKeyStatus_AfterACreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet(actionSet)
	kid := w.AddKey(actionSet, emulator.KeySpec{Kty: "oct"})
	s := newServer(t, w)
	config := s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": kid, "status": "disabled"})
	if said := s.planAction(config); said.failed() || !strings.Contains(said.String(), "Last usable key would be disabled") {
		t.Errorf("plan: %s", said)
	}
	w.SetLag(20 * time.Second)
	successor, err := s.create(keyType, map[string]string{"key_set_id": actionSet, "use": "sig", "kty": "oct"})
	if err != nil {
		t.Fatal(err)
	}
	progress, end := s.invoke(config)
	if len(end) > 0 || len(progress) != 2 || !strings.Contains(progress[1], s.attributes(successor)["kid"]) {
		t.Errorf("progress %q, in the end %s", progress, end)
	}
	if got := w.keys(actionSet)[0].Status; got != "disabled" || len(w.Requests(emulator.OpPatchKey)) != 1 {
		t.Errorf("status %q, %d PATCHes", got, len(w.Requests(emulator.OpPatchKey)))
	}
}

// TestProtocol_SetKeyStatus_IsDrift of a resource that manages the key's status, and nothing to one that doesn't.
func TestProtocol_SetKeyStatus_IsDrift(t *testing.T) {
	t.Parallel()
	for name, managed := range map[string]bool{"managed": true, "not managed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{})
			w.AddKeySet(actionSet)
			w.AddKey(actionSet, emulator.KeySpec{Kty: "oct"})
			s := newServer(t, w)
			config := map[string]string{"key_set_id": actionSet, "use": "sig", "kty": "oct"}
			if managed {
				config["status"] = "enabled"
			}
			key, err := s.create(keyType, config)
			if err != nil {
				t.Fatal(err)
			}
			before := s.attributes(key)["status"]
			invoked := map[string]string{"key_set_id": actionSet, "kid": s.attributes(key)["kid"], "status": "disabled"}
			if _, end := s.invoke(s.value(s.actions[statusAction], invoked)); len(end) > 0 {
				t.Fatal(end)
			}
			key, said := s.refresh(key)
			after := s.attributes(key)["status"]
			if drift := after != before; drift != managed || managed && after != "disabled" || len(said) > 0 {
				t.Errorf("status %q, then %q: %s", before, after, said)
			}
			if _, said := s.apply(keyType, key, config); len(said) > 0 {
				t.Error(said)
			}
			want := "disabled"
			if managed {
				want = "enabled" // again
			}
			if got := w.keys(actionSet)[1].Status; got != want {
				t.Errorf("status %q in the end, want %q", got, want)
			}
		})
	}
}

func TestProtocol_SetKeyStatus_InvalidConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	s := newServer(t, w)
	for name, row := range map[string]struct {
		change map[string]string
		says   string // "" for nothing
	}{
		"valid":                     {},
		"a set that can't be one":   {map[string]string{"key_set_id": "a/b"}, `Invalid key set name: "a/b" can't name a key set`},
		"a kid that can't be one":   {map[string]string{"kid": "a/b"}, `Invalid kid: "a/b" can't be a kid`},
		"no kid":                    {map[string]string{"kid": ""}, `Invalid kid: "" can't be a kid`},
		"a status that can't be it": {map[string]string{"status": "revoked"}, `"enabled" "disabled"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := map[string]string{"key_set_id": "Signing", "kid": "k", "status": "disabled"}
			for name, value := range row.change {
				config[name] = value
			}
			said := s.validateAction(s.value(s.actions[statusAction], config))
			if said.failed() != (row.says != "") || !strings.Contains(said.String(), row.says) {
				t.Errorf("got %s", said)
			}
			if n := len(w.Journal()); n > 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestProtocol_SetKeyStatus_InvalidValues are those of variables, which Terraform doesn't validate again once it knows them: the plan
// refuses them, and so does the action.
func TestProtocol_SetKeyStatus_InvalidValues(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change map[string]string
		null   string
		says   string
	}{
		"a status in another spelling": {change: map[string]string{"status": "Disabled"}, says: `got: "Disabled"`},
		"a status that there isn't":    {change: map[string]string{"status": "revoked"}, says: `got: "revoked"`},
		"no status":                    {null: "status", says: `The argument "status" is null`},
		"a kid of two segments":        {change: map[string]string{"kid": "a/b"}, says: `"a/b" can't be a kid`},
		"no kid":                       {null: "kid", says: `The argument "kid" is null`},
		"a set of two segments":        {change: map[string]string{"key_set_id": "a/b"}, says: `"a/b" can't name a key set`},
		"no set":                       {null: "key_set_id", says: `The argument "key_set_id" is null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := actionWorld(t, emulator.Switches{}, emulator.KeySpec{})
			s := newServer(t, w)
			attributes := map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"}
			maps.Copy(attributes, row.change)
			delete(attributes, row.null)
			config := s.value(s.actions[statusAction], attributes)
			progress, end := s.invoke(config)
			for _, said := range []said{s.planAction(config), end} {
				if !said.failed() || !strings.Contains(said.String(), row.says) {
					t.Errorf("got %s", said)
				}
			}
			if n := len(w.Requests()); n > 0 || len(progress) > 0 {
				t.Errorf("%d requests, progress %q", n, progress)
			}
		})
	}
}

// TestProtocol_SetKeyStatus_OfANewKey: a key that this run has made, and that the service made disabled, is enabled however late the
// service shows it.
func TestProtocol_SetKeyStatus_OfANewKey(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]emulator.Switches{
		"status in keys_v2":     {DisabledAtFirst: true},
		"status in the listing": {DisabledAtFirst: true, StatusInListing: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, switches)
			w.AddKeySet(actionSet)
			w.SetLag(20 * time.Second)
			s := newServer(t, w)
			key, err := s.create(keyType, map[string]string{"key_set_id": actionSet, "use": "sig", "kty": "oct"})
			if err != nil {
				t.Fatal(err)
			}
			_, end := s.invoke(s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": s.attributes(key)["kid"], "status": "enabled"}))
			if got := w.keys(actionSet)[0].Status; len(end) > 0 || got != "enabled" {
				t.Errorf("status %q, in the end %s", got, end)
			}
		})
	}
}

// TestProtocol_SetKeyStatus_UnknownValues are those of what the same apply makes: nothing is asked that depends on them.
func TestProtocol_SetKeyStatus_UnknownValues(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		unknown  map[string]tftypes.Type
		requests int
	}{
		"the set":    {map[string]tftypes.Type{"key_set_id": tftypes.String}, 0},
		"the kid":    {map[string]tftypes.Type{"kid": tftypes.String}, 0},
		"the status": {map[string]tftypes.Type{"status": tftypes.String}, 1},
		"the force":  {map[string]tftypes.Type{"force": tftypes.Bool}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := actionWorld(t, emulator.Switches{}, emulator.KeySpec{})
			s := newServer(t, w)
			changes := map[string]tftypes.Value{}
			for name, attributeType := range row.unknown {
				changes[name] = tftypes.NewValue(attributeType, tftypes.UnknownValue)
			}
			known := s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"})
			config := s.with(s.actions[statusAction], known, changes)
			if said := append(s.validateAction(config), s.planAction(config)...); len(said) > 0 {
				t.Errorf("got %s", said)
			}
			if n := len(w.Requests()); n != row.requests {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestProtocol_SetKeyStatus_Timeout: a pause that is longer than the action may take isn't waited for.
func TestProtocol_SetKeyStatus_Timeout(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		timeout string // "" for the default of ten minutes
		fails   bool
	}{
		"by default": {},
		"as given":   {timeout: "1m", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, kids := actionWorld(t, emulator.Switches{}, emulator.KeySpec{})
			w.Inject(emulator.Throttled(emulator.OpPatchKey, "300"))
			s := newServer(t, w)
			config := s.value(s.actions[statusAction], map[string]string{"key_set_id": actionSet, "kid": kids[1], "status": "disabled"})
			if row.timeout != "" {
				invoke := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"invoke": tftypes.String}}
				config = s.with(s.actions[statusAction], config, map[string]tftypes.Value{
					"timeouts": tftypes.NewValue(invoke, map[string]tftypes.Value{"invoke": tftypes.NewValue(tftypes.String, row.timeout)}),
				})
			}
			_, end := s.invoke(config)
			if end.failed() != row.fails || row.fails && !strings.Contains(end.String(), "asked to slow down for longer than this operation may take") {
				t.Errorf("got %s", end)
			}
			if got := w.keys(actionSet)[1].Status; (got == "enabled") != row.fails {
				t.Errorf("status %q", got)
			}
		})
	}
}

// TestAccSetKeyStatus_Examples invokes the action as the examples do, with a client that can.
func TestAccSetKeyStatus_Examples(t *testing.T) {
	t.Parallel()
	const set = "B2C_1A_TokenSigningKeyContainer"
	for name, row := range map[string]struct {
		example string
		invoke  bool // by its command, and after the first of two keys; or else by the making of the second
		fails   bool // for it is the only key
	}{
		"by the command":               {example: "action.tf", invoke: true},
		"by the command, the only key": {example: "action.tf", invoke: true, fails: true},
		"after the making of a key":    {example: "action-after-create.tf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			skipUnless(t, featureAction())
			root := "../../examples/actions/" + statusAction + "/"
			read := func(file string) string {
				content, err := os.ReadFile(root + file)
				if err != nil {
					t.Fatal(err)
				}
				return string(content)
			}
			w := newWorldAt(t, exampleTime(), emulator.Switches{})
			w.AddKeySet(set)
			kid := w.AddKey(set, emulator.KeySpec{})
			if row.invoke && !row.fails {
				w.AddKey(set, emulator.KeySpec{})
			}
			tf := w.inProcess(t, read(row.example))
			tf.environment = append(tf.environment, "TF_VAR_compromised_kid="+kid)
			tf.command("init", "-input=false")
			arguments := []string{}
			if row.invoke {
				command := strings.ReplaceAll(lastLine(read("action.sh")), exampleKeyID, kid)
				arguments = strings.Fields(strings.TrimPrefix(command, "terraform apply "))
			}
			o := tf.apply(!row.fails, arguments...)
			// Terraform has a summary of its own for what an action says, and ours in the detail.
			failed := slices.ContainsFunc(o.diagnostics, func(d diagnostic) bool {
				text := strings.Join(strings.Fields(d.Summary+" "+d.Detail), " ")
				return d.Severity == "error" && strings.Contains(text, "Unable to set key's status") && strings.Contains(text, "No other key") && strings.Contains(text, "force = true")
			})
			if row.fails != failed {
				t.Errorf("got %v", o.diagnostics)
			}
			patches, want := 1, "disabled"
			if row.fails {
				patches, want = 0, "enabled"
			}
			if n := len(w.Requests(emulator.OpPatchKey)); n != patches || w.keys(set)[0].Status != want {
				t.Errorf("%d PATCHes, status %q", n, w.keys(set)[0].Status)
			}
			if keys := w.keys(set); !row.invoke && (len(keys) != 2 || keys[1].Status != "enabled" || keys[1].Nbf == nil || *keys[1].Nbf > w.clock.Now().Unix()) {
				t.Errorf("keys %v", keys)
			}
			if _, changes := tf.plan(); changes {
				t.Error("the plan after it has something to do")
			}
		})
	}
}
