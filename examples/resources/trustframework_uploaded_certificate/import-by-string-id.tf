import {
  to = trustframework_uploaded_certificate.partner
  id = "B2C_1A_PartnerCertificate/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
}
