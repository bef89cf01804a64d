resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}

resource "trustframework_generated_key" "signing" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
}

# depends_on, so that it is read after a new key is made.
data "trustframework_key_set" "signing" {
  name       = trustframework_key_set.signing.name
  depends_on = [trustframework_generated_key.signing]
}

# What the tenant's applications check tokens with, for those that can't fetch it.
output "jwks" {
  value = data.trustframework_key_set.signing.jwks
}

# The keys that expire, and when.
output "expiry" {
  value = { for key in data.trustframework_key_set.signing.keys : key.kid => key.expires_at if key.expires_at != null }
}
