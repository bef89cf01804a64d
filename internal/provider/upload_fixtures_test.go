// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// pfxPassword is the password of a test's PKCS#12 files, unless it says another.
const pfxPassword = "Pa55-of-the-file"

// wallet makes the certificates and PKCS#12 files of a test. An RSA key takes a while, so that all its rows share them.
type wallet struct {
	mu           sync.Mutex
	keys         map[string]*rsa.PrivateKey
	certificates map[string]*x509.Certificate
}

func newWallet() *wallet {
	return &wallet{keys: map[string]*rsa.PrivateKey{}, certificates: map[string]*x509.Certificate{}}
}

// key is the RSA key of a name.
func (f *wallet) key(t *testing.T, name string) *rsa.PrivateKey {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys[name] == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		f.keys[name] = key
	}
	return f.keys[name]
}

// certificate is the one certificate of a name for signatures, good for a year around the test's time.
func (f *wallet) certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key := f.key(t, name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.certificates[name] == nil {
		f.certificates[name] = selfSigned(t, key, nil)
	}
	return f.certificates[name]
}

// selfSigned is a certificate for signatures, unless edited.
func selfSigned(t *testing.T, key crypto.Signer, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	return signed(t, key.Public(), nil, key, edit)
}

// signed is a certificate for signatures, unless edited, that is signed by an issuer or, without one, by itself.
func signed(t *testing.T, public crypto.PublicKey, issuer *x509.Certificate, by crypto.Signer, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(4711),
		Subject:      pkix.Name{CommonName: "upload.test", Organization: []string{"Contoso"}},
		NotBefore:    start().AddDate(0, -6, 0),
		NotAfter:     start().AddDate(0, 6, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if edit != nil {
		edit(template)
	}
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withUsage makes it a certificate for something else; 0 leaves the extension out.
func withUsage(u x509.KeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.KeyUsage = u }
}

// authority is a certificate of a throw-away authority, and its key, which is no RSA key and so takes no time.
func authority(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := curveKey(t)
	return selfSigned(t, key, func(c *x509.Certificate) {
		c.Subject, c.KeyUsage, c.IsCA, c.BasicConstraintsValid = pkix.Name{CommonName: "Contoso CA"}, x509.KeyUsageCertSign, true, true
	}), key
}

func curveKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemOf(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

func certificatePEM(c *x509.Certificate) string { return pemOf("CERTIFICATE", c.Raw) }

func certificateBase64(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }

// pfx is a PKCS#12 file in base64, encrypted the way that the service opens.
func pfx(t *testing.T, key any, leaf *x509.Certificate, chain ...*x509.Certificate) string {
	t.Helper()
	return pfxBy(t, pkcs12.LegacyDES, key, leaf, pfxPassword, chain...)
}

func pfxBy(t *testing.T, e *pkcs12.Encoder, key any, leaf *x509.Certificate, password string, chain ...*x509.Certificate) string {
	t.Helper()
	file, err := e.Encode(key, leaf, chain, password)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(file)
}

const (
	certificateType = "trustframework_uploaded_certificate"
	pkcs12Type      = "trustframework_uploaded_pkcs12"
)

// upload is one of the resources that upload a certificate.
type upload struct {
	resource string
	op       emulator.Op
	// failure is the summary of the error if its key can't be made.
	failure string
	// config is one that uploads a certificate into the set Signing; the version is left out where there is none.
	config func(t *testing.T, key *rsa.PrivateKey, leaf *x509.Certificate, version int) map[string]string
}

// uploads are the resources that upload a certificate.
func uploads() []upload {
	return []upload{{
		resource: certificateType, op: emulator.OpUploadCertificate, failure: "Unable to upload certificate",
		config: func(_ *testing.T, _ *rsa.PrivateKey, leaf *x509.Certificate, _ int) map[string]string {
			return map[string]string{"key_set_id": "B2C_1A_Signing", "certificate_pem": certificatePEM(leaf)}
		},
	}, {
		resource: pkcs12Type, op: emulator.OpUploadPKCS12, failure: "Unable to upload PKCS#12 file",
		config: func(t *testing.T, key *rsa.PrivateKey, leaf *x509.Certificate, version int) map[string]string {
			t.Helper()
			return map[string]string{
				"key_set_id": "B2C_1A_Signing", "pkcs12_wo": pfx(t, key, leaf), "password_wo": pfxPassword, "pkcs12_wo_version": strconv.Itoa(version),
			}
		},
	}}
}

// hcl writes a configuration of a resource named "test"; further lines are added as they are.
func hcl(resource string, config map[string]string, lines ...string) string {
	var b strings.Builder
	b.WriteString("resource \"" + resource + "\" \"test\" {\n")
	for name, value := range config {
		b.WriteString("  " + name + " = " + strconv.Quote(value) + "\n")
	}
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
	return b.String() + "}\n"
}

// signingWorld is a tenant with the empty key set Signing.
func signingWorld(t *testing.T, switches emulator.Switches) *world {
	t.Helper()
	w := newWorld(t, switches)
	w.AddKeySet("B2C_1A_Signing")
	return w
}

// validate is what a client that knows write-only arguments asks first, and what it is told.
func (s *server) validate(name string, config map[string]string, writeOnly bool) said {
	s.t.Helper()
	answer, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: name, Config: s.value(s.resources[name], config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: writeOnly},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.Diagnostics
}

// where is the argument that the first error points at, or "".
func (d said) where() string {
	for _, one := range d {
		if one.Severity != tfprotov6.DiagnosticSeverityError || one.Attribute == nil {
			continue
		}
		for _, step := range one.Attribute.Steps() {
			if name, ok := step.(tftypes.AttributeName); ok {
				return string(name)
			}
		}
	}
	return ""
}

// planned is what a plan is about to do.
type planned struct {
	// replaces and changes: neither is an empty plan.
	replaces, changes bool
	said              said
}

// look plans without applying.
func (s *server) look(before managed, config map[string]string) planned {
	s.t.Helper()
	req, resp, err := s.plan(before, config)
	if err != nil {
		s.t.Fatal(err)
	}
	prior, err := req.PriorState.Unmarshal(s.resources[before.name])
	if err != nil {
		s.t.Fatal(err)
	}
	if said(resp.Diagnostics).failed() {
		return planned{said: resp.Diagnostics}
	}
	next, err := resp.PlannedState.Unmarshal(s.resources[before.name])
	if err != nil {
		s.t.Fatal(err)
	}
	return planned{replaces: len(resp.RequiresReplace) > 0, changes: !prior.Equal(next), said: resp.Diagnostics}
}

// replace is what a client does if a plan replaces a resource: it forgets the old key, and makes another.
func (s *server) replace(before managed, config map[string]string) (managed, said) {
	s.t.Helper()
	p := s.look(before, config)
	if p.said.failed() {
		return before, p.said
	}
	if !p.replaces {
		s.t.Fatalf("the plan replaces nothing: %+v", p)
	}
	s.destroy(before)
	after, told := s.apply(before.name, managed{}, config)
	return after, append(p.said, told...)
}

// adopt imports a key.
func (s *server) adopt(name, id string, identity map[string]string) (managed, said) {
	s.t.Helper()
	answer, err := s.ImportResourceState(s.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, ID: id, Identity: s.identity(name, identity)})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(answer.Diagnostics) > 0 {
		return managed{name: name}, answer.Diagnostics
	}
	one := answer.ImportedResources[0]
	return s.refresh(managed{name: name, state: one.State, private: one.Private, identity: one.Identity})
}

// thin is a service whose answers to requests of some paths don't show some members of keys, or show others in their
// place.
func thin(path string, members map[string]any) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil || !strings.Contains(req.URL.Path, path) || resp.StatusCode != http.StatusOK {
				return resp, err
			}
			var body any
			err = json.NewDecoder(resp.Body).Decode(&body)
			_ = resp.Body.Close()
			if err != nil {
				return nil, err
			}
			change(body, members)
			changed, err := json.Marshal(body)
			if err != nil {
				return nil, err
			}
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(changed)), int64(len(changed))
			resp.Header.Set("Content-Length", strconv.Itoa(len(changed)))
			return resp, nil
		})
	}
}

// change puts the members into every key in an answer; nil takes them away.
func change(answer any, members map[string]any) {
	switch value := answer.(type) {
	case []any:
		for _, element := range value {
			change(element, members)
		}
	case map[string]any:
		for _, element := range value {
			change(element, members)
		}
		if _, isKey := value["kid"]; !isKey {
			return
		}
		for name, member := range members {
			if value[name] = member; member == nil {
				delete(value, name)
			}
		}
	}
}
