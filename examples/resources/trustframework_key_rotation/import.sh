# Some keys of the key set. All others are left to others.
#
#   terraform import trustframework_key_rotation.signing B2C_1A_TokenSigningKeyContainer/<kid>,<kid>
#
# All keys of the key set that can be used now or later:
terraform import trustframework_key_rotation.signing B2C_1A_TokenSigningKeyContainer
