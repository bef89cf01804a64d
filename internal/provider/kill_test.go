// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package provider_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// leftoverConfig is three key sets with three keys each, one of them without dates, and the check of the
// guide for interrupted runs, word for word.
func leftoverConfig(t *testing.T, provider string) string {
	t.Helper()
	example, err := os.ReadFile("../../examples/guides/after-an-interrupted-run/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	_, resources, ok := strings.Cut(string(example), "resource \"trustframework_key_set\"")
	if !ok {
		t.Fatal("the example has no key set")
	}
	// Symmetric keys cost the emulator nothing, and nobody has them cached.
	resources = strings.Replace("resource \"trustframework_key_set\""+resources, `"RSA"`, `"oct"`, 1)
	var keys strings.Builder
	for _, set := range leftoverSets() {
		for i, dates := range []string{
			fmt.Sprintf("nbf = %d", leftoverNbf(1)),
			fmt.Sprintf("nbf = %d, exp = %d", leftoverNbf(2), leftoverNbf(3)),
			"",
		} {
			fmt.Fprintf(&keys, "    %q = { key_set = %q, use = \"sig\", %s }\n", leftoverName(set, i+1), set, dates)
		}
	}
	return fmt.Sprintf("%s\nlocals {\n  key_sets = toset([\"%s\"])\n  keys = {\n%s  }\n  other_keys = []\n}\n\n%s",
		provider, strings.Join(leftoverSets(), `", "`), &keys, resources)
}

func leftoverSets() []string { return []string{"B2C_1A_A", "B2C_1A_B", "B2C_1A_C"} }

// leftoverNbf is a date of the keys, in a year to come and far from each other.
func leftoverNbf(n int) int64 {
	return time.Date(2100+n, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
}

func leftoverName(set string, n int) string { return fmt.Sprintf("%s-%d", set, n) }

// leftoverNameOf tells by its dates which of the configuration's keys one on the server is.
func leftoverNameOf(set string, k emulator.Key) string {
	switch {
	case k.Nbf == nil:
		return leftoverName(set, 3)
	case *k.Nbf == leftoverNbf(1):
		return leftoverName(set, 1)
	default:
		return leftoverName(set, 2)
	}
}

const checkFailed = "Check block assertion failed"

// TestAccKill_ThenLookImportAndApply kills an apply and goes on as the guide for interrupted runs says:
// the check names whatever is in no state, the import commands work, and the next apply makes each key
// that is missing, and none twice.
func TestAccKill_ThenLookImportAndApply(t *testing.T) {
	t.Parallel()
	const sets, writes = 3, 3 + 9
	for _, row := range []struct {
		name                string
		terraform, provider bool
		first, last         int  // the write at which it happens lies between the two
		after               bool // at the moment of the answer, not before it
		careless            bool // nobody imports the keys
	}{
		{name: "both, before a set's answer", terraform: true, provider: true, first: 1, last: sets},
		{name: "both, before a key's answer", terraform: true, provider: true, first: sets + 1, last: writes},
		{name: "both, as a key's answer leaves", terraform: true, provider: true, first: sets + 1, last: writes, after: true},
		{name: "the client, before a key's answer", terraform: true, first: sets + 1, last: writes},
		{name: "the provider, before a key's answer", provider: true, first: sets + 1, last: writes},
		{name: "the provider, as an answer leaves", provider: true, first: 1, last: writes, after: true},
		{name: "both, and then nobody looks", terraform: true, provider: true, first: writes - 2, last: writes, careless: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()                                                       //nolint:gosec // a test's choice
			at := row.first + rand.New(rand.NewPCG(seed, 0)).IntN(row.last-row.first+1) //nolint:gosec // a test's choice
			w := newWorld(t, emulator.Switches{})
			config := leftoverConfig(t, w.Provider())
			tf, killProvider := knownProcess(t, config, nil)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("seed %d: killed at write %d of %d", seed, at, writes) // put it in place of rand.Uint64 to see it again
				}
			})

			started := make(chan *running, 1)
			kill := func() {
				r := <-started
				if row.provider {
					killProvider()
				}
				if row.terraform {
					r.killBetweenWrites()
				}
			}
			killed := make(chan struct{})
			w.onAnswerOf(emulator.Entry.Write, at, func() {
				go func() {
					defer close(killed)
					kill()
				}()
				if !row.after {
					<-killed
				}
			})
			r := tf.startApply()
			started <- r
			if o := r.finish(); o.exit == 0 {
				t.Fatalf("the apply wasn't killed: %s", o.stdout)
			}
			<-killed
			if !row.provider {
				killProvider() // it has lost its client, and goes on with what is under way
			}
			w.quiet()
			// What follows is quicker with a provider that needn't be started.
			dir := tf.dir
			tf = w.inProcess(t, config)
			tf.dir = dir

			unowned := w.unowned(t, tf)
			if !row.after && len(unowned.sets)+len(unowned.keys) == 0 {
				t.Error("everything that was made is in state")
			}
			// The check names all, whatever is still to be made.
			o := tf.expect(true, "plan", "-refresh-only", "-input=false")
			unowned.namedByCheck(t, o)

			// The plan names those with dates, where it knows their set.
			o, _ = tf.plan()
			for name, id := range unowned.keys {
				set, _, _ := strings.Cut(id, "/")
				if unowned.sets[set] || strings.HasSuffix(name, "-3") {
					continue
				}
				if !o.has("warning", "Key may exist already", "terraform import trustframework_generated_key.NAME "+id) {
					t.Errorf("the plan doesn't name %s: %v", id, o.diagnostics)
				}
			}

			if len(unowned.sets) > 0 {
				o := tf.apply(false, "-target=trustframework_key_set.all")
				for set := range unowned.sets {
					if !o.has("error", "Unable to create key set", "terraform import trustframework_key_set.NAME "+set) {
						t.Errorf("nothing tells how to import %s: %v", set, o.diagnostics)
					}
				}
			}

			left := leftovers{}
			if row.careless {
				left.keys, unowned.keys = unowned.keys, nil
			}
			if err := os.WriteFile(filepath.Join(tf.dir, "imports.tf"), []byte(unowned.imports()), 0o600); err != nil {
				t.Fatal(err)
			}
			o = tf.apply(true)
			left.namedByCheck(t, o)
			if !row.careless && len(o.diagnostics) > 0 {
				t.Errorf("after the import: %v", o.diagnostics)
			}
			if now := w.unowned(t, tf); len(now.sets) > 0 || !maps.Equal(now.keys, left.keys) {
				t.Errorf("in no state: %v %v, want %v", now.sets, now.keys, left.keys)
			}
			made := map[string]int{}
			for _, s := range w.KeySets() {
				for _, k := range s.Keys {
					made[leftoverNameOf(s.ID, k)]++
				}
			}
			for name, n := range made {
				want := 1
				if _, ok := left.keys[name]; ok {
					want = 2
				}
				if n != want {
					t.Errorf("%d keys of %s, want %d", n, name, want)
				}
			}
			if len(made) != writes-sets {
				t.Errorf("keys on the server: %v", made)
			}
			o, changes := tf.plan()
			left.namedByCheck(t, o)
			if changes || !row.careless && len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
		})
	}
}

