// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// writeCA writes the CA certificate and returns its absolute path and what
// takes it away again. A file that was there before is only replaced if it is
// an emulator's CA, and then stays: a mistyped path must not cost a trust
// store.
func writeCA(path string, ca []byte) (file string, remove func() error, err error) {
	if path == "" {
		dir, err := os.MkdirTemp("", "graph-emulator-")
		if err != nil {
			return "", nil, fmt.Errorf("make a directory for the CA file: %w", err)
		}
		file = filepath.Join(dir, "ca.pem")
		remove = func() error { return os.RemoveAll(dir) }
		if err := writeFile(file, ca); err != nil {
			return "", nil, errors.Join(err, remove())
		}
		return file, remove, nil
	}
	if file, err = filepath.Abs(path); err != nil {
		return "", nil, fmt.Errorf("find the CA file: %w", err)
	}
	remove = func() error { return removeFile(file, ca) }
	old, err := os.ReadFile(file)
	switch {
	case err == nil && !isEmulatorCA(old):
		return "", nil, fmt.Errorf("CA file %s: exists, and is not an emulator's", file)
	case err == nil:
		remove = func() error { return nil }
	case !errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("look for the CA file: %w", err)
	}
	return file, remove, writeFile(file, ca)
}

func isEmulatorCA(raw []byte) bool {
	block, rest := pem.Decode(raw)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return len(raw) == 0
	}
	c, err := x509.ParseCertificate(block.Bytes)
	return err == nil && c.Subject.CommonName == emulator.AuthorityName
}

// writeFile makes a file that is complete as soon as it is there, and readable
// for its owner only (os.CreateTemp gives mode 0600).
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// removeFile removes a file unless somebody else has written it since.
func removeFile(path string, ours []byte) error {
	now, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at %s again: %w", path, err)
	}
	if !bytes.Equal(now, ours) {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove what was written: %w", err)
	}
	return nil
}
