// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

const rotatingKeys = "../../examples/guides/rotating-keys/"

func readExample(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestAccGuide_RotatingKeys_Plan holds the plan of a due key that the guide shows against a real one.
func TestAccGuide_RotatingKeys_Plan(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, exampleTime(), emulator.Switches{})
	tf := w.inProcess(t, readExample(t, rotatingKeys+"main.tf"))
	tf.command("init", "-input=false")
	tf.apply(true)
	w.clock.Advance(89*24*time.Hour - time.Second)
	if o, changes := tf.plan(); changes {
		t.Errorf("a second before the key is due: %s", o.stdout)
	}
	w.clock.Advance(time.Second)
	got := tf.command("plan", "-no-color", "-input=false")
	for i, key := range w.keys("B2C_1A_TokenSigningKeyContainer") {
		got = strings.ReplaceAll(got, key.Kid, []string{"Vb1Jm0LQ8sXcT4nPzR7uWkHyE2dGoA9fMiS5tCqNx3w", "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"}[i])
	}
	shown := readExample(t, rotatingKeys+"due.txt")
	if !strings.Contains(got, "\n  "+strings.ReplaceAll(strings.TrimSpace(shown), "\n", "\n  ")+"\n") {
		t.Errorf("the guide shows\n%s\nthe plan is\n%s", shown, got)
	}
	if strings.Count(got, "will be updated in-place") != 1 {
		t.Errorf("more is planned: %s", got)
	}
}

// TestAccGuide_RotatingKeys_Pipelines runs what the pipelines run: the first keys, nothing to do, a key that is due.
func TestAccGuide_RotatingKeys_Pipelines(t *testing.T) {
	t.Parallel()
	for file, row := range map[string]struct {
		// path leads to the script.
		path []string
		// needs are parts of the file, as JSON.
		needs []string
	}{
		"workflow.yml": {
			path: []string{"jobs", "rotate", "steps", "2", "run"},
			needs: []string{
				`"schedule":[{"cron":"17 4 * * *"}]`, `"concurrency":{"cancel-in-progress":false,"group":"policy-keys"}`, `"id-token":"write"`,
				`"ARM_USE_OIDC":"true"`, `"terraform_wrapper":false`,
			},
		},
		"pipeline.yml": {
			path: []string{"stages", "0", "jobs", "0", "strategy", "runOnce", "deploy", "steps", "1", "inputs", "inlineScript"},
			needs: []string{
				`"schedules":[{"always":true,"branches":{"include":["main"]},"cron":"17 4 * * *"`, `"lockBehavior":"sequential"`, `"trigger":"none"`,
				`"checkout":"self"`, `"allowNoSubscriptions":true`, `"SYSTEM_ACCESSTOKEN":"$(System.AccessToken)"`, `"ARM_USE_OIDC":"true"`,
			},
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, exampleTime(), emulator.Switches{})
			tf := w.inProcess(t, readExample(t, rotatingKeys+"main.tf"))
			decoded := tf.decodeYAML(t, readExample(t, rotatingKeys+file))
			for _, need := range row.needs {
				if !strings.Contains(decoded, need) {
					t.Errorf("no %s in %s", need, decoded)
				}
			}
			var at any
			if err := json.Unmarshal([]byte(decoded), &at); err != nil {
				t.Fatal(err)
			}
			for _, step := range row.path {
				switch parent := at.(type) {
				case map[string]any:
					at = parent[step]
				case []any:
					i, err := strconv.Atoi(step)
					if err != nil || i >= len(parent) {
						t.Fatalf("no %q in %v", step, row.path)
					}
					at = parent[i]
				}
			}
			script, _ := at.(string)
			if script == "" {
				t.Fatalf("no script at %v", row.path)
			}
			run := tf.takePipeline(t, script)
			signing := func() int { return len(w.keys("B2C_1A_TokenSigningKeyContainer")) }

			if summary, err := run(); err != nil || signing() != 2 || strings.Count(summary, "```mermaid\n") != 2 {
				t.Errorf("the first run made %d keys: %v, %s", signing(), err, summary)
			}
			w.clock.Advance(88 * 24 * time.Hour)
			if summary, err := run(); err != nil || signing() != 2 || !strings.Contains(summary, "No key is due.") {
				t.Errorf("a run a day before the key is due left %d keys: %v, %s", signing(), err, summary)
			}
			w.clock.Advance(24 * time.Hour)
			config := readExample(t, rotatingKeys+"main.tf")
			tf.configure(strings.Replace(config, "days = 90", "days = 1", 1)) // not longer than the delay
			if summary, err := run(); err == nil || signing() != 2 || summary != "" {
				t.Errorf("a run whose plan fails left %d keys: %v, %s", signing(), err, summary)
			}
			tf.configure(config)
			w.SetRoles(emulator.RoleRead)
			if summary, err := run(); err == nil || signing() != 2 || summary != "" {
				t.Errorf("a run whose apply fails left %d keys: %v, %s", signing(), err, summary)
			}
			w.SetRoles(emulator.RoleReadWrite)
			if summary, err := run(); err != nil || signing() != 3 || strings.Contains(summary, "No key is due.") {
				t.Errorf("the due run left %d keys: %v, %s", signing(), err, summary)
			}
			if got := len(w.keys("B2C_1A_TokenEncryptionKeyContainer")); got != 2 {
				t.Errorf("%d keys for encryption", got)
			}
		})
	}
}

