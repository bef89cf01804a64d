variable "compromised_kid" {
  description = "The key that has fallen into the wrong hands."
  type        = string
}

# A key that replaces it, and signs at once: of the keys that can be used, the one
# with the newest nbf is active. A key without nbf would come last.
resource "trustframework_generated_key" "emergency" {
  key_set_id = "B2C_1A_TokenSigningKeyContainer"
  use        = "sig"
  kty        = "RSA"
  nbf        = 1798761600 # 2027-01-01T00:00:00Z, a moment ago

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
