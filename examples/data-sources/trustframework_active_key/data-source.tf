resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}

resource "trustframework_generated_key" "signing" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
}

# depends_on, so that it is read after a new key is made.
data "trustframework_active_key" "signing" {
  key_set_id = trustframework_key_set.signing.id
  depends_on = [trustframework_generated_key.signing]
}

output "kid" {
  value = data.trustframework_active_key.signing.kid
}
