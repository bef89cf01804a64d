// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// certificateModel is what a resource shows of its key's certificate. It is all null if neither the service nor the
// configuration shows one.
type certificateModel struct {
	CertificatePEM types.String `tfsdk:"certificate_pem"`
	Subject        types.String `tfsdk:"subject"`
	Issuer         types.String `tfsdk:"issuer"`
	SerialNumber   types.String `tfsdk:"serial_number"`
	NotBefore      types.String `tfsdk:"not_before"`
	NotAfter       types.String `tfsdk:"not_after"`
	X5T            types.String `tfsdk:"x5t"`
	X5TS256        types.String `tfsdk:"x5t_s256"`
}

// certificateAttributes is the schema of certificateModel.
func certificateAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"certificate_pem": computedText("The certificate in PEM, without the rest of its chain."),
		"subject":         computedText("The certificate's subject, a distinguished name (RFC 2253)."),
		"issuer":          computedText("The certificate's issuer, a distinguished name (RFC 2253)."),
		"serial_number":   computedText("The certificate's serial number, decimal."),
		"not_before":      computedText("The beginning of the certificate's validity, as an RFC 3339 date in UTC."),
		"not_after":       computedText("The end of the certificate's validity, as an RFC 3339 date in UTC."),
		"x5t":             computedText("The certificate's SHA-1 thumbprint, base64url (RFC 7515)."),
		"x5t_s256":        computedText("The certificate's SHA-256 thumbprint, base64url (`x5t#S256` in RFC 7515)."),
	}
}

// certificateOf is the certificate of a key: the one that was sent, or else the one that the service shows, or else the
// one that is known already. It is nil if there is none.
func (m *certificateModel) certificateOf(id string, k trustframework.Key, sent *material.Certificate, diags *diag.Diagnostics) *material.Certificate {
	if sent != nil {
		return sent
	}
	shown, err := k.Certificate()
	if shown != nil {
		return shown
	}
	if err != nil {
		diags.AddWarning(fmt.Sprintf("Unable to show certificate of %q", id), fmt.Sprintf("Key %q: %s", id, sentence(err)))
	}
	return certificateIn(m.CertificatePEM, material.ParsePEM)
}

// show takes over a certificate, of which a spelling that is known stays.
func (m *certificateModel) show(c *material.Certificate, k trustframework.Key) {
	if c == nil {
		m.X5T = nullIfEmpty(k.X5T)
		for _, value := range []*types.String{&m.CertificatePEM, &m.Subject, &m.Issuer, &m.SerialNumber, &m.NotBefore, &m.NotAfter, &m.X5T, &m.X5TS256} {
			if value.IsUnknown() {
				*value = types.StringNull()
			}
		}
		return
	}
	m.CertificatePEM = respell(m.CertificatePEM, c, material.ParsePEM, c.PEM)
	m.Subject = types.StringValue(c.Subject())
	m.Issuer = types.StringValue(c.Issuer())
	m.SerialNumber = types.StringValue(c.SerialNumber())
	m.NotBefore = types.StringValue(c.NotBefore().UTC().Format(time.RFC3339))
	m.NotAfter = types.StringValue(c.NotAfter().UTC().Format(time.RFC3339))
	m.X5T = types.StringValue(c.X5T())
	m.X5TS256 = types.StringValue(c.X5TS256())
}

// recall is the upload of the certificate that is shown.
func (m *certificateModel) recall() trustframework.KeyInput {
	c := certificateIn(m.CertificatePEM, material.ParsePEM)
	if c == nil {
		return nil
	}
	return trustframework.UploadCertificateInput{Certificate: c.DER}
}

// certificateIn reads a value. It is nil if there is none, or none that can be read.
func certificateIn(value types.String, parse func(string) (*material.Certificate, error)) *material.Certificate {
	if !known(value) {
		return nil
	}
	c, err := parse(value.ValueString())
	if err != nil {
		return nil
	}
	return c
}

// respell writes a certificate, unless the value means that one already.
func respell(value types.String, c *material.Certificate, parse func(string) (*material.Certificate, error), write func() string) types.String {
	if old := certificateIn(value, parse); old != nil && old.SameAs(c) {
		return value
	}
	return types.StringValue(write())
}

// takeUse puts in what a certificate tells of the key it will be.
func (m *keyModel) takeUse(c *material.Certificate) {
	m.Kty = types.StringValue(trustframework.KtyRSA)
	if uses := c.Uses(); len(uses) == 1 {
		m.Use = types.StringValue(uses[0])
	}
}
