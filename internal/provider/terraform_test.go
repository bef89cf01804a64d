// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/trustframework/terraform-provider-trustframework/internal/provider"
)

// serveVariable makes the test binary be the provider, so that a client can run it as a process of its
// own. What it names beyond "1" is a file for the id of that process, of the last one if there are several.
const serveVariable = "TRUSTFRAMEWORK_TEST_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) == "" {
		if err := lookAtClient(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	var err error
	if file := os.Getenv(serveVariable); file != "1" {
		err = os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o600)
	}
	if err == nil {
		err = tf6server.Serve(providerAddress(), provider.NewServer("test", servedOptions()...))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// providerAddress is where the client under test looks for the provider if a configuration doesn't say.
func providerAddress() string {
	return os.Getenv(hostVariable) + "/hashicorp/trustframework"
}

// sourceAddress is where the client looks for the provider if a configuration names its source, as the
// examples do.
func sourceAddress() string {
	return strings.Replace(providerAddress(), "/hashicorp/", "/trustframework/", 1)
}

// client runs the client under test as a user does, for what the testing framework doesn't show:
// warnings, logs, saved plans.
type client struct {
	t           *testing.T
	dir         string
	environment []string
}

// newClient prepares a folder with a configuration. Commands run without the shell's variables.
func newClient(t *testing.T, config string) *client {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run when TF_ACC is set, as make test does")
	}
	tf := &client{t: t, dir: t.TempDir(), environment: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
	}}
	tf.configure(config)
	return tf
}

// inProcess serves the provider from this process: it lives in the world's time, and finds the world's
// tenant by itself where the configuration doesn't name one.
func (w *world) inProcess(t *testing.T, config string, wrap ...func(http.RoundTripper) http.RoundTripper) *client {
	t.Helper()
	tf := newClient(t, config)
	ctx, cancel := context.WithCancel(context.Background())
	configs, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	factory := w.factories(w.Variables(), wrap...)["trustframework"]
	go func() {
		err := tf6server.Serve(providerAddress(), func() tfprotov6.ProviderServer {
			server, err := factory()
			if err != nil {
				panic(err)
			}
			return server
		}, tf6server.WithDebug(ctx, configs, closed), tf6server.WithoutLogStderrOverride(), tf6server.WithLoggingSink(t),
			tf6server.WithGoPluginLogger(hclog.New(&hclog.LoggerOptions{Output: io.Discard})))
		if err != nil {
			t.Error(err)
		}
	}()
	reattach := <-configs
	t.Cleanup(func() {
		cancel()
		<-closed
	})
	served := map[string]any{
		"Protocol":        string(reattach.Protocol),
		"ProtocolVersion": reattach.ProtocolVersion,
		"Pid":             reattach.Pid,
		"Test":            true,
		"Addr":            map[string]string{"Network": reattach.Addr.Network(), "String": reattach.Addr.String()},
	}
	value, err := json.Marshal(map[string]any{providerAddress(): served, sourceAddress(): served})
	if err != nil {
		t.Fatal(err)
	}
	tf.environment = append(tf.environment, "TF_REATTACH_PROVIDERS="+string(value), "TF_CLI_CONFIG_FILE="+os.DevNull)
	return tf
}

// ownProcess lets the client start the provider, which lives in the system's time and reads the
// variables given.
func ownProcess(t *testing.T, config string, variables map[string]string) *client {
	t.Helper()
	tf := newClient(t, config)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plugins := t.TempDir()
	if err := os.Symlink(self, filepath.Join(plugins, "terraform-provider-trustframework")); err != nil {
		t.Fatal(err)
	}
	cli := filepath.Join(t.TempDir(), "cli.tfrc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", providerAddress(), plugins)
	if err := os.WriteFile(cli, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	tf.environment = append(tf.environment, "TF_CLI_CONFIG_FILE="+cli, serveVariable+"=1", hostVariable+"="+os.Getenv(hostVariable))
	for name, value := range variables {
		tf.environment = append(tf.environment, name+"="+value)
	}
	return tf
}

// configure replaces the configuration.
func (tf *client) configure(config string) {
	tf.t.Helper()
	if err := os.WriteFile(filepath.Join(tf.dir, "main.tf"), []byte(config), 0o600); err != nil {
		tf.t.Fatal(err)
	}
}

// outcome is what a command left behind.
type outcome struct {
	exit        int
	diagnostics []diagnostic
	stdout      string
	stderr      string
}

// diagnostic is a warning or an error as the client shows it.
type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
}

// prepare makes a command of the client, which may also run while the test is cleaned up.
func (tf *client) prepare(arguments ...string) (*exec.Cmd, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tf.t.Context()), 15*time.Minute)
	command := exec.CommandContext(ctx, os.Getenv("TF_ACC_TERRAFORM_PATH"), arguments...)
	command.Dir, command.Env = tf.dir, tf.environment
	return command, cancel
}

// run runs a command that knows -json, such as plan or apply, and takes its diagnostics.
func (tf *client) run(arguments ...string) outcome {
	tf.t.Helper()
	arguments = append([]string{arguments[0], "-json"}, arguments[1:]...)
	command, cancel := tf.prepare(arguments...)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if err != nil && command.ProcessState == nil {
		tf.t.Fatal(err)
	}
	return newOutcome(command.ProcessState.ExitCode(), stdout.String(), stderr.String())
}

