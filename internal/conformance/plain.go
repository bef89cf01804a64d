// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxExcerpt is how much of a body a report shows, in characters.
const maxExcerpt = 240

var (
	guids   = regexp.MustCompile(`(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	domains = regexp.MustCompile(`(?i)\b[a-z0-9-]+\.onmicrosoft\.com\b`)
	dates   = regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?|\b\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d( [AP]M)?`)
	epochs  = regexp.MustCompile(`\b\d{10,}`)
	blobs   = regexp.MustCompile(`[A-Za-z0-9_-]{40,}`)
	digits  = regexp.MustCompile(`^\s*\d+\s*$`)
	skips   = regexp.MustCompile(`[?&](\$|%24)?([A-Za-z]+)=[^&"]*`)
)

// plain makes a text fit for a report, and equal for equal answers of two
// tenants: without secrets, tenants, ids and the random part of names, and with
// times as distances from now.
func (s *service) plain(text string) string {
	now := s.now()
	s.mu.Lock()
	secrets := slices.Clone(s.secrets)
	s.mu.Unlock()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "<secret>")
		}
	}
	for _, origin := range []string{s.graph, s.authority} {
		text = strings.ReplaceAll(text, origin, "{service}")
	}
	for _, known := range []struct{ text, as string }{
		{s.prefix, servicePrefix + "…"}, {strings.TrimPrefix(s.prefix, servicePrefix), "…"},
		{s.tenantID, "<tenant>"}, {s.clientID, "<client>"},
	} {
		text = replaceFold(text, known.text, known.as)
	}
	text = domains.ReplaceAllString(text, "<tenant>")
	text = guids.ReplaceAllString(text, "<guid>")
	text = dates.ReplaceAllString(text, "<date>")
	text = blobs.ReplaceAllStringFunc(text, func(blob string) string {
		return fmt.Sprintf("<%d characters>", len(blob))
	})
	return epochs.ReplaceAllStringFunc(text, func(digits string) string {
		n, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case err == nil && len(digits) == 10:
			return distance(n - now)
		case err == nil && len(digits) == 13:
			return distance(n/1000-now) + " in milliseconds"
		}
		return digits
	})
}

// distance is a time relative to now, coarse enough to be the same for two
// tenants that were asked one after the other.
func distance(seconds int64) string {
	const coarse = 20
	switch minutes := (seconds + 30*sign(seconds)) / 60; {
	case seconds > -coarse && seconds < coarse:
		return "now"
	case minutes == 0:
		return fmt.Sprintf("now%+ds", seconds/coarse*coarse)
	case minutes%(24*60) == 0:
		return fmt.Sprintf("now%+dd", minutes/(24*60))
	case minutes%60 == 0:
		return fmt.Sprintf("now%+dh", minutes/60)
	default:
		return fmt.Sprintf("now%+dm", minutes)
	}
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

func replaceFold(text, old, as string) string {
	if old == "" {
		return text
	}
	return regexp.MustCompile(`(?i)`+regexp.QuoteMeta(old)).ReplaceAllLiteralString(text, as)
}

// excerpt is the beginning of a body. It is withheld if it names a key set that
// this run hasn't made, and a private member's value is always.
func (s *service) excerpt(a answer) string {
	switch {
	case len(a.body) == 0:
		return ""
	case a.object() == nil && a.ok():
		return fmt.Sprintf("(%s of %s)", counted(len(a.body), "byte"), cmp.Or(a.header.Get("Content-Type"), "no type"))
	case a.object() == nil: // a page of somebody in between
		return cut(s.plain(strings.Join(strings.Fields(strings.ToValidUTF8(string(a.body), "")), " ")))
	}
	if sets, ok := a.list("value"); ok && (len(sets) == 0 || sets[0]["kid"] == nil) {
		return "(a listing)"
	}
	body, ours := s.guarded(a.object())
	if !ours {
		return "(names of other key sets)"
	}
	return cut(s.plain(compact(body)))
}

// guarded returns a copy of a JSON value without private material, and whether
// all key sets in it are this run's.
func (s *service) guarded(v any) (any, bool) {
	ours := true
	switch v := v.(type) {
	case object:
		out := object{}
		for name, member := range v {
			inner, ok := s.guarded(member)
			written, isText := member.(string)
			switch {
			case member != nil && slices.Contains(privateMembers(), name):
				inner = "<private>"
			case strings.HasSuffix(name, "nextLink") && isText:
				inner = strings.Join(parameters(written), "&")
			case name == "id" && isText && !s.owns(written):
				// The id of an answer in a batch is a number that this run chose.
				_, err := strconv.Atoi(written)
				ok = err == nil
			}
			out[name], ours = inner, ours && ok
		}
		return out, ours
	case []any:
		out := []any{}
		for _, element := range v {
			inner, ok := s.guarded(element)
			out, ours = append(out, inner), ours && ok
		}
		return out, ours
	}
	return v, true
}

// parameters are the names of the query parameters in a link: their values can
// hold anything.
func parameters(link string) []string {
	names := []string{}
	for _, m := range skips.FindAllStringSubmatch(link, -1) {
		names = append(names, "$"+m[2])
	}
	return names
}

// compact writes a value as JSON with its members sorted.
func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt]) + "…"
	}
	return text
}
