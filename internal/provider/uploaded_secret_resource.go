// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

func newUploadedSecretResource() resource.Resource {
	return &keyResource[uploadedSecretModel, *uploadedSecretModel]{kind: keyKind{
		op:        trustframework.OpUploadSecret,
		kty:       trustframework.KtyOct,
		schema:    uploadedSecretSchema,
		arguments: []string{"use", "nbf", "exp"},
	}}
}

type uploadedSecretModel struct {
	keyModel
	SecretWO        types.String `tfsdk:"secret_wo"`
	SecretWOVersion types.Int64  `tfsdk:"secret_wo_version"`
}

func uploadedSecretSchema(ctx context.Context) schema.Schema {
	attributes := keyAttributes(ctx, "uploading the secret")
	attributes["use"] = useArgument()
	attributes["nbf"] = dateArgument("When the key becomes valid (not before)")
	attributes["exp"] = dateArgument("When the key expires")
	attributes["secret_wo"] = secretArgument("The secret, as plain text: it is sent as it is. Needed to make a key; of one that exists it isn't looked at.")
	attributes["secret_wo_version"] = versionArgument("secret")
	return schema.Schema{
		MarkdownDescription: "A secret that is uploaded as a symmetric key (`uploadSecret`), such as an identity provider's client secret or the key of a REST API. " +
			"It is in no state, plan or log.\n\n" +
			"A key can't be changed or removed on its own: a new `secret_wo_version` makes a new key beside the old one, and destroying the resource " +
			"leaves the key in its set until the set is deleted.\n\n" + keepsOldKey,
		Attributes: attributes,
	}
}

func (m *uploadedSecretModel) replaces(state *uploadedSecretModel) bool {
	return m.keyModel.replaces(state.keyModel) || !state.SecretWOVersion.IsNull() && !m.SecretWOVersion.Equal(state.SecretWOVersion)
}

func (m *uploadedSecretModel) version() (name string, value types.Int64) {
	return "secret_wo_version", m.SecretWOVersion
}

func (m *uploadedSecretModel) prepare(_ time.Time, diags *diag.Diagnostics) newKey {
	m.Kty = types.StringValue(trustframework.KtyOct)
	if missingSecret(diags, "secret_wo", m.SecretWO) || m.SecretWO.IsUnknown() || m.Nbf.IsUnknown() || m.Exp.IsUnknown() {
		return newKey{}
	}
	in := m.input()
	in.Secret = m.SecretWO.ValueString()
	if strings.HasSuffix(in.Secret, "\n") || strings.HasSuffix(in.Secret, "\r") {
		summary := "Secret ends with a line break"
		if known(m.KeySetID) {
			summary = fmt.Sprintf("Secret ends with a line break, for key set %q", m.KeySetID.ValueString())
		}
		diags.AddAttributeWarning(path.Root("secret_wo"), summary,
			"The secret is sent as it is, with the line break at its end, which is rarely meant. If it comes from a file, use trimspace(file(…)) or chomp(file(…)).")
	}
	return newKey{input: in}
}

func (m *uploadedSecretModel) input() trustframework.UploadSecretInput {
	return trustframework.UploadSecretInput{
		KeySetID: m.KeySetID.ValueString(),
		Use:      m.Use.ValueString(),
		Nbf:      seconds(m.Nbf),
		Exp:      seconds(m.Exp),
	}
}

func (m *uploadedSecretModel) recall(d *doubt) trustframework.KeyInput {
	in := m.input()
	in.Nbf, in.Exp = d.Nbf, d.Exp
	return in
}