// decodeYAML lets the client read YAML, and returns it as JSON.
func (tf *client) decodeYAML(t *testing.T, text string) string {
	t.Helper()
	reader := newClient(t, "output \"json\" {\n  value = jsonencode(yamldecode(file(\"file.yml\")))\n}\n")
	if err := os.WriteFile(filepath.Join(reader.dir, "file.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	reader.command("init", "-input=false")
	reader.apply(true)
	return reader.command("output", "-raw", "json")
}

// takePipeline copies what the pipelines need into the configuration's folder, and returns how to run a script there, which
// returns the summary it wrote, and an error if it failed.
func (tf *client) takePipeline(t *testing.T, script string) func() (string, error) {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(os.Getenv("TF_ACC_TERRAFORM_PATH"), filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rotate.sh", "chart/main.tf"} {
		to := filepath.Join(tf.dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(readExample(t, rotatingKeys+name)), 0o700); err != nil { //nolint:gosec // a script that is run
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(tf.dir, "chart", "key-set-gantt"), os.DirFS("../../examples/modules/key-set-gantt")); err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	summary := filepath.Join(temp, "policy-keys.md")
	script = strings.ReplaceAll(script, "$(Agent.TempDirectory)", temp)
	return func() (string, error) {
		t.Helper()
		if err := os.WriteFile(summary, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), "bash", "-c", script) // without -e, as Azure DevOps does
		command.Dir = tf.dir
		command.Env = append(append([]string{}, tf.environment...), "PATH="+bin+":"+os.Getenv("PATH"), "GITHUB_STEP_SUMMARY="+summary)
		output, err := command.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, output)
		}
		written := readExample(t, summary)
		for chart := range strings.SplitSeq(written, "```mermaid\n") {
			if !strings.HasPrefix(chart, "gantt\n") {
				continue
			}
			text, _, _ := strings.Cut(chart, "```\n")
			if chartErr := checkGantt(text); chartErr != nil {
				t.Error(chartErr)
			}
		}
		return written, err
	}
}

