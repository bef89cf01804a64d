resource "trustframework_key_set" "signing" {
  name = "TokenSigningKeyContainer"
}

# The first apply makes a key without dates, the safety net, and a key that signs
# at once. From then on each apply makes the next key if it is due, and else none.
resource "trustframework_key_rotation" "signing" {
  key_set_id    = trustframework_key_set.signing.id
  use           = "sig"
  kty           = "RSA"
  rotation_days = 90

  # Another value makes the next key before its time.
  rotate_when_changed = {
    incident = "none"
  }
}

output "next_rotation_at" {
  value = trustframework_key_rotation.signing.next_rotation_at
}
