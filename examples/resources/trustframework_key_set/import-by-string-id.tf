import {
  to = trustframework_key_set.signing
  id = "B2C_1A_TokenSigningKeyContainer"
}
