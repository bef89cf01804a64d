// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// keyData is what every data source shows of a key.
type keyData struct {
	Kid          types.String     `tfsdk:"kid"`
	Kty          types.String     `tfsdk:"kty"`
	Use          types.String     `tfsdk:"use"`
	Status       types.String     `tfsdk:"status"`
	Nbf          types.Int64      `tfsdk:"nbf"`
	Exp          types.Int64      `tfsdk:"exp"`
	ActivatesAt  types.String     `tfsdk:"activates_at"`
	ExpiresAt    types.String     `tfsdk:"expires_at"`
	N            types.String     `tfsdk:"n"`
	E            types.String     `tfsdk:"e"`
	PublicKeyPEM types.String     `tfsdk:"public_key_pem"`
	PublicKeyJWK types.String     `tfsdk:"public_key_jwk"`
	Certificate  *certificateData `tfsdk:"certificate"`
}

// certificateData is what is shown of a key's certificate.
type certificateData struct {
	Subject      types.String `tfsdk:"subject"`
	Issuer       types.String `tfsdk:"issuer"`
	SerialNumber types.String `tfsdk:"serial_number"`
	NotBefore    types.String `tfsdk:"not_before"`
	NotAfter     types.String `tfsdk:"not_after"`
	X5T          types.String `tfsdk:"x5t"`
	X5TS256      types.String `tfsdk:"x5t_s256"`
	PEM          types.String `tfsdk:"pem"`
}

// set takes over what the service says of a key. What can't be decoded is left null with a warning, for
// the key itself exists.
func (m *keyData) set(keySetID string, k trustframework.Key, diags *diag.Diagnostics) {
	m.Kid = nullIfEmpty(k.Kid)
	m.Kty = nullIfEmpty(k.Kty)
	m.Use = nullIfEmpty(k.Use)
	m.Status = nullIfEmpty(k.Status)
	m.Nbf = types.Int64PointerValue(k.Nbf)
	m.Exp = types.Int64PointerValue(k.Exp)
	m.ActivatesAt = dateValue(k.Nbf)
	m.ExpiresAt = dateValue(k.Exp)
	m.N = nullIfEmpty(k.N)
	m.E = nullIfEmpty(k.E)
	warn := func(summary string, err error) {
		if err != nil {
			diags.AddWarning(fmt.Sprintf("%s of %q", summary, keyID(keySetID, k.Kid)), fmt.Sprintf("Key %q: %s", keyID(keySetID, k.Kid), sentence(err)))
		}
	}
	pem, err := k.PublicKeyPEM()
	warn("Unable to show public key", err)
	m.PublicKeyPEM = nullIfEmpty(pem)
	jwk, err := k.PublicKeyJWK()
	warn("Unable to show public key", err)
	m.PublicKeyJWK = nullIfEmpty(jwk)
	certificate, err := k.Certificate()
	warn("Unable to show certificate", err)
	m.Certificate = nil
	if len(k.X5C) > 0 || k.X5T != "" {
		m.Certificate = &certificateData{X5T: nullIfEmpty(k.X5T)}
	}
	if certificate != nil {
		m.Certificate.set(certificate)
	}
}

func (m *certificateData) set(c *material.Certificate) {
	m.Subject = types.StringValue(c.Subject())
	m.Issuer = types.StringValue(c.Issuer())
	m.SerialNumber = types.StringValue(c.SerialNumber())
	m.NotBefore = types.StringValue(c.NotBefore().UTC().Format(time.RFC3339))
	m.NotAfter = types.StringValue(c.NotAfter().UTC().Format(time.RFC3339))
	m.X5TS256 = types.StringValue(c.X5TS256())
	m.PEM = types.StringValue(c.PEM())
}

// listedKey is a key among those of its set.
type listedKey struct {
	keyData
	Active types.Bool `tfsdk:"active"`
}

// listedKeys are all keys of a set, in the service's order.
func listedKeys(set trustframework.KeySet, now time.Time, diags *diag.Diagnostics) []listedKey {
	active, ok := set.ActiveKey(now)
	keys := make([]listedKey, len(set.Keys)) // not nil, which would be null
	for i, k := range set.Keys {
		keys[i].set(set.ID, k, diags)
		keys[i].Active = types.BoolValue(ok && k.Kid == active.Kid)
	}
	return keys
}

