// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func newUploadedCertificateResource() resource.Resource {
	return &keyResource[uploadedCertificateModel, *uploadedCertificateModel]{kind: keyKind{
		op:        trustframework.OpUploadCertificate,
		kty:       trustframework.KtyRSA,
		schema:    uploadedCertificateSchema,
		arguments: []string{"certificate_pem"},
	}}
}

type uploadedCertificateModel struct {
	keyModel
	certificateModel
	CertificateBase64 types.String `tfsdk:"certificate_base64"`
}

func uploadedCertificateSchema(ctx context.Context) schema.Schema {
	attributes := keyAttributes(ctx, "uploading the certificate")
	maps.Copy(attributes, certificateAttributes())
	attributes["certificate_pem"] = certificateArgument("The certificate in PEM: one block `CERTIFICATE`, an X.509 certificate of an RSA key, without a "+
		"private key. Give either this or `certificate_base64`; the other is computed.", material.ParsePEM)
	attributes["certificate_base64"] = certificateArgument("The certificate in DER and base64, as `filebase64` reads it from a `.cer` file.", material.ParseBase64)
	return schema.Schema{
		MarkdownDescription: "A certificate without its private key, uploaded as a key (`uploadCertificate`): for what is encrypted for, or signed by, somebody " +
			"else. For a certificate with its private key use `trustframework_uploaded_pkcs12`.\n\n" +
			"The service derives `use` from the certificate's key usage, and takes no dates. A key can't be changed or removed on its own: another " +
			"certificate makes a new key beside the old one, and destroying the resource leaves the key in its set until the set is deleted.\n\n" +
			"The same certificate in another spelling, with other line breaks or text around it, is no change.\n\n" + keepsOldKey,
		Attributes: attributes,
	}
}

// certificateArgument is a certificate in one of its spellings.
func certificateArgument(description string, parse func(string) (*material.Certificate, error)) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: description + " Another certificate makes a new key.",
		PlanModifiers: []planmodifier.String{
			stringplanmodifier.UseStateForUnknown(),
			keepCertificate(parse),
			replaceTextFromValue(),
		},
	}
}

func (m *uploadedCertificateModel) replaces(state *uploadedCertificateModel) bool {
	return m.keyModel.replaces(state.keyModel) ||
		!state.CertificatePEM.IsNull() && !m.CertificatePEM.Equal(state.CertificatePEM) ||
		!state.CertificateBase64.IsNull() && !m.CertificateBase64.Equal(state.CertificateBase64)
}

func (m *uploadedCertificateModel) validate(diags *diag.Diagnostics) {
	m.certificate(diags)
}

// certificate reads the configured certificate. It is nil if there is none, or none that can be read yet.
func (m *uploadedCertificateModel) certificate(diags *diag.Diagnostics) *material.Certificate {
	var c *material.Certificate
	for _, argument := range []struct {
		name  string
		value types.String
		parse func(string) (*material.Certificate, error)
	}{
		{"certificate_pem", m.CertificatePEM, material.ParsePEM},
		{"certificate_base64", m.CertificateBase64, material.ParseBase64},
	} {
		if !known(argument.value) {
			continue
		}
		read, err := argument.parse(argument.value.ValueString())
		switch {
		case err != nil:
			diags.AddAttributeError(path.Root(argument.name), "Invalid certificate", sentence(err))
		case c != nil && !c.SameAs(read):
			diags.AddAttributeError(path.Root(argument.name), "Invalid certificate",
				"certificate_pem and certificate_base64 are two different certificates. Give only one of them, or the same one twice.")
		default:
			c = read
		}
	}
	return c
}

func (m *uploadedCertificateModel) prepare(now time.Time, diags *diag.Diagnostics) newKey {
	argument := path.Root("certificate_pem")
	if m.CertificatePEM.IsNull() {
		argument = path.Root("certificate_base64")
	}
	c := m.certificate(diags)
	switch {
	case diags.HasError():
		return newKey{}
	case m.CertificatePEM.IsNull() && m.CertificateBase64.IsNull():
		diags.AddAttributeError(path.Root("certificate_pem"), "Certificate is missing",
			"A new key can't be made without a certificate. Set certificate_pem or certificate_base64.")
		return newKey{}
	case c == nil:
		return newKey{}
	}
	if err := c.Check(now); err != nil {
		diags.AddAttributeError(argument, "Certificate can't be used", sentence(err))
		return newKey{}
	}
	m.takeUse(c)
	return newKey{input: trustframework.UploadCertificateInput{KeySetID: m.KeySetID.ValueString(), Certificate: c.DER}, certificate: c}
}

func (m *uploadedCertificateModel) set(keySetID string, k trustframework.Key, sent *material.Certificate, diags *diag.Diagnostics) {
	m.keyModel.set(keySetID, k, sent, diags)
	if !known(m.CertificatePEM) && known(m.CertificateBase64) && sent == nil {
		sent = certificateIn(m.CertificateBase64, material.ParseBase64)
	}
	c := m.certificateOf(m.ID.ValueString(), k, sent, diags)
	m.show(c, k)
	switch {
	case c != nil:
		m.CertificateBase64 = respell(m.CertificateBase64, c, material.ParseBase64, c.Base64)
	case m.CertificateBase64.IsUnknown():
		m.CertificateBase64 = types.StringNull()
	}
}

func (m *uploadedCertificateModel) recall(*doubt) trustframework.KeyInput {
	return m.certificateModel.recall()
}
