// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// buffer is a bytes.Buffer that one goroutine may read while another writes,
// and that says when something was written.
type buffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{}
}

func newBuffer() *buffer { return &buffer{written: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.written <- struct{}{}:
	default:
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// started is a command that runs in the background.
type started struct {
	stdout, stderr *buffer
	stop           func() error
}

// start runs the command until its standard output has something.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{stdout: newBuffer(), stderr: newBuffer()}
	done := make(chan error, 1)
	go func() { done <- run(ctx, append(args, "-print-env"), s.stdout, s.stderr) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = s.stop() })
	select {
	case <-s.stdout.written:
	case err := <-done:
		t.Fatalf("run: %v: %s", err, s.stderr)
	case <-time.After(20 * time.Second):
		t.Fatal("nothing printed")
	}
	return s
}

func (s *started) env(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(s.stdout.String()) {
		m := regexp.MustCompile(`^export ([A-Z_]+)='([^']*)'\n$`).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("line %q is no export", line)
		}
		env[m[1]] = m[2]
	}
	return env
}

func client(t *testing.T, caFile string) *http.Client {
	t.Helper()
	ca, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatalf("read the CA: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestRun_PrintEnv_IsAllThatAClientNeeds(t *testing.T) {
	t.Parallel()
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	const tenant, application = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
	s := start(t, "-verbose", "-ca-file", caFile, "-tenant-id", tenant, "-client-id", application, "-hostnames", "a.test, b.test")
	env := s.env(t)
	for name, want := range map[string]string{
		"ARM_TENANT_ID": tenant, "ARM_CLIENT_ID": application, "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
		"TRUSTFRAMEWORK_CA_CERT_FILE": caFile, "AZURE_AUTHORITY_HOST": env["ARM_MSGRAPH_ENDPOINT"],
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	c := client(t, env["TRUSTFRAMEWORK_CA_CERT_FILE"])
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {env["ARM_CLIENT_ID"]},
		"client_secret": {env["ARM_CLIENT_SECRET"]}, "scope": {"https://graph.microsoft.com/.default"},
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env["AZURE_AUTHORITY_HOST"]+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("token: status %d, %v", resp.StatusCode, err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if log := s.stderr.String(); !strings.Contains(log, "/oauth2/v2.0/token") || strings.Contains(log, env["ARM_CLIENT_SECRET"]) || strings.Contains(log, token.AccessToken) {
		t.Errorf("the log lacks the request or has a secret: %s", log)
	}
	if _, err := os.Stat(caFile); !os.IsNotExist(err) {
		t.Errorf("the CA file is still there (%v)", err)
	}
}

func TestRun_EnvFile_IsWrittenOnceItServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "env")
	s := start(t, "-env-file", file, "-control", "127.0.0.1:0")
	var raw []byte
	tick, timeout := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for raw == nil {
		select {
		case <-tick.C:
			raw, _ = os.ReadFile(file) // not there yet
		case <-timeout:
			t.Fatal("no file")
		}
	}
	if string(raw) != s.stdout.String() {
		t.Errorf("file %q, printed %q", raw, s.stdout)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	if !strings.Contains(s.stderr.String(), "control plane at http://127.0.0.1:") {
		t.Errorf("standard error %q", s.stderr)
	}
	caFile := s.env(t)["TRUSTFRAMEWORK_CA_CERT_FILE"]
	if err := s.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, path := range []string{file, caFile, filepath.Dir(caFile)} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there (%v)", path, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v (%v)", left, err)
	}
}

func TestRun_CAFile_WhenItExists(t *testing.T) {
	t.Parallel()
	t.Run("foreign", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(file, []byte("trust me"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), []string{"-ca-file", file}, io.Discard, io.Discard); err == nil {
			t.Error("a foreign file was replaced")
		}
		if raw, err := os.ReadFile(file); err != nil || string(raw) != "trust me" {
			t.Errorf("file %q (%v)", raw, err)
		}
	})
	t.Run("emulator's", func(t *testing.T) {
		t.Parallel()
		old, err := emulator.Start(emulator.Config{})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "ca.pem")
		if err := errors.Join(old.Close(), os.WriteFile(file, old.CAPEM(), 0o600)); err != nil {
			t.Fatal(err)
		}
		s := start(t, "-ca-file", file)
		if raw, err := os.ReadFile(file); err != nil || bytes.Equal(raw, old.CAPEM()) {
			t.Errorf("the file wasn't replaced (%v)", err)
		}
		if err := s.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("a file that was there before is gone: %v", err)
		}
	})
}

func TestRun_WhenArgumentsAreWrong(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown flag":  {"-nonsense"},
		"argument":      {"serve"},
		"tenant":        {"-tenant-id", "contoso"},
		"client":        {"-client-id", "1"},
		"lag":           {"-lag", "-1s"},
		"latency":       {"-latency", "-1s"},
		"hostnames":     {"-hostnames", "a b"},
		"not loopback":  {"-listen", "0.0.0.0:0"},
		"control":       {"-control", ":0"},
		"missing":       {"-missing-status", "410"},
		"oct":           {"-oct-spelling", "Oct"},
		"page size":     {"-page-size", "-1"},
		"CA directory":  {"-ca-file", "testdata/none/ca.pem"},
		"env directory": {"-env-file", "testdata/none/env"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestRun_WhenAskedForHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, io.Discard, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{"-listen", "-control", "-ca-file", "-seed", "-opaque-tokens", "-print-env"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("the help lacks %s", name)
		}
	}
}

func TestParseOptions_TakesEverySwitch(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{
		"-missing-status=404", "-oct-spelling=OCT", "-numbers-as-strings", "-list-without-keys", "-list-refused",
		"-page-size=2", "-next-link-host=graph.example", "-overlap-refused", "-no-backup-of-empty", "-fill-nbf", "-status-in-listing", "-disabled-at-first",
		"-wrapped-key-v2", "-no-keys-v2", "-keys-v2-unlistable", "-both-usages-sign", "-no-usage-signs", "-certificate-dates",
		"-modern-pkcs12", "-duplicate-keys", "-upload-secret-problem", "-opaque-tokens", "-token-endpoint-origin=https://login.example", "-seed=7",
	}, io.Discard)
	want := emulator.Switches{ //nolint:gosec // it is made up for a test
		MissingStatus: 404, OctSpelling: "OCT", NumbersAsStrings: true, ListWithoutKeys: true, ListRefused: true,
		PageSize: 2, NextLinkHost: "graph.example", OverlapRefused: true, NoBackupOfEmpty: true, FillNbf: true, StatusInListing: true, DisabledAtFirst: true,
		WrappedKeyV2: true, NoKeysV2: true, KeysV2Unlistable: true, BothUsagesSign: true, NoUsageSigns: true, CertificateDates: true,
		ModernPKCS12: true, DuplicateKeys: true, UploadSecretProblem: true, OpaqueTokens: true, TokenEndpointOrigin: "https://login.example",
	}
	if err != nil || o.server.Switches != want || o.server.Seed != 7 {
		t.Errorf("options %v, error %v", o.server.Switches, err)
	}
}

func TestQuote_SurvivesAnyText(t *testing.T) {
	t.Parallel()
	if got, want := quote("a'b $c"), `'a'\''b $c'`; got != want {
		t.Errorf("quoted %s, want %s", got, want)
	}
}
