import {
  to = trustframework_uploaded_secret.facebook
  identity = {
    key_set_id = "B2C_1A_FacebookSecret"
    kid        = "Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
  }
}
