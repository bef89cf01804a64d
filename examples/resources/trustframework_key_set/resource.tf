resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}
