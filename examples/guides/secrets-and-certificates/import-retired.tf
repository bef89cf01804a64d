import {
  to = trustframework_uploaded_secret.contoso_retired
  id = "B2C_1A_ContosoAppSecret/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
}

resource "trustframework_uploaded_secret" "contoso_retired" {
  key_set_id = trustframework_key_set.contoso.id
  use        = "sig"
  status     = "disabled"
}
