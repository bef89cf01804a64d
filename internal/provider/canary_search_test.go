// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// leak is a secret where it doesn't belong. It doesn't repeat it.
type leak struct {
	place, secret, spelling string
}

// needle is a spelling of a piece of a secret.
type needle struct {
	secret, spelling string
	text             []byte
}

// keySize is how many bytes of a needle it is indexed by. No needle is shorter.
const keySize = 8

// searchStep is how much of a file is read at once, in bytes.
const searchStep = 1 << 16

// searcher looks for all needles in one pass: logs are long, and needles thousands.
type searcher struct {
	byKey map[uint64][]needle
	// maybe has a bit for the hash of each key, since a look into the map for each byte would take long.
	maybe   []bool
	longest int
}

func hashOf(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> 44 }

func newSearcher(secrets []canary) *searcher {
	s := &searcher{byKey: map[uint64][]needle{}, maybe: make([]bool, 1<<20)}
	for _, secret := range secrets {
		for _, piece := range secret.pieces {
			for spelling, text := range canarySpellings(piece) {
				key := binary.BigEndian.Uint64(text)
				s.byKey[key] = append(s.byKey[key], needle{secret.name, spelling, text})
				s.maybe[hashOf(key)] = true
				s.longest = max(s.longest, len(text))
			}
		}
	}
	return s
}

// in reads a place to its end and adds what it finds, each once.
func (s *searcher) in(place string, from io.Reader, found map[leak]bool) error {
	buffer := make([]byte, 0, s.longest+searchStep)
	for {
		n, err := io.ReadFull(from, buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return fmt.Errorf("read %s: %w", place, err)
		}
		s.inText(place, buffer, found)
		if end {
			return nil
		}
		// What begins in the rest may go on in what follows.
		rest := copy(buffer[:s.longest], buffer[len(buffer)-s.longest:])
		buffer = buffer[:rest]
	}
}

func (s *searcher) inText(place string, text []byte, found map[leak]bool) {
	var key uint64
	for i, b := range text {
		key = key<<8 | uint64(b)
		if i < keySize-1 || !s.maybe[hashOf(key)] {
			continue
		}
		for _, n := range s.byKey[key] {
			if bytes.HasPrefix(text[i-keySize+1:], n.text) {
				found[leak{place, n.secret, n.spelling}] = true
			}
		}
	}
}

// tree looks into every file of a folder, and into every member of those that are archives, as a saved plan is.
func (s *searcher) tree(t *testing.T, root string) map[leak]bool {
	t.Helper()
	found := map[leak]bool{}
	eachPlace(t, root, func(place string, from io.Reader) {
		if err := s.in(place, from, found); err != nil {
			t.Error(err)
		}
	})
	return found
}

// eachPlace opens everything in a folder that can hold text.
func eachPlace(t *testing.T, root string, do func(place string, from io.Reader)) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	for _, path := range files {
		err = errors.Join(err, eachPlaceIn(root, path, do))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// eachPlaceIn opens a file, and its members if it is an archive. Names are places too.
func eachPlaceIn(root, path string, do func(place string, from io.Reader)) error {
	place, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	do("name of "+place, strings.NewReader(place))
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	do(place, file)
	if err := file.Close(); err != nil {
		return err
	}
	archive, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, member := range archive.File {
		opened, err := member.Open()
		if err != nil {
			return errors.Join(err, archive.Close())
		}
		do(place+"!"+member.Name, opened)
		if err := opened.Close(); err != nil {
			return errors.Join(err, archive.Close())
		}
	}
	return archive.Close()
}
