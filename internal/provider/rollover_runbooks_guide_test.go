// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// TestAccGuide_RolloverRunbooks goes through the emergencies of the guide, and through other orders of the same steps, and looks
// at which key is active after each. The world has a rotation of 90 days; keys are named by their dates in days since it began.
func TestAccGuide_RolloverRunbooks(t *testing.T) {
	t.Parallel()
	const (
		day = 24 * time.Hour
		set = "B2C_1A_TokenSigningKeyContainer"
	)
	type step struct {
		do      string   // "apply", "wait", or "disable"
		days    int      // to wait, instead of one
		what    []string // keys to disable, or arguments of the rotation to apply from now on
		active  string   // the key that is active then
		warning string   // of an apply
	}
	normal, emergency := []string{`incident = "none"`}, []string{`incident = "one"`}
	atOnce := []string{`incident = "one"`, "activation_delay_days = 0"}
	const late = "Key rotation comes too late"
	for name, row := range map[string]struct {
		noNet bool
		after []time.Duration // applies before it happens
		steps []step
		want  string // all keys
	}{
		"with a safety net: disable, apply": {
			after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "disable", what: []string{"0-120"}, active: "none"},
				{do: "apply", what: normal, active: "none"},
				{do: "wait", active: "41-161"},
			},
			want: "none, 0-120 disabled, 41-161",
		},
		"with a safety net, the key before still valid: disable, apply": {
			after: []time.Duration{0, 89 * day, 10 * day},
			steps: []step{
				{do: "disable", what: []string{"90-210"}, active: "0-120"},
				{do: "apply", what: normal, active: "0-120"},
				{do: "wait", active: "100-220"},
			},
			want: "none, 0-120, 90-210 disabled, 100-220",
		},
		"with a safety net, the next key published: disable, apply": {
			after: []time.Duration{0, 89 * day},
			steps: []step{
				{do: "disable", what: []string{"0-120"}, active: "none"},
				{do: "apply", what: normal, active: "none"},
				{do: "wait", active: "90-210"},
			},
			want: "none, 0-120 disabled, 90-210",
		},
		"with a safety net: rotate, wait, disable": {
			after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "apply", what: emergency, active: "0-120"},
				{do: "wait", active: "41-161"},
				{do: "disable", what: []string{"0-120"}, active: "41-161"},
				{do: "apply", what: emergency, active: "41-161"},
			},
			want: "none, 0-120 disabled, 41-161",
		},
		"with a safety net: rotate at once, disable": {
			after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "apply", what: atOnce, active: "40-160"},
				{do: "disable", what: []string{"0-120"}, active: "40-160"},
				{do: "apply", what: emergency, active: "40-160"},
			},
			want: "none, 0-120 disabled, 40-160",
		},
		"without a safety net: rotate, wait, disable": {
			noNet: true, after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "apply", what: emergency, active: "0-120"},
				{do: "wait", active: "41-161"},
				{do: "disable", what: []string{"0-120"}, active: "41-161"},
			},
			want: "0-120 disabled, 41-161",
		},
		"without a safety net: rotate, disable too soon": {
			noNet: true, after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "apply", what: emergency, active: "0-120"},
				{do: "disable", what: []string{"0-120"}, active: ""},
				{do: "apply", what: emergency, active: "40-160", warning: late},
				{do: "wait", active: "41-161"},
			},
			want: "0-120 disabled, 41-161, 40-160",
		},
		"without a safety net: rotate at once, disable": {
			noNet: true, after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "apply", what: atOnce, active: "40-160"},
				{do: "disable", what: []string{"0-120"}, active: "40-160"},
				{do: "apply", what: emergency, active: "40-160"},
			},
			want: "0-120 disabled, 40-160",
		},
		"without a safety net, the key before still valid: disable, apply": {
			noNet: true, after: []time.Duration{0, 89 * day, 10 * day},
			steps: []step{
				{do: "disable", what: []string{"90-210"}, active: "0-120"},
				{do: "apply", what: normal, active: "0-120"},
				{do: "wait", active: "100-220"},
			},
			want: "0-120, 90-210 disabled, 100-220",
		},
		"without a safety net: disable, apply": {
			noNet: true, after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "disable", what: []string{"0-120"}, active: ""},
				{do: "apply", what: normal, active: "40-160", warning: late},
			},
			want: "0-120 disabled, 40-160",
		},
		"without a safety net, the next key published: disable, apply": {
			noNet: true, after: []time.Duration{0, 89 * day},
			steps: []step{
				{do: "disable", what: []string{"0-120"}, active: ""},
				{do: "apply", what: normal, active: "89-209", warning: late},
				{do: "wait", active: "90-210"},
			},
			want: "0-120 disabled, 90-210, 89-209",
		},
		"a key that is to come: disable, apply": {
			after: []time.Duration{0, 89 * day},
			steps: []step{
				{do: "disable", what: []string{"90-210"}, active: "0-120"},
				{do: "apply", what: normal, active: "0-120"},
				{do: "wait", active: "90-210"},
			},
			want: "none, 0-120, 90-210 disabled, 90-210",
		},
		"a key that has a successor: disable, apply": {
			after: []time.Duration{0, 89 * day, 10 * day},
			steps: []step{
				{do: "disable", what: []string{"0-120"}, active: "90-210"},
				{do: "apply", what: normal, active: "90-210"},
			},
			want: "none, 0-120 disabled, 90-210",
		},
		"the safety net itself: disable, apply": {
			after: []time.Duration{0, 40 * day},
			steps: []step{
				{do: "disable", what: []string{"none"}, active: "0-120"},
				{do: "apply", what: normal, active: "0-120"},
			},
			want: "none disabled, 0-120, none",
		},
		"the safety net while it signs: rotate at once, disable, apply": {
			after: []time.Duration{0},
			steps: []step{
				{do: "wait", days: 130, active: "none"},
				{do: "apply", what: atOnce, active: "130-250"},
				{do: "disable", what: []string{"none"}, active: "130-250"},
				{do: "apply", what: emergency, active: "130-250"},
			},
			want: "none disabled, 0-120, 130-250, none",
		},
		"every key: rotate at once, disable the others, apply": {
			after: []time.Duration{0, 89 * day},
			steps: []step{
				{do: "apply", what: atOnce, active: "89-209"},
				{do: "disable", what: []string{"none", "0-120", "90-210"}, active: "89-209"},
				{do: "apply", what: emergency, active: "89-209"},
				{do: "wait", active: "89-209"},
			},
			want: "none disabled, 0-120 disabled, 90-210 disabled, 89-209, none",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, exampleTime(), emulator.Switches{})
			dates := func(k emulator.Key) string {
				if k.Nbf == nil && k.Exp == nil {
					return "none"
				}
				days := func(date *int64) int64 { return (*date - exampleTime().Unix()) / int64(day/time.Second) }
				return fmt.Sprintf("%d-%d", days(k.Nbf), days(k.Exp))
			}
			// By the rule that Microsoft documents.
			active := func() string {
				found, newest, now := "", int64(-1), w.clock.Now().Unix()
				for _, k := range w.keys(set) {
					nbf := int64(0)
					if k.Nbf != nil {
						nbf = *k.Nbf
					}
					if k.Status != "disabled" && nbf <= now && (k.Exp == nil || *k.Exp > now) && nbf >= newest {
						found, newest = dates(k), nbf
					}
				}
				return found
			}
			config := func(arguments []string) string {
				text := strings.Replace(readExample(t, "../../examples/resources/trustframework_key_rotation/resource.tf"), `incident = "none"`, arguments[0], 1)
				arguments = append([]string{fmt.Sprintf("safety_net = %t", !row.noNet)}, arguments[1:]...)
				return strings.Replace(text, "rotation_days = 90", "rotation_days = 90\n"+strings.Join(arguments, "\n"), 1)
			}
			tf := w.inProcess(t, config(normal))
			tf.command("init", "-input=false")
			for _, wait := range row.after {
				w.clock.Advance(wait)
				tf.apply(true)
			}
			for i, s := range row.steps {
				switch s.do {
				case "wait":
					w.clock.Advance(time.Duration(max(s.days, 1)) * day)
				case "disable":
					for _, k := range w.keys(set) {
						if slices.Contains(s.what, dates(k)) {
							w.SetKeyStatus(set, k.Kid, false)
						}
					}
				case "apply":
					tf.configure(config(s.what))
					o := tf.apply(true)
					if s.warning == "" && len(o.diagnostics) > 0 || s.warning != "" && !o.has("warning", s.warning) {
						t.Errorf("step %d: got %v", i+1, o.diagnostics)
					}
				}
				if got := active(); got != s.active {
					t.Errorf("after step %d %q is active, want %q", i+1, got, s.active)
				}
			}
			var keys []string
			for _, k := range w.keys(set) {
				text := dates(k)
				if k.Status == "disabled" {
					text += " disabled"
				}
				keys = append(keys, text)
			}
			if got := strings.Join(keys, ", "); got != row.want {
				t.Errorf("keys %s, want %s", got, row.want)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
		})
	}
}

