// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// The marks that a check can have: nothing less sure is a check.
const (
	documented = "documented"
	observed   = "observed"
)

// check is a behavior that the provider counts on.
type check struct {
	label string // in the names of its key sets
	says  string
	mark  string
	run   func(context.Context, *session) error
}

func checks() []check {
	return []check{
		{"signin", "client credentials get a bearer token", documented, checkSignIn},
		{"document", "the OpenID document has the tenant's GUID and the token endpoint", documented, checkDocument},
		{"notoken", "a request without a token is a 401 InvalidAuthenticationToken", observed, checkNoToken},
		{"create", "a create puts B2C_1A_ before the name, and answers 201 with the key set and its Location", documented, checkCreate},
		{"prefixed", "a prefix that is there is not doubled", observed, checkPrefixed},
		{"twice", "a name that exists is refused with AADB2C95028", observed, checkTwice},
		{"missing", "a missing key set is AADB2C90073 as 400 or 404, with a message and a request id", observed, checkMissing},
		{"odatatype", "@odata.type in a create is refused with AADB2C", observed, checkODataType},
		{"genrsa", "generateKey returns a bare RSA key with kid, n, e and its dates, without private members, and it reads the same", documented, checkGenerate(`"RSA"`)},
		{"genoct", "generateKey returns a bare symmetric key with kid and its dates, without its value, and it reads the same", documented, checkGenerate(`"oct"`)},
		{"append", "generateKey appends: earlier keys stay", documented, checkAppend},
		{"listing", "the listing has a key set with its keys", documented, checkListing},
		{"quoted", "a key set is addressed as keySets('id') too", documented, checkQuoted},
		{"case", "a path is compared without case", observed, checkCase},
		{"gzip", "a body packed with gzip is read", documented, checkGzip},
		{"mixuse", "a key of another use is refused with AADB2C95042", documented, checkMix(`{"use":"enc","kty":"oct"}`, codeMixedUse)},
		{"mixkty", "a key of another kty is refused with AADB2C95032 or 90089", observed, checkMix(`{"use":"sig","kty":"RSA"}`, codeMixedKty, codeMixedKtyOld)},
		{"expired", "an exp in the past is refused", documented, checkExpired},
		{"secret", "uploadSecret returns a bare symmetric key with kid and its dates, without its value, and it reads the same", documented, checkSecret},
		{"certificate", "uploadCertificate appends: it returns a bare key with kid, without private members, and earlier keys stay", documented, checkCertificate},
		{"pkcs12", "uploadPkcs12 appends: it returns a bare key with kid, without private members, and earlier keys stay", documented, checkPKCS12},
		{"password", "a PKCS#12 file with another password is refused with AADB2C90213", observed, checkPassword},
		{"mixcert", "a certificate of another use is refused with AADB2C90215", observed, checkMixedCertificate},
		{"active", "getActiveKey is the newest nbf that has passed, then undated keys; bare, with and without parentheses", documented, checkActive},
		{"keysv2", "keys_v2 lists the keys with their status, and has each by its kid", documented, checkKeysV2},
		{"status", "PATCH keys_v2 disables and enables a key, and getActiveKey follows", documented, checkStatus},
		{"delete", "DELETE is a 204, and the key set is gone", documented, checkDelete},
		{"backup", "DELETE leaves a copy named .bak, which is listed and can be deleted", observed, checkBackup},
	}
}

const (
	octSig = `{"use":"sig","kty":"oct"}`
	rsaSig = `{"use":"sig","kty":"RSA"}`
)

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// dated is octSig with dates.
func dated(nbf, exp int64) string {
	return fmt.Sprintf(`{"use":"sig","kty":"oct","nbf":%d,"exp":%d}`, nbf, exp)
}

func begun(nbf int64) string { return fmt.Sprintf(`{"use":"sig","kty":"oct","nbf":%d}`, nbf) }

func checkSignIn(ctx context.Context, s *session) error {
	a, err := s.askToken(ctx)
	if err != nil {
		return err
	}
	if err := a.want(http.StatusOK); err != nil {
		return err
	}
	token := a.text("access_token")
	s.hide(token)
	life, ok := number(a.object()["expires_in"])
	if token == "" || !strings.EqualFold(a.text("token_type"), "Bearer") || !ok || life <= 0 {
		return fmt.Errorf("%s: token_type %q, expires_in %d, and a token of %d characters", a.request, a.text("token_type"), life, len(token))
	}
	return nil
}

func checkDocument(ctx context.Context, s *session) error {
	a, err := s.document(ctx)
	if err != nil {
		return err
	}
	if err := a.want(http.StatusOK); err != nil {
		return err
	}
	if !guids.MatchString(a.text("issuer")) || !strings.HasPrefix(a.text("token_endpoint"), "https://") {
		return fmt.Errorf("%s: issuer %q, token_endpoint %q", a.request, a.text("issuer"), a.text("token_endpoint"))
	}
	return nil
}

func checkNoToken(ctx context.Context, s *session) error {
	a, err := s.getOpen(ctx, "keySets")
	if err != nil {
		return err
	}
	if a.status != http.StatusUnauthorized || a.code() != "InvalidAuthenticationToken" {
		return a.unexpected()
	}
	return nil
}

func checkCreate(ctx context.Context, s *session) error {
	n := s.set("")
	a, err := s.create(ctx, n.unprefixed(), "", nil)
	if err != nil {
		return err
	}
	return created(ctx, s, n, a)
}

func checkPrefixed(ctx context.Context, s *session) error {
	n := s.set("")
	a, err := s.create(ctx, n, "", nil)
	if err != nil {
		return err
	}
	return created(ctx, s, n, a)
}