// newOutcome takes the diagnostics from what a command has written with -json.
func newOutcome(exit int, stdout, stderr string) outcome {
	o := outcome{exit: exit, stdout: stdout, stderr: stderr}
	for line := range strings.Lines(o.stdout) {
		var entry struct {
			Type       string     `json:"type"`
			Diagnostic diagnostic `json:"diagnostic"`
		}
		// The warning of dev_overrides is about the test, not about the provider.
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Type == "diagnostic" &&
			entry.Diagnostic.Summary != "Provider development overrides are in effect" {
			o.diagnostics = append(o.diagnostics, entry.Diagnostic)
		}
	}
	return o
}

// apply applies and expects the exit code to be as said by ok.
func (tf *client) apply(ok bool, arguments ...string) outcome {
	tf.t.Helper()
	return tf.expect(ok, append([]string{"apply", "-auto-approve", "-input=false"}, arguments...)...)
}

// plan plans and returns whether there is something to do.
func (tf *client) plan(arguments ...string) (outcome, bool) {
	tf.t.Helper()
	o := tf.run(append([]string{"plan", "-detailed-exitcode", "-input=false"}, arguments...)...)
	if o.exit == 1 {
		tf.t.Fatalf("plan failed: %v %s", o.diagnostics, o.stderr)
	}
	return o, o.exit == 2
}

func (tf *client) expect(ok bool, arguments ...string) outcome {
	tf.t.Helper()
	o := tf.run(arguments...)
	if (o.exit == 0) != ok {
		tf.t.Fatalf("%s ended with %d: %v %s", arguments[0], o.exit, o.diagnostics, o.stderr)
	}
	return o
}

// command runs a command that doesn't know -json and must succeed, and returns its standard output.
func (tf *client) command(arguments ...string) string {
	tf.t.Helper()
	command, cancel := tf.prepare(arguments...)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		tf.t.Fatalf("%s: %v\n%s%s", arguments[0], err, &stdout, &stderr)
	}
	return stdout.String()
}

// quotedID is an id in a summary, with the space before it.
var quotedID = regexp.MustCompile(` "[^"]*"`)

// withoutIDs returns a summary without the ids in it.
func withoutIDs(summary string) string { return quotedID.ReplaceAllString(summary, "") }

// has reports whether there is a diagnostic of a severity whose detail holds all texts, and whose summary, without the ids
// in it, begins with the one given.
func (o outcome) has(severity, summary string, texts ...string) bool {
	for _, d := range o.diagnostics {
		if d.Severity != severity || !strings.HasPrefix(withoutIDs(d.Summary), summary) {
			continue
		}
		missing := false
		for _, text := range texts {
			missing = missing || !strings.Contains(d.Detail, text)
		}
		if !missing {
			return true
		}
	}
	return false
}

// actions are what the plan of a command was to do, by address.
func (o outcome) actions() map[string]string {
	actions := map[string]string{}
	for line := range strings.Lines(o.stdout) {
		var entry struct {
			Type   string `json:"type"`
			Change struct {
				Action   string `json:"action"`
				Resource struct {
					Addr string `json:"addr"`
				} `json:"resource"`
			} `json:"change"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Type == "planned_change" {
			actions[entry.Change.Resource.Addr] = entry.Change.Action
		}
	}
	return actions
}

// state returns the attributes of a resource in the state, or nil.
func (tf *client) state(address string) map[string]any {
	tf.t.Helper()
	return tf.instance(address).Attributes
}

// identity returns the identity of a resource in the state, or nil.
func (tf *client) identity(address string) map[string]any {
	tf.t.Helper()
	return tf.instance(address).Identity
}

// instance is what the state holds of a resource.
type instance struct {
	Status     string         `json:"status"`
	IndexKey   any            `json:"index_key"`
	Attributes map[string]any `json:"attributes"`
	Identity   map[string]any `json:"identity"`
}

// stateFile is what the state holds.
type stateFile struct {
	Outputs   map[string]struct{ Value any }
	Resources []struct {
		Mode, Type, Name string
		Instances        []instance
	}
}

func (tf *client) read() stateFile {
	tf.t.Helper()
	data, err := os.ReadFile(filepath.Join(tf.dir, "terraform.tfstate"))
	if err != nil {
		tf.t.Fatal(err)
	}
	var state stateFile
	if err := json.Unmarshal(data, &state); err != nil {
		tf.t.Fatal(err)
	}
	return state
}

func (tf *client) instance(address string) instance {
	tf.t.Helper()
	for _, i := range tf.instances(address) {
		return i
	}
	return instance{}
}

// instances returns all that the state holds of a resource, none of it tainted.
func (tf *client) instances(address string) []instance {
	tf.t.Helper()
	mode := map[string]string{"managed": "", "data": "data."}
	var instances []instance
	for _, r := range tf.read().Resources {
		if mode[r.Mode]+r.Type+"."+r.Name != address {
			continue
		}
		for _, i := range r.Instances {
			if i.Status != "" {
				tf.t.Errorf("%s is %s", address, i.Status)
			}
			instances = append(instances, i)
		}
	}
	return instances
}
