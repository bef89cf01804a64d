import {
  to = trustframework_key_rotation.signing
  id = "B2C_1A_TokenSigningKeyContainer"
}