// keyDataAttributes is the schema of keyData.
func keyDataAttributes() map[string]schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	date := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{
			Computed:            true,
			MarkdownDescription: description + ", as a NumericDate: seconds since 1970-01-01T00:00:00Z. Null if the key has none.",
		}
	}
	return map[string]schema.Attribute{
		"kid": text("The key's ID within its key set, given by the service."),
		"kty": text("The type of key: " + listOf(trustframework.KeyTypes()) + " (a symmetric key)."),
		"use": text("What the key is for: " + listOf(trustframework.Uses()) + "."),
		"status": text("`enabled` or `disabled`, where the service's answer says so, otherwise null. Data sources need no more than " +
			"`TrustFrameworkKeySet.Read.All`, and the address that is documented to show the status (`keys_v2`) needs more."),
		"nbf":            date("When the key becomes valid (not before)"),
		"exp":            date("When the key expires"),
		"activates_at":   text("`nbf` as an RFC 3339 date in UTC. Null if the key has none."),
		"expires_at":     text("`exp` as an RFC 3339 date in UTC. Null if the key has none."),
		"n":              text("An RSA key's modulus, base64url. Null for `oct`."),
		"e":              text("An RSA key's public exponent, base64url. Null for `oct`."),
		"public_key_pem": text("An RSA key's public half in PEM (PKIX). Null for `oct`."),
		"public_key_jwk": text("An RSA key's public half as a JSON Web Key (RFC 7517), with `x5c` and `x5t` if it has a certificate. Null for `oct`."),
		"certificate": schema.SingleNestedAttribute{
			Computed: true,
			MarkdownDescription: "The key's certificate. Null if it has none. If it can't be read, a warning says why, and everything but `x5t` is null. " +
				"Its dates needn't be those of the key.",
			Attributes: map[string]schema.Attribute{
				"subject":       text("The subject, a distinguished name (RFC 2253)."),
				"issuer":        text("The issuer, a distinguished name (RFC 2253)."),
				"serial_number": text("The serial number, decimal."),
				"not_before":    text("The beginning of its validity, as an RFC 3339 date in UTC."),
				"not_after":     text("The end of its validity, as an RFC 3339 date in UTC."),
				"x5t":           text("The SHA-1 thumbprint, base64url, as the service gives it. Null if it gives none."),
				"x5t_s256":      text("The SHA-256 thumbprint, base64url (`x5t#S256` in JOSE)."),
				"pem":           text("The certificate in PEM, without the rest of its chain."),
			},
		},
	}
}

// listedKeysAttribute is the schema of listedKeys.
func listedKeysAttribute() schema.ListNestedAttribute {
	attributes := keyDataAttributes()
	attributes["active"] = schema.BoolAttribute{
		Computed: true,
		MarkdownDescription: "Whether the key is the one in use, by the rule that Microsoft documents: of the keys that are enabled and within their dates, " +
			"the one with the newest `nbf`; keys without `nbf` come last. Where `status` is null, a disabled key counts as enabled. " +
			"The data source `trustframework_active_key` asks the service itself.",
	}
	return schema.ListNestedAttribute{
		Computed:            true,
		MarkdownDescription: "The keys in the set, in the service's order.",
		NestedObject:        schema.NestedAttributeObject{Attributes: attributes},
	}
}

// readTimeouts is the argument timeouts of a data source.
func readTimeouts(ctx context.Context, what string) schema.Attribute {
	return timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: timeoutText(what, defaultReadTimeout)})
}

// startRead bounds the read of a data source, and signs in first, so that a failure of that shows as it
// does in resources. The function must be called at the end of the read.
func (d *providerData) startRead(ctx context.Context, t timeouts.Value, diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	timeout, problems := t.Read(ctx, d.readTimeout())
	diags.Append(problems...)
	ctx, cancel := d.clock.WithTimeout(ctx, timeout)
	if !diags.HasError() {
		d.sameTenant(ctx, "", madeState{}, diags)
	}
	return ctx, cancel
}
