# Comes from TF_VAR_facebook_secret. Only a run that makes a key needs it.
variable "facebook_secret" {
  type      = string
  ephemeral = true
  default   = null
}

resource "trustframework_key_set" "facebook" {
  name = "FacebookSecret"
}

resource "trustframework_uploaded_secret" "facebook" {
  key_set_id        = trustframework_key_set.facebook.id
  use               = "sig"
  secret_wo         = var.facebook_secret
  secret_wo_version = 1 # another number uploads the secret as a new key
}
