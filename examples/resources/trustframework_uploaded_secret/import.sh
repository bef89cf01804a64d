# The import ID is the key set's ID and the key's kid.
terraform import trustframework_uploaded_secret.facebook B2C_1A_FacebookSecret/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M
