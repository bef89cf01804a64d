// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package graph

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// errTooLong is the failure of an answer that is longer than any of the service's.
var errTooLong = errors.New("the answer is too long")

// errTooMuch is the failure of an answer that comes while others take up all the memory there is for answers.
var errTooMuch = errors.New("too much is being answered at a time")

// alwaysRead is how many bytes of each answer are read however many others are under way: those of a request that makes
// something are shorter, and must not be lost.
const alwaysRead = 64 << 10

// memory counts the bytes of all answers that are under way: read, and not closed yet.
type memory struct{ taken atomic.Int64 }

// read reads a body to its end. What it returns is taken, and must be freed. It returns nil with errTooLong and errTooMuch, and
// what was read with any other error.
func (m *memory) read(body io.Reader) ([]byte, error) {
	var read bytes.Buffer
	buffer := make([]byte, 8<<10)
	for {
		n, err := body.Read(buffer)
		var over error
		switch taken := m.taken.Add(int64(n)); {
		case read.Len()+n > maxAnswer:
			over = fmt.Errorf("%w: it has more than %d MB", errTooLong, maxAnswer>>20)
		case taken > maxUnderWay && read.Len()+n > alwaysRead:
			over = fmt.Errorf("%w: more than %d MB", errTooMuch, maxUnderWay>>20)
		}
		if over != nil {
			m.free(read.Len() + n)
			return nil, over
		}
		read.Write(buffer[:n])
		if err == io.EOF {
			return read.Bytes(), nil
		}
		if err != nil {
			return append([]byte{}, read.Bytes()...), err
		}
	}
}

func (m *memory) free(bytes int) { m.taken.Add(-int64(bytes)) }

// heldBody is an answer's body in memory, which is free once it is closed.
type heldBody struct {
	io.Reader
	content []byte
	free    func()
}

// Close implements io.Closer.
func (b *heldBody) Close() error {
	b.free()
	return nil
}
