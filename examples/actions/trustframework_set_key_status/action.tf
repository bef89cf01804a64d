variable "compromised_kid" {
  description = "The key that has fallen into the wrong hands."
  type        = string
}

action "trustframework_set_key_status" "disable" {
  config {
    key_set_id = "B2C_1A_TokenSigningKeyContainer"
    kid        = var.compromised_kid
    status     = "disabled"
  }
}
