# Come from TF_VAR_saml_pfx, the file in base64, and TF_VAR_saml_pfx_password. Only
# a run that makes a key needs them.
variable "saml_pfx" {
  type      = string
  ephemeral = true
  default   = null
}

variable "saml_pfx_password" {
  type      = string
  ephemeral = true
  default   = null
}

resource "trustframework_key_set" "saml" {
  name = "SamlMessageSigning"
}

resource "trustframework_uploaded_pkcs12" "saml" {
  key_set_id        = trustframework_key_set.saml.id
  pkcs12_wo         = var.saml_pfx
  password_wo       = var.saml_pfx_password
  pkcs12_wo_version = 1 # another number uploads the file as a new key
}

# The certificate, for whoever checks what is signed with the key.
output "saml_certificate" {
  value = trustframework_uploaded_pkcs12.saml.certificate_pem
}