// created wants the documented answer to a create, and the key set itself.
func created(ctx context.Context, s *session, n setName, a answer) error {
	if err := a.want(http.StatusCreated); err != nil {
		return err
	}
	if keys, ok := a.list("keys"); a.text("id") != n.id || !ok || len(keys) != 0 {
		return fmt.Errorf("%s: id %q, %d keys, in members %v", a.request, a.text("id"), len(keys), members(a.object()))
	}
	if location := a.header.Get("Location"); !strings.Contains(location, n.id) {
		return fmt.Errorf("%s: Location %q", a.request, location)
	}
	_, err := s.until(ctx, n.path(""), func(a answer) error {
		if a.text("id") != n.id {
			return a.unexpected()
		}
		return a.want(http.StatusOK)
	})
	return err
}

func checkTwice(ctx context.Context, s *session) error {
	n, err := s.make(ctx, "")
	if err != nil {
		return err
	}
	a, err := s.create(ctx, n, "", nil)
	if err != nil {
		return err
	}
	return a.refused(codeExists)
}

func checkMissing(ctx context.Context, s *session) error {
	a, err := s.get(ctx, s.set("").path(""))
	if err != nil {
		return err
	}
	_, message := a.failure()
	if !a.gone() || message == "" || a.header.Get("request-id") == "" {
		return fmt.Errorf("%w, with request id %t", a.unexpected(), a.header.Get("request-id") != "")
	}
	return nil
}

func checkODataType(ctx context.Context, s *session) error {
	a, err := s.create(ctx, s.set(""), `,"@odata.type":"#microsoft.graph.trustFrameworkKeySet"`, nil)
	if err != nil {
		return err
	}
	return a.refused(codeInvalid)
}

func checkGenerate(kty string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		n, err := s.make(ctx, "")
		if err != nil {
			return err
		}
		at := s.now()
		nbf, exp := at-hour, at+365*day
		a, err := s.generate(ctx, n, fmt.Sprintf(`{"use":"sig","kty":%s,"nbf":%d,"exp":%d}`, kty, nbf, exp))
		if err != nil {
			return err
		}
		return s.readsTheSame(ctx, n, a, strings.Trim(kty, `"`), nbf, exp)
	}
}

// readsTheSame wants a bare key for signing in the answer that made it, and the
// same in its key set, which has no other.
func (s *session) readsTheSame(ctx context.Context, n setName, a answer, kty string, nbf, exp int64) error {
	if err := a.want(http.StatusOK); err != nil {
		return err
	}
	key := a.object()
	kid, err := readKey(key)
	if err != nil {
		return fmt.Errorf("%s: %w", a.request, err)
	}
	if err := isKey(key, kty, nbf, exp); err != nil {
		return fmt.Errorf("%s: %w", a.request, err)
	}
	a, err = s.until(ctx, n.path(""), hasKid(kid))
	if err != nil {
		return err
	}
	keys, _ := a.list("keys")
	if _, err := readKey(keys[0]); err != nil {
		return fmt.Errorf("%s: %w", a.request, err)
	}
	for _, name := range []string{"n", "e"} {
		if text(keys[0], name) != text(key, name) {
			return fmt.Errorf("%s: another %s than the answer that made it", a.request, name)
		}
	}
	if err := isKey(keys[0], kty, nbf, exp); err != nil {
		return fmt.Errorf("%s: %w", a.request, err)
	}
	return nil
}

var base64url = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// isKey wants the public members of a key for signing.
func isKey(key object, kty string, nbf, exp int64) error {
	gotNbf, okNbf := number(key["nbf"])
	gotExp, okExp := number(key["exp"])
	switch {
	case !strings.EqualFold(text(key, "kty"), kty), text(key, "use") != "sig":
		return fmt.Errorf("kty %q, use %q", text(key, "kty"), text(key, "use"))
	case !okNbf || !okExp || gotNbf != nbf || gotExp != exp:
		return fmt.Errorf("nbf %v, exp %v, want %d and %d", key["nbf"], key["exp"], nbf, exp)
	case kty == "RSA" && (!base64url.MatchString(text(key, "n")) || !base64url.MatchString(text(key, "e"))):
		return fmt.Errorf("n and e are missing in %v", members(key))
	}
	return nil
}

func checkAppend(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", octSig, octSig)
	if err != nil {
		return err
	}
	_, err = s.until(ctx, n.path(""), hasKid(made[0]))
	return err
}

func checkListing(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", octSig)
	if err != nil {
		return err
	}
	return s.watch(ctx, func(ctx context.Context) error {
		set, err := s.listed(ctx, n)
		if err != nil {
			return err
		}
		keys, ok := list(set, "keys")
		if !ok || !slices.Equal(kids(keys), made) {
			return fmt.Errorf("the listing has the key set %t, with the members %v and %d keys", set != nil, members(set), len(keys))
		}
		_, err = readKey(keys[0])
		return err
	}).err
}

func checkQuoted(ctx context.Context, s *session) error {
	return addressed(ctx, s, func(n setName) string { return "keySets('" + n.id + "')" })
}

func checkCase(ctx context.Context, s *session) error {
	return addressed(ctx, s, func(n setName) string { return "/beta/trustframework/keySets/" + n.id })
}

// addressed wants a key set at another address.
func addressed(ctx context.Context, s *session, path func(setName) string) error {
	n, err := s.make(ctx, "")
	if err != nil {
		return err
	}
	_, err = s.until(ctx, path(n), func(a answer) error {
		if a.text("id") != n.id {
			return a.unexpected()
		}
		return a.want(http.StatusOK)
	})
	return err
}

func checkGzip(ctx context.Context, s *session) error {
	n := s.set("")
	a, err := s.create(ctx, n, "", http.Header{"Content-Encoding": {"gzip"}})
	if err != nil {
		return err
	}
	return created(ctx, s, n, a)
}
