data "trustframework_key_sets" "custom" {
  name_regex = "^B2C_1A_Partner"
}

# The key sets that a policy can't use, for they have no key in use.
output "unusable" {
  value = [for set in data.trustframework_key_sets.custom.key_sets : set.id if !anytrue(set.keys[*].active)]
}

# What was deleted and is still kept.
data "trustframework_key_sets" "backups" {
  name_regex      = "[.]bak$"
  include_backups = true
}

output "backups" {
  value = data.trustframework_key_sets.backups.key_sets[*].id
}
