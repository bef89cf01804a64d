// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/material"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func newUploadedPKCS12Resource() resource.Resource {
	return &keyResource[uploadedPKCS12Model, *uploadedPKCS12Model]{kind: keyKind{
		op:        trustframework.OpUploadPKCS12,
		kty:       trustframework.KtyRSA,
		schema:    uploadedPKCS12Schema,
		arguments: []string{"password_wo"},
	}}
}

type uploadedPKCS12Model struct {
	keyModel
	certificateModel
	PKCS12WO        types.String `tfsdk:"pkcs12_wo"`
	PasswordWO      types.String `tfsdk:"password_wo"`
	PKCS12WOVersion types.Int64  `tfsdk:"pkcs12_wo_version"`
}

func uploadedPKCS12Schema(ctx context.Context) schema.Schema {
	attributes := keyAttributes(ctx, "uploading the file")
	maps.Copy(attributes, certificateAttributes())
	attributes["pkcs12_wo"] = secretArgument("The PKCS#12 file (`.pfx`, `.p12`) in base64, as `filebase64` reads it: one RSA private key and its certificate, encrypted " +
		"the old way (Triple DES and SHA-1): others have reported that the service answers a file with AES as if its password were wrong. Needed to make a key; of one that exists it isn't looked at.")
	attributes["password_wo"] = secretArgument("The password of the file. The service takes no file without one.")
	attributes["pkcs12_wo_version"] = versionArgument("file")
	return schema.Schema{
		MarkdownDescription: "A certificate with its private key, uploaded as a key from a PKCS#12 file (`uploadPkcs12`), such as the one that signs SAML " +
			"requests. File and password are in no state, plan or log.\n\n" +
			"The file is opened and checked before it is sent. The service derives `use` from the certificate's key usage, and takes no dates. A key can't be " +
			"changed or removed on its own: a new `pkcs12_wo_version` makes a new key beside the old one, and destroying the resource leaves the key in its set until " +
			"the set is deleted.\n\n" + keepsOldKey,
		Attributes: attributes,
	}
}

func (m *uploadedPKCS12Model) replaces(state *uploadedPKCS12Model) bool {
	return m.keyModel.replaces(state.keyModel) || !state.PKCS12WOVersion.IsNull() && !m.PKCS12WOVersion.Equal(state.PKCS12WOVersion)
}

func (m *uploadedPKCS12Model) validate(*diag.Diagnostics) {} // the arguments look after themselves

func (m *uploadedPKCS12Model) version() (name string, value types.Int64) {
	return "pkcs12_wo_version", m.PKCS12WOVersion
}

func (m *uploadedPKCS12Model) prepare(now time.Time, diags *diag.Diagnostics) newKey {
	missing := missingSecret(diags, "pkcs12_wo", m.PKCS12WO)
	missing = missingSecret(diags, "password_wo", m.PasswordWO) || missing
	if missing || m.PKCS12WO.IsUnknown() || m.PasswordWO.IsUnknown() {
		return newKey{}
	}
	file, err := material.ParsePKCS12(m.PKCS12WO.ValueString(), m.PasswordWO.ValueString(), now)
	if err != nil {
		argument := path.Root("pkcs12_wo")
		var problem *material.Error
		if errors.As(err, &problem) && problem.Password {
			argument = path.Root("password_wo")
		}
		diags.AddAttributeError(argument, "PKCS#12 file can't be used", sentence(err))
		return newKey{}
	}
	m.takeUse(file.Certificate)
	return newKey{certificate: file.Certificate, input: trustframework.UploadPKCS12Input{
		KeySetID:    m.KeySetID.ValueString(),
		PKCS12:      file.File,
		Password:    m.PasswordWO.ValueString(),
		Certificate: file.Certificate.DER,
		PrivateKey:  file.PrivateKey,
	}}
}

func (m *uploadedPKCS12Model) set(keySetID string, k trustframework.Key, sent *material.Certificate, diags *diag.Diagnostics) {
	m.keyModel.set(keySetID, k, sent, diags)
	m.show(m.certificateOf(m.ID.ValueString(), k, sent, diags), k)
}

func (m *uploadedPKCS12Model) recall(*doubt) trustframework.KeyInput {
	return m.certificateModel.recall()
}
