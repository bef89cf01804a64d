// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Op names what a request asks for. A path that the emulator doesn't know has
// none.
type Op string

// The operations that requests are sorted into.
const (
	OpList              Op = "list"
	OpCreate            Op = "create"
	OpGet               Op = "get"
	OpDelete            Op = "delete"
	OpGenerateKey       Op = "generateKey"
	OpUploadSecret      Op = "uploadSecret"
	OpUploadCertificate Op = "uploadCertificate"
	OpUploadPKCS12      Op = "uploadPkcs12"
	OpGetActiveKey      Op = "getActiveKey"
	OpListKeys          Op = "listKeys" // GET keys_v2
	OpGetKey            Op = "getKey"   // GET keys_v2/{kid}
	OpPatchKey          Op = "patchKey" // PATCH keys_v2/{kid}
	OpToken             Op = "token"
	OpDiscovery         Op = "discovery"
)

func (o Op) known() bool {
	switch o {
	case "", OpList, OpCreate, OpGet, OpDelete, OpGenerateKey, OpUploadSecret, OpUploadCertificate, OpUploadPKCS12, OpGetActiveKey,
		OpListKeys, OpGetKey, OpPatchKey, OpToken, OpDiscovery:
		return true
	}
	return false
}

// Entry is one request in the journal. It holds no secret: no authorization
// header, no body, and of the query only what the emulator itself understands.
type Entry struct {
	// Seq is the order of arrival, over all tenants of the server.
	Seq int `json:"seq"`
	// Done is drawn from the same counter when the answer is ready: two
	// requests overlapped if each Seq is less than the other's Done.
	Done int `json:"done"`
	// Time is the arrival on the emulator's clock.
	Time time.Time `json:"time"`
	// Tenant is the tenant's GUID, empty where none could be told.
	Tenant string `json:"tenant,omitempty"`
	Method string `json:"method"`
	// Path is the path as it was sent, percent-encoding and case included.
	Path string `json:"path"`
	// Query is the query with the values of foreign parameters left out.
	Query string `json:"query,omitempty"`
	Op    Op     `json:"op,omitempty"`
	// KeySet is the set that the path or the body of a create names, in the
	// service's spelling.
	KeySet string `json:"keySet,omitempty"`
	// Kid is the key that a path below keys_v2 names.
	Kid string `json:"kid,omitempty"`
	// Status is the HTTP status, and 0 if the connection was cut or the client
	// left before the answer.
	Status int `json:"status"`
	// Committed says whether the request changed what the tenant holds.
	Committed bool `json:"committed"`
	// Fault is the name of the fault that the request ran into.
	Fault           string `json:"fault,omitempty"`
	RequestID       string `json:"requestId"`
	ClientRequestID string `json:"clientRequestId,omitempty"`
	UserAgent       string `json:"userAgent,omitempty"`
	ContentEncoding string `json:"contentEncoding,omitempty"`
}

// Write reports whether the request was a POST, PUT, PATCH or DELETE to Graph.
func (e Entry) Write() bool {
	switch e.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return !isEntraPath(e.Path)
	}
	return false
}

// Overlaps reports whether the two requests were under way at the same time.
func (e Entry) Overlaps(other Entry) bool {
	return e.Seq < other.Done && other.Seq < e.Done
}

// journal is the entries of one tenant, or those of none.
type journal struct {
	mu      sync.Mutex
	entries []Entry
}

func (j *journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
}

func (j *journal) list() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := slices.Clone(j.entries)
	sortEntries(out)
	return out
}

func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = nil
}

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return a.Seq - b.Seq })
}

// redactQuery keeps the names of all parameters, but only the values of those
// the emulator reads: a client that puts a secret into an address by mistake
// must not find it in a log.
func redactQuery(raw string) string {
	if raw == "" {
		return ""
	}
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		name, _, ok := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		switch {
		case !ok && err == nil && strings.HasPrefix(plain, "$"):
		case err == nil && (strings.HasPrefix(plain, "$") || plain == "api-version"):
		case ok:
			parts[i] = name + "=REDACTED"
		default:
			parts[i] = "REDACTED"
		}
	}
	return strings.Join(parts, "&")
}
