variable "compromised_kid" {
  description = "The key that has fallen into the wrong hands."
  type        = string
}

# A key that replaces it, and signs at once.
resource "trustframework_generated_key" "emergency" {
  key_set_id = "B2C_1A_TokenSigningKeyContainer"
  use        = "sig"
  kty        = "RSA"

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.trustframework_set_key_status.disable]
    }
  }
}

action "trustframework_set_key_status" "disable" {
  config {
    key_set_id = "B2C_1A_TokenSigningKeyContainer"
    kid        = var.compromised_kid
    status     = "disabled"
  }
}