// TestAccGuide_RotatingKeys_Checks goes through what the checks of the guide warn of.
func TestAccGuide_RotatingKeys_Checks(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	at := func(d time.Duration) *int64 { date := exampleTime().Add(d).Unix(); return &date }
	for name, row := range map[string]struct {
		keys     []emulator.KeySpec
		disabled bool
		after    time.Duration
		want     string // in the warning; "" means none
	}{
		"a key that goes on":                   {keys: []emulator.KeySpec{{Nbf: at(-day), Exp: at(22 * day)}}},
		"a key that ends":                      {keys: []emulator.KeySpec{{Nbf: at(-day), Exp: at(20 * day)}}, want: "Signing: 2027-01-21T00:00:00Z"},
		"a key that ends, and a safety net":    {keys: []emulator.KeySpec{{}, {Nbf: at(-day), Exp: at(20 * day)}}, want: "Signing: 2027-01-21T00:00:00Z"},
		"one that ends, and the next":          {keys: []emulator.KeySpec{{Nbf: at(-day), Exp: at(20 * day)}, {Nbf: at(day), Exp: at(50 * day)}}},
		"one that ends, and one without end":   {keys: []emulator.KeySpec{{Nbf: at(-day), Exp: at(20 * day)}, {Nbf: at(day)}}},
		"keys that have ended, and the net":    {keys: []emulator.KeySpec{{}, {Nbf: at(-9 * day), Exp: at(-day)}}, want: "Signing: 2026-12-31T00:00:00Z"},
		"a key without dates":                  {keys: []emulator.KeySpec{{}}},
		"a disabled key":                       {keys: []emulator.KeySpec{{}}, disabled: true, want: "no key in use: B2C_1A_Signing."},
		"no key":                               {want: "no key in use: B2C_1A_Signing."},
		"a certificate that goes on":           {keys: []emulator.KeySpec{{Certificate: &emulator.CertificateSpec{Subject: "a", NotBefore: exampleTime(), NotAfter: exampleTime().Add(22 * day)}}}},
		"a certificate that ends":              {keys: []emulator.KeySpec{{Certificate: &emulator.CertificateSpec{Subject: "a", NotBefore: exampleTime(), NotAfter: exampleTime().Add(20 * day)}}}, want: ": 2027-01-21T00:00:00Z"},
		"a certificate that ends later, later": {keys: []emulator.KeySpec{{Certificate: &emulator.CertificateSpec{Subject: "a", NotBefore: exampleTime(), NotAfter: exampleTime().Add(40 * day)}}}, after: 20 * day, want: ": 2027-02-10T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, exampleTime(), emulator.Switches{StatusInListing: true})
			w.AddKeySet("B2C_1A_Signing")
			for _, k := range row.keys {
				kid := w.AddKey("B2C_1A_Signing", k)
				w.SetKeyStatus("B2C_1A_Signing", kid, !row.disabled)
			}
			w.SetRoles(emulator.RoleRead)
			tf := w.inProcess(t, readExample(t, rotatingKeys+"checks.tf"))
			tf.command("init", "-input=false")
			w.clock.Advance(row.after)
			o, changes := tf.plan("-var", "now="+exampleTime().Add(row.after).Format(time.RFC3339))
			switch {
			case changes:
				t.Error("the plan has something to do")
			case row.want == "" && len(o.diagnostics) > 0, row.want != "" && (len(o.diagnostics) != 1 || !o.has("warning", "Check block assertion failed", row.want)):
				t.Errorf("got %v", o.diagnostics)
			}
		})
	}
}

// TestAccGuide_RotatingKeys_CheckRotation warns of a rotation that nobody applies.
func TestAccGuide_RotatingKeys_CheckRotation(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	w := newWorldAt(t, exampleTime(), emulator.Switches{})
	tf := w.inProcess(t, readExample(t, rotatingKeys+"check-rotation.tf"))
	tf.command("init", "-input=false")
	now := func() []string { return []string{"-var", "now=" + w.clock.Now().UTC().Format(time.RFC3339)} }
	tf.apply(true, now()...)
	for _, row := range []struct {
		advance time.Duration
		warned  bool
	}{{95 * day, false}, {day, true}} {
		w.clock.Advance(row.advance)
		o, _ := tf.plan(append(now(), "-refresh-only")...)
		if warned := o.has("warning", "Check block assertion failed", "is due since 2027-03-31T00:00:00Z"); warned != row.warned {
			t.Errorf("after %v more: %v", row.advance, o.diagnostics)
		}
	}
	if o := tf.apply(true, now()...); len(o.diagnostics) > 0 {
		t.Errorf("the apply that makes the key: %v", o.diagnostics)
	}
}

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
				{do: "apply", what: emergency, active: ""},
				{do: "wait", active: "41-161"},
			},
			want: "0-120 disabled, 41-161",
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
