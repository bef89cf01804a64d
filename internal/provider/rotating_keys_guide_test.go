// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	run := tf.script(t, strings.ReplaceAll(script, "$(Agent.TempDirectory)", temp), "GITHUB_STEP_SUMMARY="+summary)
	return func() (string, error) {
		t.Helper()
		if err := os.WriteFile(summary, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := run()
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
		"a secret that ends":                   {keys: []emulator.KeySpec{{Exp: at(20 * day)}}, want: "Signing: 2027-01-21T00:00:00Z"},
		"a secret that ends, and the next":     {keys: []emulator.KeySpec{{Exp: at(20 * day)}, {}}},
		"one that has ended, and the next":     {keys: []emulator.KeySpec{{Exp: at(-day)}, {Exp: at(90 * day)}}},
		"a secret after one without an end":    {keys: []emulator.KeySpec{{}, {Exp: at(20 * day)}}, want: "Signing: 2027-01-21T00:00:00Z"},
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

// TestAccGuide_RotatingKeys_Watchdog runs the script that fails where a check only warns.
func TestAccGuide_RotatingKeys_Watchdog(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, exampleTime(), emulator.Switches{StatusInListing: true})
	w.AddKeySet("B2C_1A_Signing")
	tf := w.inProcess(t, readExample(t, rotatingKeys+"checks.tf"))
	run := tf.script(t, readExample(t, rotatingKeys+"watchdog.sh"))
	if output, err := run(); err == nil || !strings.Contains(output, "Check block assertion failed") || !strings.Contains(output, "A check does not hold") {
		t.Errorf("with a check that fails: %v, %s", err, output)
	}
	w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
	if output, err := run(); err != nil || strings.Contains(output, "Warning") {
		t.Errorf("with checks that hold: %v, %s", err, output)
	}
	w.SetRoles()
	if output, err := run(); err == nil || !strings.Contains(output, "TrustFrameworkKeySet.Read.All") {
		t.Errorf("with a plan that fails: %v, %s", err, output)
	}
}

// script returns how to run a script in the configuration's folder, which returns what it prints, and an error if it failed.
func (tf *client) script(t *testing.T, script string, variables ...string) func() (string, error) {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(os.Getenv("TF_ACC_TERRAFORM_PATH"), filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	return func() (string, error) {
		command := exec.CommandContext(t.Context(), "bash", "-c", script) // without -e, as Azure DevOps does
		command.Dir = tf.dir
		command.Env = append(append(append([]string{}, tf.environment...), "PATH="+bin+":"+os.Getenv("PATH")), variables...)
		output, err := command.CombinedOutput()
		return string(output), err
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