// TestAccGuide_RolloverRunbooks_Disable disables a key of a rotation by importing it, and forgets it again.
func TestAccGuide_RolloverRunbooks_Disable(t *testing.T) {
	t.Parallel()
	const set = "B2C_1A_TokenSigningKeyContainer"
	w := newWorldAt(t, exampleTime(), emulator.Switches{})
	config := readExample(t, "../../examples/resources/trustframework_key_rotation/resource.tf")
	tf := w.inProcess(t, config)
	tf.command("init", "-input=false")
	tf.apply(true)
	kid := w.keys(set)[1].Kid
	tf.configure(config + strings.ReplaceAll(readExample(t, "../../examples/guides/rollover-runbooks/import-compromised.tf"), exampleKeyID, kid))
	tf.apply(true, "-target=trustframework_generated_key.compromised")
	if keys := w.keys(set); len(keys) != 2 || keys[0].Status != "enabled" || keys[1].Status != "disabled" {
		t.Errorf("after the key was disabled: %v", keys)
	}
	tf.command("state", "rm", "trustframework_generated_key.compromised")
	tf.configure(config)
	tf.apply(true)
	if keys := w.keys(set); len(keys) != 3 || keys[1].Status != "disabled" || keys[2].Status != "enabled" {
		t.Errorf("after the next apply: %v", keys)
	}
	if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
		t.Errorf("changes: %t, %v", changes, o.diagnostics)
	}
}

// TestGuides_Mermaid holds the charts of the pages against Mermaid's grammar.
func TestGuides_Mermaid(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../../templates/guides/rotating-keys.md.tmpl", "../../examples/modules/key-set-gantt/README.md"} {
		_, text, _ := strings.Cut(readExample(t, file), "```mermaid\n")
		chart, _, _ := strings.Cut(text, "```\n")
		if err := checkGantt(chart); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
