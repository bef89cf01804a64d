// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package trustframework

import (
	"context"
	"encoding/base64"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	sdk "github.com/microsoftgraph/msgraph-beta-sdk-go/trustframework"

	"github.com/trustframework/terraform-provider-trustframework/internal/redact"
)

// The operations that make a key, as Error.Op has them.
const (
	OpGenerateKey       = "generate key"
	OpUploadSecret      = "upload secret"
	OpUploadCertificate = "upload certificate"
	OpUploadPKCS12      = "upload PKCS#12 file"
)

// KeyInput is what a key is made from: GenerateKeyInput, UploadSecretInput, UploadCertificateInput or
// UploadPKCS12Input.
type KeyInput interface {
	// keySet is the name or id of an existing key set.
	keySet() string
	// Op names the request, as Error.Op does.
	Op() string
	post(ctx context.Context, set *sdk.KeySetsTrustFrameworkKeySetItemRequestBuilder, options []abs.RequestOption) error
	// teach makes secret what is sent and may be repeated nowhere.
	teach(secrets *redact.Secrets)
	// fits tells whether a key can be what came of requests that were worked on between two times.
	fits(k Key, from, to time.Time) bool
	// alike tells whether a key that may be much older is what a request would make once more. It is false where
	// keys can't be told from their neighbors.
	alike(k Key) bool
	// certificate is the one that makes the key (DER), of which a set needs one only; nil if it is made anew each time.
	certificate() []byte
	// contradicts reports whether an answer's key has other dates than those that were asked for. One that was left out, or that the
	// service fills in, contradicts nothing.
	contradicts(k Key) bool
	// complete puts in what is known of the key and the answer to the request left out.
	complete(k Key) Key
}

// GenerateKeyInput is what a key is generated from.
type GenerateKeyInput struct {
	// KeySetID is the name or id of an existing key set.
	KeySetID string
	// Use and Kty are values of Uses and KeyTypes.
	Use, Kty string
	// Nbf and Exp are NumericDates in seconds; nil for none.
	Nbf, Exp *int64
}

func (in GenerateKeyInput) keySet() string { return in.KeySetID }

func (GenerateKeyInput) Op() string { return OpGenerateKey }

func (in GenerateKeyInput) post(ctx context.Context, set *sdk.KeySetsTrustFrameworkKeySetItemRequestBuilder, options []abs.RequestOption) error {
	body := sdk.NewKeySetsItemGenerateKeyPostRequestBody()
	body.SetUse(&in.Use)
	body.SetKty(&in.Kty)
	body.SetNbf(in.Nbf)
	body.SetExp(in.Exp)
	_, err := set.GenerateKey().Post(ctx, body, &sdk.KeySetsItemGenerateKeyRequestBuilderPostRequestConfiguration{Options: options})
	return err
}

func (GenerateKeyInput) teach(*redact.Secrets) {}

func (in GenerateKeyInput) fits(k Key, from, to time.Time) bool {
	return k.Use == in.Use && k.Kty == in.Kty && datesFit(in.Nbf, in.Exp, k, from, to)
}

func (in GenerateKeyInput) alike(k Key) bool {
	return k.Use == in.Use && k.Kty == in.Kty && datesAlike(in.Nbf, in.Exp, k)
}

func (in GenerateKeyInput) contradicts(k Key) bool { return datesContradict(in.Nbf, in.Exp, k) }

func (GenerateKeyInput) certificate() []byte { return nil }

func (GenerateKeyInput) complete(k Key) Key { return k }

// UploadSecretInput is a secret to be uploaded as a symmetric key.
type UploadSecretInput struct {
	// KeySetID is the name or id of an existing key set.
	KeySetID string
	// Use is a value of Uses.
	Use string
	// Secret is plain text (documented for uploadSecret, where a JSON Web Key has base64url).
	Secret string
	// Nbf and Exp are NumericDates in seconds; nil for none.
	Nbf, Exp *int64
}

func (in UploadSecretInput) keySet() string { return in.KeySetID }

func (UploadSecretInput) Op() string { return OpUploadSecret }

func (in UploadSecretInput) post(ctx context.Context, set *sdk.KeySetsTrustFrameworkKeySetItemRequestBuilder, options []abs.RequestOption) error {
	body := sdk.NewKeySetsItemUploadSecretPostRequestBody()
	body.SetUse(&in.Use)
	body.SetK(&in.Secret)
	body.SetNbf(in.Nbf)
	body.SetExp(in.Exp)
	_, err := set.UploadSecret().Post(ctx, body, &sdk.KeySetsItemUploadSecretRequestBuilderPostRequestConfiguration{Options: options})
	return err
}

func (in UploadSecretInput) teach(secrets *redact.Secrets) { secrets.Add(in.Secret) }

func (in UploadSecretInput) fits(k Key, from, to time.Time) bool {
	return k.Use == in.Use && k.Kty == KtyOct && datesFit(in.Nbf, in.Exp, k, from, to)
}

func (in UploadSecretInput) alike(k Key) bool {
	return k.Use == in.Use && k.Kty == KtyOct && datesAlike(in.Nbf, in.Exp, k)
}

