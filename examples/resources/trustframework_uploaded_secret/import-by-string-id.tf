import {
  to = trustframework_uploaded_secret.facebook
  id = "B2C_1A_FacebookSecret/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M"
}
