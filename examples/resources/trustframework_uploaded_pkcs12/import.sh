# The import ID is the key set's ID and the key's kid.
terraform import trustframework_uploaded_pkcs12.saml B2C_1A_SamlMessageSigning/Dz3eBvF1yU0PTqJ8q5pWcnZsHbHtKQXJ9cB7tB2gq0M
