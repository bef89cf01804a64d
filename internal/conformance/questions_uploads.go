// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// alone is for uploads that could get in each other's way: a key set for each.
// The others share one, which takes no more than five.
const (
	alone    = 1
	together = 5
)

// attempt is one upload.
type attempt struct {
	what string // as the report names it
	body object
}

// attempts sends each upload to a key set that takes so many of them, and
// observes the answers.
func (s *session) attempts(ctx context.Context, action string, each int, all []attempt, facts func(object) []string) error {
	var n setName
	for i, at := range all {
		var err error
		if i%each == 0 {
			if n, err = s.make(ctx, fmt.Sprint(i/each)); err != nil {
				return err
			}
		}
		a, err := s.upload(ctx, n, action, at.body, at.what)
		if err != nil {
			return err
		}
		if a.ok() && facts != nil {
			s.saw(a, facts(a.object())...)
		} else {
			s.sawKey(a)
		}
	}
	return nil
}

// certificateQuestions are about uploadCertificate.
func certificateQuestions() []question {
	return []question{
		{"certuse", "Which use has the key of a certificate, by its key usage?", askCertificateUse},
		{"certshape", "What does the key of a certificate look like: x5c, x5t, dates, kid?", func(ctx context.Context, s *session) error {
			c, err := s.signing()
			if err != nil {
				return err
			}
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			a, err := s.upload(ctx, n, uploadCertificate, object{"key": c.base64()}, "good from yesterday for a year")
			if err != nil {
				return err
			}
			about := func(key object) string { return strings.Join(s.ofCertificate(key, c), "; ") }
			if !a.ok() {
				s.saw(a)
				return nil
			}
			s.saw(a, about(a.object()))
			s.allow(ctx, n.path(""), hasKid(a.text("kid")))
			return s.sees(ctx, n.path(""), func(a answer) []string { return s.ofKeys(a, "keys", about) })
		}},
		{"certtwice", "What is answered to a certificate that a key set has already, or to another one of its key?", askDuplicates},
		{"certform", "What may be uploaded as a certificate?", askCertificateForms},
		{"certmix", "What is answered to a certificate in a key set of symmetric keys?", func(ctx context.Context, s *session) error {
			c, err := s.signing()
			if err != nil {
				return err
			}
			n, _, err := s.keySet(ctx, "", octSig)
			if err != nil {
				return err
			}
			a, err := s.upload(ctx, n, uploadCertificate, object{"key": c.base64()}, "for signatures")
			if err != nil {
				return err
			}
			s.sawKey(a)
			return nil
		}},
	}
}

// ofCertificate are facts about the key of a certificate.
func (s *session) ofCertificate(key object, c certified) []string {
	chain, _ := key["x5c"].([]any)
	first := ""
	if len(chain) > 0 {
		first, _ = chain[0].(string)
	}
	return []string{
		fmt.Sprintf("kty %s, use %s, nbf %s, exp %s", text(key, "kty"), text(key, "use"), s.date(key["nbf"]), s.date(key["exp"])),
		fmt.Sprintf("x5c of %d, ", len(chain)) + fact(first == c.base64(), "the certificate first", "not the certificate as it was sent"),
		fact(text(key, "x5t") == c.x5t(), "x5t is its SHA-1", fact(key["x5t"] == nil, "no x5t", "another x5t")),
		fact(text(key, "kid") == thumbprint(key), "kid is the thumbprint", fact(text(key, "kid") == c.x5t(), "kid is x5t", "kid is another")),
	}
}

