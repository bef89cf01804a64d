import {
  to = trustframework_uploaded_pkcs12.saml
  identity = {
    key_set_id = "B2C_1A_SamlMessageSigning"
    kid        = "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
  }
}
