resource "trustframework_key_set" "partner" {
  name = "PartnerCertificate"
}

resource "trustframework_uploaded_certificate" "partner" {
  key_set_id      = trustframework_key_set.partner.id
  certificate_pem = file("${path.module}/partner.pem")
}

# A certificate brings its dates with it: this is when the next one is due.
output "partner_certificate_ends" {
  value = trustframework_uploaded_certificate.partner.not_after
}