// quiet waits until the emulator has done what it was asked for by processes that have ended.
func (w *world) quiet() {
	for open := 1; open > 0; open, _ = w.Server.Connections() {
		runtime.Gosched()
	}
}

// leftovers are what the server holds and no resource owns: the ids of sets, and those of keys by the name that
// they have in the configuration.
type leftovers struct {
	sets map[string]bool
	keys map[string]string
}

// unowned compares the server with the state, in which nothing may be that the server doesn't hold. A
// state that was cut down to nothing, as a client does before it writes it anew, is an empty one to clients too.
func (w *world) unowned(t *testing.T, tf *client) leftovers {
	t.Helper()
	owned := map[any]bool{}
	content, err := os.ReadFile(filepath.Join(tf.dir, "terraform.tfstate"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if len(content) > 0 {
		for _, r := range tf.read().Resources {
			for _, i := range r.Instances {
				if r.Mode == "managed" {
					owned[i.Attributes["id"]] = true
				}
				if i.Status != "" {
					t.Errorf("%s is %s", i.Attributes["id"], i.Status)
				}
			}
		}
	}
	l := leftovers{sets: map[string]bool{}, keys: map[string]string{}}
	for _, s := range w.KeySets() {
		if !owned[s.ID] {
			l.sets[s.ID] = true
		}
		delete(owned, s.ID)
		for _, k := range s.Keys {
			id := s.ID + "/" + k.Kid
			if !owned[id] {
				l.keys[leftoverNameOf(s.ID, k)] = id
			}
			delete(owned, id)
		}
	}
	if len(owned) > 0 {
		t.Errorf("in state, but not on the server: %v", owned)
	}
	return l
}

// namedByCheck tells whether the check names the leftovers and nothing else.
func (l leftovers) namedByCheck(t *testing.T, o outcome) {
	t.Helper()
	lines := map[string]bool{}
	for _, d := range o.diagnostics {
		if d.Severity != "warning" || d.Summary != checkFailed {
			continue
		}
		for line := range strings.Lines(d.Detail) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), " #")
			if strings.HasPrefix(command, "terraform import ") {
				lines[command] = true
			}
		}
	}
	want := map[string]bool{}
	for id := range l.sets {
		want[fmt.Sprintf("terraform import 'trustframework_key_set.all[%q]' '%s'", id, id)] = true
	}
	for _, id := range l.keys {
		want[fmt.Sprintf("terraform import 'trustframework_generated_key.all[%q]' '%s'", "<key>", id)] = true
	}
	if !maps.Equal(lines, want) {
		t.Errorf("the check names %v, want %v", lines, want)
	}
}

// imports are blocks that import the leftovers to where the configuration has them.
func (l leftovers) imports() string {
	var b strings.Builder
	for id := range l.sets {
		b.WriteString(importBlock(fmt.Sprintf("trustframework_key_set.all[%q]", id), fmt.Sprintf("id = %q", id)))
	}
	for name, id := range l.keys {
		b.WriteString(importBlock(fmt.Sprintf("trustframework_generated_key.all[%q]", name), fmt.Sprintf("id = %q", id)))
	}
	return b.String()
}
