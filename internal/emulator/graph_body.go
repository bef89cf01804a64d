// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody bounds a request's body, packed and unpacked. The service's own
// bound for trustFramework is unknown; a key set needs a few kilobytes.
const maxBody = 1 << 20

var (
	errBadJSON   = errors.New("malformed JSON object")
	errDuplicate = errors.New("duplicate member")
)

func tooLarge() *graphError {
	return &graphError{status: http.StatusRequestEntityTooLarge, code: codeBadRequest, message: "The request body is too large."}
}

func unsupportedMedia(what string) *graphError {
	return &graphError{status: http.StatusUnsupportedMediaType, code: codeBadRequest, message: "Unsupported " + what + "."}
}

// readBody reads the body before anything else is done, so that a cut
// connection or a fault never leaves half a request behind. What is wrong with
// it is answered later, after the token was checked.
func (x *exchange) readBody() {
	control := http.NewResponseController(x.w)
	// Deadlines of sockets are in real time. Errors mean that there is no
	// deadline to set, which leaves the client to itself.
	_ = control.SetReadDeadline(wallClock{}.Now().Add(bodyTimeout))
	raw, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxBody))
	_ = control.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		x.bodyProblem = tooLarge()
		return
	case err != nil:
		x.bodyProblem = refuse(codeBadRequest, "The request body can't be read.")
		return
	}
	switch strings.ToLower(x.entry.ContentEncoding) {
	case "", "identity":
		x.body = raw
	case "gzip":
		x.body, x.bodyProblem = gunzip(raw)
	default:
		x.bodyProblem = unsupportedMedia("content encoding")
	}
}

// gunzip unpacks up to the bound, however large the rest claims to be.
func gunzip(raw []byte) ([]byte, *graphError) {
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, refuse(codeBadRequest, "The request body is not gzip.")
	}
	plain, err := io.ReadAll(io.LimitReader(zr, maxBody+1))
	switch {
	case err != nil:
		return nil, refuse(codeBadRequest, "The request body is not gzip.")
	case len(plain) > maxBody:
		return nil, tooLarge()
	}
	return plain, nil
}

// members returns the members of the JSON object in the body.
func (x *exchange) members() (map[string]json.RawMessage, *graphError) {
	if x.bodyProblem != nil {
		return nil, x.bodyProblem
	}
	media, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, unsupportedMedia("content type")
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return nil, unsupportedMedia("charset")
	}
	if len(bytes.TrimSpace(x.body)) == 0 {
		return nil, refuse(codeBadRequest, "Empty Payload. JSON content expected.")
	}
	m, err := decodeObject(x.body)
	if err != nil {
		return nil, refuse(codeBadRequest, "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return m, nil
}

// decodeObject reads one JSON object and nothing after it. It forgives a comma
// before a closing bracket, as the back end does (observed), and nothing else:
// a duplicate member is an error.
func decodeObject(raw []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(raw) {
		return nil, errBadJSON
	}
	dec := json.NewDecoder(bytes.NewReader(dropTrailingCommas(raw)))
	start, err := dec.Token()
	if err != nil || start != json.Delim('{') {
		return nil, errBadJSON
	}
	m := map[string]json.RawMessage{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, errBadJSON
		}
		name, ok := token.(string)
		if !ok {
			return nil, errBadJSON
		}
		if _, ok := m[name]; ok {
			return nil, fmt.Errorf("%q: %w", name, errDuplicate)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errBadJSON
		}
		m[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errBadJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errBadJSON
	}
	return m, nil
}

// dropTrailingCommas blanks each comma that stands after a value and before a
// closing bracket, outside of strings.
func dropTrailingCommas(raw []byte) []byte {
	out := bytes.Clone(raw)
	quoted, comma := false, -1 // comma is the index of one that nothing followed yet
	var last byte = '['        // the last byte that isn't space
	for i := 0; i < len(out); i++ {
		b := out[i]
		switch {
		case quoted && b == '\\':
			i++
			continue
		case quoted:
			quoted = b != '"'
			last = b
			continue
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
			continue
		case b == ',' && last != ',' && last != '{' && last != '[':
			comma = i
		case (b == '}' || b == ']') && comma >= 0:
			out[comma] = ' '
			comma = -1
		default:
			comma = -1
		}
		quoted = b == '"'
		last = b
	}
	return out
}

func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// jsonInteger reads a JSON number that is written as an integer. Strings,
// fractions and exponents aren't: whether the service takes them is unknown.
func jsonInteger(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}

func jsonString(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}
