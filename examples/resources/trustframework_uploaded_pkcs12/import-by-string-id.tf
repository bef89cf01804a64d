import {
  to = trustframework_uploaded_pkcs12.saml
  id = "B2C_1A_SamlMessageSigning/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
}
