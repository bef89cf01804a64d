terraform {
  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# Comes from TF_VAR_contoso_secret. Only a run that makes a key needs it.
variable "contoso_secret" {
  type      = string
  ephemeral = true
  default   = null
}

# Raised by one together with another secret.
variable "contoso_secret_version" {
  type    = number
  default = 1
}

resource "trustframework_key_set" "contoso" {
  name = "ContosoAppSecret"
}

resource "trustframework_uploaded_secret" "contoso" {
  key_set_id        = trustframework_key_set.contoso.id
  use               = "sig"
  secret_wo         = var.contoso_secret
  secret_wo_version = var.contoso_secret_version
}
