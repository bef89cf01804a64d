# Looks up a signing key that no state holds, by planning its import.

terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

provider "trustframework" {}

variable "key_id" {
  type        = string
  description = "The key's import id: its key set and its kid."
}

import {
  to = trustframework_generated_key.first
  id = var.key_id
}

resource "trustframework_generated_key" "first" {
  key_set_id = "B2C_1A_TokenSigningKeyContainer"
  use        = "sig"
  kty        = "RSA"
}
