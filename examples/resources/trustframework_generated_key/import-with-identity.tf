import {
  to = trustframework_generated_key.signing
  identity = {
    key_set_id = "B2C_1A_TokenSigningKeyContainer"
    kid        = "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
  }
}
