import {
  to = trustframework_key_rotation.signing
  identity = {
    key_set_id = "B2C_1A_TokenSigningKeyContainer"
  }
}
