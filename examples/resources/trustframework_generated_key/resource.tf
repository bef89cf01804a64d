terraform {
  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}

resource "trustframework_generated_key" "signing" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
  exp        = provider::trustframework::numeric_date("2029-01-01T00:00:00Z")
}

# The next key of the set. It is published at once and signs from December on, so
# that by then the applications that trust the tenant know it.
resource "trustframework_generated_key" "next" {
  key_set_id = trustframework_key_set.signing.id
  use        = "sig"
  kty        = "RSA"
  nbf        = provider::trustframework::numeric_date("2028-12-01T00:00:00Z")
  exp        = provider::trustframework::numeric_date("2030-01-01T00:00:00Z")
}
