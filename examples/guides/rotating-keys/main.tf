terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

locals {
  # The policy keys of Microsoft's custom policy starter pack.
  rotations = {
    TokenSigningKeyContainer    = { use = "sig", days = 90 }
    TokenEncryptionKeyContainer = { use = "enc", days = 365 }
  }
}

resource "trustframework_key_set" "all" {
  for_each = local.rotations
  name     = each.key

  lifecycle {
    prevent_destroy = true
  }
}

resource "trustframework_key_rotation" "all" {
  for_each      = local.rotations
  key_set_id    = trustframework_key_set.all[each.key].id
  use           = each.value.use
  kty           = "RSA"
  rotation_days = each.value.days

  # For an emergency. It has to have a value before it can change.
  rotate_when_changed = {
    incident = "none"
  }
}

output "next_rotation_at" {
  value = { for name, rotation in trustframework_key_rotation.all : name => rotation.next_rotation_at }
}
