// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"fmt"
	"net/http"

	"software.sslmate.com/src/go-pkcs12"
)

func checkSecret(ctx context.Context, s *session) error {
	n, err := s.make(ctx, "")
	if err != nil {
		return err
	}
	at := s.now()
	nbf, exp := at-hour, at+365*day
	a, err := s.upload(ctx, n, uploadSecret, object{"use": "sig", "k": s.newSecret(), "nbf": nbf, "exp": exp}, "with dates")
	if err != nil {
		return err
	}
	return s.readsTheSame(ctx, n, a, "oct", nbf, exp)
}

func checkCertificate(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", rsaSig)
	if err != nil {
		return err
	}
	c, err := s.signing()
	if err != nil {
		return err
	}
	a, err := s.upload(ctx, n, uploadCertificate, object{"key": c.base64()}, "for signatures")
	if err != nil {
		return err
	}
	return s.appended(ctx, n, a, made[0])
}

func checkPKCS12(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", rsaSig)
	if err != nil {
		return err
	}
	a, err := s.uploadFile(ctx, n, pkcs12.LegacyDES, "")
	if err != nil {
		return err
	}
	return s.appended(ctx, n, a, made[0])
}

// uploadFile uploads a new certificate for signatures with its key. What is
// added to the password makes it wrong.
func (s *session) uploadFile(ctx context.Context, n setName, e *pkcs12.Encoder, added string) (answer, error) {
	c, err := s.signing()
	if err != nil {
		return answer{}, err
	}
	password := s.newSecret()
	file, err := c.pkcs12(e, password)
	if err != nil {
		return answer{}, err
	}
	return s.upload(ctx, n, uploadPKCS12, object{"key": file, "password": password + added}, "encrypted with 3DES")
}

// appended wants a bare key without private members, which is in the set
// besides an earlier one.
func (s *session) appended(ctx context.Context, n setName, a answer, earlier string) error {
	if err := a.want(http.StatusOK); err != nil {
		return err
	}
	kid, err := readKey(a.object())
	if err != nil {
		return fmt.Errorf("%s: %w", a.request, err)
	}
	a, err = s.until(ctx, n.path(""), hasKid(kid))
	if err != nil {
		return err
	}
	keys, _ := a.list("keys")
	for _, key := range keys {
		if _, err := readKey(key); err != nil {
			return fmt.Errorf("%s: %w", a.request, err)
		}
	}
	return hasKid(earlier)(a)
}

func checkPassword(ctx context.Context, s *session) error {
	n, err := s.make(ctx, "")
	if err != nil {
		return err
	}
	a, err := s.uploadFile(ctx, n, pkcs12.LegacyDES, "x")
	if err != nil {
		return err
	}
	return a.refused(codeNotOpened)
}

func checkMixedCertificate(ctx context.Context, s *session) error {
	n, _, err := s.keySet(ctx, "", `{"use":"enc","kty":"RSA"}`)
	if err != nil {
		return err
	}
	c, err := s.signing()
	if err != nil {
		return err
	}
	a, err := s.upload(ctx, n, uploadCertificate, object{"key": c.base64()}, "for signatures")
	if err != nil {
		return err
	}
	return a.refused(codeBadFormat)
}
