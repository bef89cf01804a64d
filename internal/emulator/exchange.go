// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// answer is what goes back to the client. It is built whole before a byte of
// it is sent, so that the journal is right by the time a client can look.
type answer struct {
	status int
	header http.Header
	body   []byte
	// cut resets the connection, half sends half of the body and closes it, and
	// stall sends nothing until the client leaves.
	cut, half, stall bool
}

// exchange is one request on its way through the emulator.
type exchange struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	entry  Entry
	tenant *Tenant // nil until it is known
	lag    time.Duration
	at     time.Time // when work that is late is done; zero for the clock's time
	atEnd  []func()

	body        []byte
	bodyProblem *graphError
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r, entry: Entry{
		Seq:             s.nextSeq(),
		Time:            s.clock.Now().UTC(),
		Method:          r.Method,
		Path:            r.URL.EscapedPath(),
		Query:           redactQuery(r.URL.RawQuery),
		RequestID:       s.ids.guid(),
		ClientRequestID: r.Header.Get("client-request-id"),
		UserAgent:       r.UserAgent(),
		ContentEncoding: r.Header.Get("Content-Encoding"),
	}}
	x.finish(x.answer())
}

// answer routes the request. A panic below it is a bug of the emulator, and is
// told apart from a cut connection, which is how net/http would show it.
func (x *exchange) answer() (a answer) {
	defer func() {
		if p := recover(); p != nil {
			x.s.config.ErrorLog.Printf("bug: %v\n%s", p, debug.Stack())
			a = x.graphFailure(&graphError{
				status: http.StatusInternalServerError, code: "EmulatorBug",
				message: "This is a bug in the emulator, not in the client.",
			})
		}
	}()
	x.readBody()
	if isEntraPath(x.entry.Path) {
		return x.entra()
	}
	return x.graph()
}

// withFaults does the work, unless a fault says otherwise.
func (x *exchange) withFaults(work func(*exchange) answer) answer {
	f, ok := x.tenant.takeFault(x.entry.Op, x.entry.KeySet)
	if !ok {
		done := work(x)
		x.tenant.remember(x.entry.Op, done)
		return done
	}
	x.entry.Fault, x.lag = f.name(), f.Lag
	if !f.replacesAnswer() {
		return work(x)
	}
	var done answer
	switch {
	case f.Late > 0:
		x.tenant.doLater(x, work, f.Late)
	case f.Commit, f.Half, f.Rewrite != nil:
		done = work(x)
	}
	replayed, replays := x.tenant.earlier(x.entry.Op)
	switch {
	case f.Half && f.Late == 0:
		done.half = true
		return done
	case f.Stall:
		return answer{stall: true}
	case f.Cut:
		return answer{cut: true}
	case f.Rewrite != nil && f.Late == 0:
		done.status, done.body = cmp.Or(f.Status, done.status), f.Rewrite(done.body)
		return f.withHeader(done)
	case f.Replay && replays:
		return f.withHeader(replayed)
	case f.Replay && !f.Commit:
		return work(x)
	case f.Replay:
		return done
	}
	return f.withHeader(x.faultAnswer(f))
}

// withHeader gives an answer the fault's own headers.
func (f Fault) withHeader(a answer) answer {
	a.header = a.header.Clone()
	for name, value := range map[string]string{"Content-Type": f.ContentType, "Retry-After": f.RetryAfter, "Www-Authenticate": f.Challenge} {
		if value != "" {
			a.header.Set(name, value)
		}
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return a
}

// now is the time at which the work of this request is done.
func (x *exchange) now() time.Time {
	if x.at.IsZero() {
		return x.s.clock.Now()
	}
	return x.at
}

func (x *exchange) faultAnswer(f Fault) answer {
	status := f.Status
	switch {
	case status == 0:
		status = http.StatusOK
	case status < 200 || status > 599:
		status = http.StatusInternalServerError
	}
	var a answer
	switch {
	case f.Body != "" || status < 300:
		a = answer{status: status, header: x.graphHeader(), body: []byte(f.Body)}
	case isEntraPath(x.entry.Path):
		a = x.entraFailure(&entraError{status: status, name: f.Code, message: f.Message})
	default:
		a = x.graphFailure(&graphError{status: status, code: f.Code, message: f.Message})
	}
	return a
}

// finish waits for the latency, closes the journal entry and sends the answer.
func (x *exchange) finish(a answer) {
	if d := x.s.config.Latency; d > 0 {
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-x.r.Context().Done():
			timer.Stop()
		}
	}
	gone := x.r.Context().Err() != nil
	for _, f := range x.atEnd {
		f()
	}
	if !a.cut && !a.stall && !gone {
		x.entry.Status = a.status
	}
	x.entry.Done = x.s.nextSeq()
	into := &x.s.nobody
	if x.tenant != nil {
		x.entry.Tenant = x.tenant.id
		into = &x.tenant.journal
	}
	into.add(x.entry)
	if x.s.config.Observe != nil {
		x.s.config.Observe(x.entry)
	}
	switch {
	case a.cut:
		x.cut()
	case a.stall:
		<-x.r.Context().Done() // the client's end, or the server's
		panic(http.ErrAbortHandler)
	case gone:
		// To return would be to answer: net/http sends an empty 200 then.
		panic(http.ErrAbortHandler)
	default:
		x.send(a)
	}
}

func (x *exchange) send(a answer) {
	h := x.w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("Date", x.s.clock.Now().UTC().Format(http.TimeFormat))
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	x.w.WriteHeader(a.status)
	// Errors mean that the client has left, which is its own affair.
	if a.half {
		_, _ = x.w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(x.w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = x.w.Write(a.body)
}

// cut resets the TCP connection under the request.
func (x *exchange) cut() {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	reset(conn)
}

// origin is the server's origin by the name that the client uses for it.
func (x *exchange) origin() string {
	host, _, err := net.SplitHostPort(x.r.Host)
	if err != nil {
		host = strings.Trim(x.r.Host, "[]")
	}
	if x.s.names[canonicalName(host)] {
		return "https://" + x.r.Host
	}
	return x.s.url
}

// jsonAnswer encodes v without HTML escapes, as the service does.
func jsonAnswer(status int, header http.Header, v any) answer {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("encode an answer: %v", err))
	}
	return answer{status: status, header: header, body: b.Bytes()}
}
