// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// options is what the command line says.
type options struct {
	server   emulator.Config
	tenant   emulator.TenantConfig
	lag      time.Duration
	caFile   string
	envFile  string
	printEnv bool
	verbose  bool
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var hostnames string
	fs := flag.NewFlagSet("graph-emulator", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.server.Listen, "listen", "127.0.0.1:0", "loopback `address` of Graph and Entra")
	fs.StringVar(&o.server.Control, "control", "", "loopback `address` of the control plane (default none)")
	fs.StringVar(&o.caFile, "ca-file", "", "`file` for the CA certificate, removed at exit (default a temporary one)")
	fs.StringVar(&hostnames, "hostnames", "", "further `names` in the server certificate, comma-separated")
	fs.DurationVar(&o.server.Latency, "latency", 0, "`duration` added before each answer")
	fs.DurationVar(&o.lag, "lag", 0, "`duration` that each commit stays invisible to readers")
	fs.Uint64Var(&o.server.Seed, "seed", 0, "`number` that drives ids; 0 picks one, which is printed")
	fs.StringVar(&o.tenant.ID, "tenant-id", "", "`GUID` of the tenant (default generated)")
	fs.StringVar(&o.tenant.ClientID, "client-id", "", "`GUID` of the application (default generated)")
	fs.BoolVar(&o.printEnv, "print-env", false, "print the export lines that a client needs, the secret among them")
	fs.StringVar(&o.envFile, "env-file", "", "`file` for the same lines, complete once it exists, removed at exit")
	fs.BoolVar(&o.verbose, "verbose", false, "log a line for each request to standard error")
	switchFlags(fs, &o.server.Switches)
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.lag < 0 {
		return o, fmt.Errorf("lag %s: must not be negative", o.lag)
	}
	if err := o.tenant.Check(); err != nil {
		return o, err
	}
	for name := range strings.SplitSeq(hostnames, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.server.Hostnames = append(o.server.Hostnames, name)
		}
	}
	for o.server.Seed == 0 {
		o.server.Seed = rand.Uint64() //nolint:gosec // a seed is no secret
	}
	return o, nil
}

// switchFlags has one flag for each switch, by the same name.
func switchFlags(fs *flag.FlagSet, s *emulator.Switches) {
	fs.IntVar(&s.MissingStatus, "missing-status", 400, "HTTP `status` for a missing key set: 400 or 404")
	fs.StringVar(&s.OctSpelling, "oct-spelling", "oct", "`kty` of symmetric keys in answers: oct or OCT")
	fs.BoolVar(&s.NumbersAsStrings, "numbers-as-strings", false, "send nbf and exp as strings")
	fs.BoolVar(&s.ListWithoutKeys, "list-without-keys", false, "leave keys out of the listing")
	fs.BoolVar(&s.ListRefused, "list-refused", false, "answer 403 to the listing")
	fs.IntVar(&s.PageSize, "page-size", 0, "`number` of key sets on a page of the listing; 0 means all")
	fs.StringVar(&s.NextLinkHost, "next-link-host", "", "`host` that nextLinks name instead of the one asked")
	fs.BoolVar(&s.OverlapRefused, "overlap-refused", false, "answer AADB2C95053 to writes that overlap on one key set")
	fs.BoolVar(&s.NoBackupOfEmpty, "no-backup-of-empty", false, "leave no .bak of an empty key set")
	fs.BoolVar(&s.FillNbf, "fill-nbf", false, "fill an omitted nbf with the current time")
	fs.BoolVar(&s.StatusInListing, "status-in-listing", false, "show the status of keys in key sets, not only in keys_v2")
	fs.BoolVar(&s.DisabledAtFirst, "disabled-at-first", false, "let keys that are made start as disabled")
	fs.BoolVar(&s.WrappedKeyV2, "wrapped-key-v2", false, "wrap the answer of keys_v2/{kid} in value")
	fs.BoolVar(&s.NoKeysV2, "no-keys-v2", false, "answer keys_v2 as an unknown segment")
	fs.BoolVar(&s.KeysV2Unlistable, "keys-v2-unlistable", false, "refuse GET of keys_v2, but not of keys_v2/{kid}")
	fs.BoolVar(&s.BothUsagesSign, "both-usages-sign", false, "take a certificate with both key usages for signing, not encryption")
	fs.BoolVar(&s.NoUsageSigns, "no-usage-signs", false, "take a certificate without key usage for signing")
	fs.BoolVar(&s.CertificateDates, "certificate-dates", false, "fill nbf and exp of a certificate's key with its dates")
	fs.BoolVar(&s.ModernPKCS12, "modern-pkcs12", false, "take PKCS#12 files encrypted with AES or with a MAC of SHA-2")
	fs.BoolVar(&s.DuplicateKeys, "duplicate-keys", false, "append a certificate that the key set has already")
	fs.BoolVar(&s.UploadSecretProblem, "upload-secret-problem", false, "answer AADB2C90063 to the first uploadSecret to each key set")
	fs.StringVar(&s.TokenEndpointOrigin, "token-endpoint-origin", "", "`origin` that OpenID documents name for the token endpoint instead of the one asked")
	fs.BoolVar(&s.OpaqueTokens, "opaque-tokens", false, "hand out access tokens that can't be parsed")
}
