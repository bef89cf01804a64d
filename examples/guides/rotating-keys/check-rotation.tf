# Another time than that of the plan, to try the check with.
variable "now" {
  type    = string
  default = null
}

resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}

resource "trustframework_key_rotation" "signing" {
  key_set_id    = trustframework_key_set.signing.id
  use           = "sig"
  kty           = "RSA"
  rotation_days = 90
}

check "rotation_is_on_time" {
  assert {
    # A week late. Null is a rotation without a key with dates that could be used.
    condition = timecmp(timeadd(coalesce(trustframework_key_rotation.signing.next_rotation_at, "1970-01-01T00:00:00Z"), "${7 * 24}h"),
    coalesce(var.now, plantimestamp())) > 0
    error_message = "The next key of ${trustframework_key_rotation.signing.id} is due since ${coalesce(trustframework_key_rotation.signing.next_rotation_at, "ever")}, and no apply has made it."
  }
}
