# The policy keys of Microsoft's custom policy starter pack: its policies sign
# tokens with B2C_1A_TokenSigningKeyContainer and encrypt them with
# B2C_1A_TokenEncryptionKeyContainer.

terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# Tenant, application and endpoints come from the environment.
provider "trustframework" {}

variable "signing_key_expires" {
  type        = string
  description = "When the signing key expires, as an RFC 3339 date. A new date makes a new key."
}

resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}

resource "trustframework_generated_key" "signing" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
  exp        = provider::trustframework::numeric_date(var.signing_key_expires)
}

resource "trustframework_key_set" "encryption" {
  name = "TokenEncryptionKeyContainer"
}

resource "trustframework_generated_key" "encryption" {
  key_set_id = trustframework_key_set.encryption.id
  use        = "enc"
  kty        = "RSA"
}

output "signing_key" {
  description = "The key that signs tokens."
  value = {
    kid          = trustframework_generated_key.signing.kid
    activates_at = trustframework_generated_key.signing.activates_at
    expires_at   = trustframework_generated_key.signing.expires_at
  }
}

output "signing_key_id" {
  description = "The signing key's import id."
  value       = trustframework_generated_key.signing.id
}

output "signing_public_key" {
  description = "What relying parties check signatures with."
  value       = trustframework_generated_key.signing.public_key_pem
}

output "encryption_key" {
  description = "The key that encrypts tokens."
  value = {
    kid          = trustframework_generated_key.encryption.kid
    activates_at = trustframework_generated_key.encryption.activates_at
    expires_at   = trustframework_generated_key.encryption.expires_at
  }
}

output "encryption_public_key" {
  description = "What tokens are encrypted with."
  value       = trustframework_generated_key.encryption.public_key_pem
}