func (in UploadSecretInput) contradicts(k Key) bool { return datesContradict(in.Nbf, in.Exp, k) }

func (UploadSecretInput) certificate() []byte { return nil }

func (UploadSecretInput) complete(k Key) Key { return k }

// UploadCertificateInput is a certificate to be uploaded without a private key.
type UploadCertificateInput struct {
	// KeySetID is the name or id of an existing key set.
	KeySetID string
	// Certificate is an X.509 certificate of an RSA key, in DER.
	Certificate []byte
}

func (in UploadCertificateInput) keySet() string { return in.KeySetID }

func (UploadCertificateInput) Op() string { return OpUploadCertificate }

func (in UploadCertificateInput) post(ctx context.Context, set *sdk.KeySetsTrustFrameworkKeySetItemRequestBuilder, options []abs.RequestOption) error {
	body := sdk.NewKeySetsItemUploadCertificatePostRequestBody()
	key := base64.StdEncoding.EncodeToString(in.Certificate)
	body.SetKey(&key)
	_, err := set.UploadCertificate().Post(ctx, body, &sdk.KeySetsItemUploadCertificateRequestBuilderPostRequestConfiguration{Options: options})
	return err
}

func (UploadCertificateInput) teach(*redact.Secrets) {}

func (in UploadCertificateInput) fits(k Key, _, _ time.Time) bool { return k.mayBeOf(in.Certificate) }

func (in UploadCertificateInput) alike(k Key) bool { return k.isOf(in.Certificate) }

// The certificate has dates of its own.
func (UploadCertificateInput) contradicts(Key) bool { return false }

func (in UploadCertificateInput) certificate() []byte { return in.Certificate }

func (in UploadCertificateInput) complete(k Key) Key { return k.withPublicKeyOf(in.Certificate) }

// UploadPKCS12Input is a certificate to be uploaded with its private key.
type UploadPKCS12Input struct {
	// KeySetID is the name or id of an existing key set.
	KeySetID string
	// PKCS12 is the file, and Password what opens it.
	PKCS12   []byte
	Password string
	// Certificate is the one in the file that the private key belongs to, in DER. It isn't sent: it tells the key from
	// others.
	Certificate []byte
	// PrivateKey is the file's private key (PKCS#8, DER). It isn't sent either: the service has it, and may repeat it.
	PrivateKey []byte
}

func (in UploadPKCS12Input) keySet() string { return in.KeySetID }

func (UploadPKCS12Input) Op() string { return OpUploadPKCS12 }

func (in UploadPKCS12Input) post(ctx context.Context, set *sdk.KeySetsTrustFrameworkKeySetItemRequestBuilder, options []abs.RequestOption) error {
	body := sdk.NewKeySetsItemUploadPkcs12PostRequestBody()
	key := base64.StdEncoding.EncodeToString(in.PKCS12)
	body.SetKey(&key)
	body.SetPassword(&in.Password)
	_, err := set.UploadPkcs12().Post(ctx, body, &sdk.KeySetsItemUploadPkcs12RequestBuilderPostRequestConfiguration{Options: options})
	return err
}

func (in UploadPKCS12Input) teach(secrets *redact.Secrets) {
	secrets.Add(in.Password)
	secrets.AddFile(in.PKCS12, in.Certificate)
	secrets.AddFile(in.PrivateKey, in.Certificate)
}

func (in UploadPKCS12Input) fits(k Key, _, _ time.Time) bool { return k.mayBeOf(in.Certificate) }

func (in UploadPKCS12Input) alike(k Key) bool { return k.isOf(in.Certificate) }

// The certificate has dates of its own.
func (UploadPKCS12Input) contradicts(Key) bool { return false }

func (in UploadPKCS12Input) certificate() []byte { return in.Certificate }

func (in UploadPKCS12Input) complete(k Key) Key { return k.withPublicKeyOf(in.Certificate) }

// filledNbf is how far from the time in which a request may have been worked on an nbf may lie that the service has
// filled in for one that was left out: the two clocks needn't agree.
const filledNbf = 10 * time.Minute

// datesFit tells whether a key has the dates asked for in a request that was worked on between two times, which the
// service may have put in for an nbf that was left out.
func datesFit(nbf, exp *int64, k Key, from, to time.Time) bool {
	if nbf == nil && k.Nbf != nil {
		filled := time.Unix(*k.Nbf, 0)
		return sameDate(exp, k.Exp) && !filled.Before(from.Add(-filledNbf)) && !filled.After(to.Add(filledNbf))
	}
	return sameDate(nbf, k.Nbf) && sameDate(exp, k.Exp)
}

// datesAlike tells whether a key has exactly these dates. Without dates of its own no key can be told from others.
func datesAlike(nbf, exp *int64, k Key) bool {
	return (nbf != nil || exp != nil) && sameDate(nbf, k.Nbf) && sameDate(exp, k.Exp)
}

// datesContradict reports whether a key has other dates than those asked for.
func datesContradict(nbf, exp *int64, k Key) bool {
	differ := func(asked, given *int64) bool { return asked != nil && given != nil && *asked != *given }
	return differ(nbf, k.Nbf) || differ(exp, k.Exp)
}

func sameDate(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
