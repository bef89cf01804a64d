// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// run serves until ctx ends. Standard output gets the environment and nothing
// else.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	logger := log.New(stderr, "", log.LstdFlags|log.LUTC)
	if o.verbose {
		o.server.ErrorLog = logger
		o.server.Observe = func(e emulator.Entry) { logEntry(logger, e) }
	}
	s, err := emulator.Start(o.server) //nolint:contextcheck // it ends with Close
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	t := s.NewTenant(o.tenant)
	t.SetLag(o.lag)

	caFile, removeCA, err := writeCA(o.caFile, s.CAPEM())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeCA()) }()
	env := environment(s, t, caFile)
	if o.printEnv {
		if _, err := io.WriteString(stdout, env); err != nil {
			return fmt.Errorf("print the environment: %w", err)
		}
	}
	logger.Printf("serving at %s, seed %d, tenant %s, CA %s", s.URL(), o.server.Seed, t.ID(), caFile)
	if s.ControlURL() != "" {
		logger.Printf("control plane at %s", s.ControlURL())
	}
	// Last, as scripts wait for it.
	if o.envFile != "" {
		if err := writeFile(o.envFile, []byte(env)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, removeFile(o.envFile, []byte(env))) }()
	}
	<-ctx.Done()
	return nil
}

// logEntry writes a request as one line. Paths, names and ids come from the
// client, and are quoted so that they can't forge a line.
func logEntry(l *log.Logger, e emulator.Entry) {
	l.Printf("%d %s %q -> %d op=%q keySet=%q kid=%q committed=%t fault=%q request-id=%q client-request-id=%q",
		e.Seq, e.Method, e.Path, e.Status, e.Op, e.KeySet, e.Kid, e.Committed, e.Fault, e.RequestID, e.ClientRequestID)
}
