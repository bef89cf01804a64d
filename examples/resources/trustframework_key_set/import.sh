# The import ID is the key set's ID.
terraform import trustframework_key_set.signing B2C_1A_TokenSigningKeyContainer
