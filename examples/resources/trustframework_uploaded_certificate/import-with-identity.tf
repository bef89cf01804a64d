import {
  to = trustframework_uploaded_certificate.partner
  identity = {
    key_set_id = "B2C_1A_PartnerCertificate"
    kid        = "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
  }
}