func askCertificateUse(ctx context.Context, s *session) error {
	key, err := newRSA(rsaBits)
	if err != nil {
		return err
	}
	const both = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	var all []attempt
	for _, u := range []struct {
		what  string
		usage x509.KeyUsage
	}{
		{"digitalSignature", x509.KeyUsageDigitalSignature}, {"nonRepudiation", x509.KeyUsageContentCommitment},
		{"keyEncipherment", x509.KeyUsageKeyEncipherment}, {"dataEncipherment", x509.KeyUsageDataEncipherment},
		{"keyAgreement", x509.KeyUsageKeyAgreement}, {"digitalSignature and keyEncipherment", both},
		{"keyCertSign", x509.KeyUsageCertSign}, {"no key usage", 0},
	} {
		c, err := s.certificate(key, usage(u.usage))
		if err != nil {
			return err
		}
		all = append(all, attempt{u.what, object{"key": c.base64()}})
	}
	return s.attempts(ctx, uploadCertificate, alone, all, nil)
}

func askDuplicates(ctx context.Context, s *session) error {
	c, err := s.signing()
	if err != nil {
		return err
	}
	renewed, err := s.certificate(c.key, func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(time.Hour) })
	if err != nil {
		return err
	}
	n, err := s.make(ctx, "")
	if err != nil {
		return err
	}
	first := ""
	for _, sent := range []attempt{
		{"the first time", object{"key": c.base64()}}, {"the same again", object{"key": c.base64()}}, {"renewed with its key", object{"key": renewed.base64()}},
	} {
		a, err := s.upload(ctx, n, uploadCertificate, sent.body, sent.what)
		if err != nil {
			return err
		}
		if first == "" {
			first = a.text("kid")
			s.allow(ctx, n.path(""), hasKid(first))
		}
		s.saw(a, fact(!a.ok(), "no key", fact(a.text("kid") == first, "the first kid", "another kid")))
	}
	return s.sees(ctx, n.path(""), func(a answer) []string {
		keys, _ := a.list("keys")
		return []string{counted(len(keys), "key")}
	})
}

func askCertificateForms(ctx context.Context, s *session) error {
	c, err := s.signing()
	if err != nil {
		return err
	}
	curve, errCurve := newCurve()
	short, errShort := newRSA(1024)
	if err := errors.Join(errCurve, errShort); err != nil {
		return err
	}
	all := []attempt{
		{"base64 in lines", object{"key": c.base64()[:64] + "\n" + c.base64()[64:]}},
		{"PEM", object{"key": c.pem()}},
		{"not a certificate", object{"key": "AQID"}},
		{"with a use", object{"key": c.base64(), "use": "sig"}},
		{"with a null password", object{"key": c.base64(), "password": nil}},
		{"no key", object{}},
	}
	at := time.Unix(s.now(), 0)
	for _, made := range []struct {
		what string
		certified
		edit func(*x509.Certificate)
	}{
		{"elliptic curve", certified{key: curve}, nil},
		{"1024 bits", certified{key: short}, nil},
		{"over yesterday", c, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = at.Add(-48*time.Hour), at.Add(-24*time.Hour) }},
		{"begins tomorrow", c, func(c *x509.Certificate) { c.NotBefore = at.Add(24 * time.Hour) }},
	} {
		sent, err := s.certificate(made.key, made.edit)
		if err != nil {
			return err
		}
		all = append(all, attempt{made.what, object{"key": sent.base64()}})
	}
	return s.attempts(ctx, uploadCertificate, alone, all, nil)
}

