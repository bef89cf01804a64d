import {
  to = trustframework_generated_key.compromised
  id = "B2C_1A_TokenSigningKeyContainer/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
}

resource "trustframework_generated_key" "compromised" {
  key_set_id = "B2C_1A_TokenSigningKeyContainer"
  use        = "sig"
  kty        = "RSA"
  status     = "disabled"
}