// fileQuestions are about uploadPkcs12.
func fileQuestions() []question {
	return []question{
		{"pfxcipher", "How may a PKCS#12 file be encrypted?", func(ctx context.Context, s *session) error {
			c, err := s.signing()
			if err != nil {
				return err
			}
			password := s.newSecret()
			var all []attempt
			for _, e := range []struct {
				what    string
				encoder *pkcs12.Encoder
			}{
				{"3DES, SHA-1", pkcs12.LegacyDES}, {"RC2, SHA-1", pkcs12.LegacyRC2}, {"AES-256, SHA-256", pkcs12.Modern2023}, {"AES-256, PBMAC1", pkcs12.Modern2026},
			} {
				file, err := c.pkcs12(e.encoder, password)
				if err != nil {
					return err
				}
				all = append(all, attempt{e.what, object{"key": file, "password": password}})
			}
			return s.attempts(ctx, uploadPKCS12, alone, all, func(key object) []string { return s.ofCertificate(key, c) })
		}},
		{"pfxpassword", "What is answered to a wrong password, and to none?", func(ctx context.Context, s *session) error {
			c, err := s.signing()
			if err != nil {
				return err
			}
			password := s.newSecret()
			file, err := c.pkcs12(pkcs12.LegacyDES, password)
			if err != nil {
				return err
			}
			return s.attempts(ctx, uploadPKCS12, together, []attempt{
				{"a wrong password", object{"key": file, "password": password + "x"}}, {"an empty password", object{"key": file, "password": ""}},
				{"a blank password", object{"key": file, "password": " "}}, {"a null password", object{"key": file, "password": nil}},
				{"no password", object{"key": file}}, {"no file", object{"password": password}}, {"not a file", object{"key": "AQID", "password": password}},
			}, nil)
		}},
		{"pfxchain", "What may be in a PKCS#12 file, and does its chain come back?", askChain},
	}
}

func askChain(ctx context.Context, s *session) error {
	leaf, err := s.signing()
	if err != nil {
		return err
	}
	curve, err := newCurve()
	if err != nil {
		return err
	}
	authority, errAuthority := s.certificate(curve, usage(x509.KeyUsageCertSign))
	elliptic, errElliptic := s.certificate(curve, nil)
	password := s.newSecret()
	chain, errChain := leaf.pkcs12(pkcs12.LegacyDES, password, authority.Certificate)
	backwards, errBackwards := certified{authority.Certificate, leaf.key}.pkcs12(pkcs12.LegacyDES, password, leaf.Certificate)
	unlike, errUnlike := elliptic.pkcs12(pkcs12.LegacyDES, password)
	if err := errors.Join(errAuthority, errElliptic, errChain, errBackwards, errUnlike); err != nil {
		return err
	}
	return s.attempts(ctx, uploadPKCS12, alone, []attempt{
		{"with an authority", object{"key": chain, "password": password}},
		{"with the authority first", object{"key": backwards, "password": password}},
		{"elliptic curve", object{"key": unlike, "password": password}},
	}, func(key object) []string { return s.ofCertificate(key, leaf) })
}

// secretQuestions are about uploadSecret.
func secretQuestions() []question {
	return []question{
		{"secretform", "What may be uploaded as a secret?", func(ctx context.Context, s *session) error {
			k := s.newSecret()
			return s.attempts(ctx, uploadSecret, together, []attempt{
				{"43 characters", object{"use": "sig", "k": k}}, {"one character", object{"use": "sig", "k": "x"}},
				{"4096 characters", object{"use": "sig", "k": strings.Repeat("secret, ", 512)}},
				{"other letters", object{"use": "sig", "k": "ключ и секрет ☂"}},
				{"empty", object{"use": "sig", "k": ""}}, {"a space", object{"use": "sig", "k": " "}}, {"null", object{"use": "sig", "k": nil}}, {"none", object{"use": "sig"}},
				{"without use", object{"k": k}},
				{"kty OCT", object{"use": "sig", "k": k, "kty": "OCT"}}, {"kty RSA", object{"use": "sig", "k": k, "kty": "RSA"}},
				{"kty null", object{"use": "sig", "k": k, "kty": nil}}, {"an unknown member", object{"use": "sig", "k": k, "unknown": 1}},
			}, nil)
		}},
		{"secretagain", "What is answered to a secret that a key set has already?", func(ctx context.Context, s *session) error {
			n, err := s.make(ctx, "")
			if err != nil {
				return err
			}
			k := s.newSecret()
			for _, what := range []string{"the first time", "the same again"} {
				a, err := s.upload(ctx, n, uploadSecret, object{"use": "sig", "k": k}, what)
				if err != nil {
					return err
				}
				s.sawKey(a)
			}
			return s.sees(ctx, n.path(""), func(a answer) []string {
				keys, _ := a.list("keys")
				return []string{counted(len(keys), "key")}
			})
		}},
	}
}
