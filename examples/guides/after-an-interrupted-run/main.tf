terraform {
  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

locals {
  # With the prefix, as the service spells them.
  key_sets = toset(["B2C_1A_TokenSigningKeyContainer", "B2C_1A_TokenEncryptionKeyContainer"])

  keys = {
    signing = {
      key_set = "B2C_1A_TokenSigningKeyContainer"
      use     = "sig"
      exp     = provider::trustframework::numeric_date("2029-01-01T00:00:00Z")
    }
    next = {
      key_set = "B2C_1A_TokenSigningKeyContainer"
      use     = "sig"
      nbf     = provider::trustframework::numeric_date("2028-12-01T00:00:00Z")
      exp     = provider::trustframework::numeric_date("2030-01-01T00:00:00Z")
    }
    encryption = {
      key_set = "B2C_1A_TokenEncryptionKeyContainer"
      use     = "enc"
    }
  }

  # The keys in these sets that no resource shall own, such as a predecessor that
  # was kept: "<key_set_id>/<kid>".
  other_keys = []
}

resource "trustframework_key_set" "all" {
  for_each = local.key_sets
  name     = each.key
}

resource "trustframework_generated_key" "all" {
  for_each   = local.keys
  key_set_id = trustframework_key_set.all[each.value.key_set].id
  use        = each.value.use
  kty        = "RSA"
  nbf        = try(each.value.nbf, null)
  exp        = try(each.value.exp, null)
}

# Not inside the check block: there Terraform would count the read as something to
# do, which plan -detailed-exitcode tells scripts.
data "trustframework_key_sets" "found" {
  name_regex = "^(${join("|", local.key_sets)})$"
}

locals {
  found_key_sets = data.trustframework_key_sets.found.key_sets[*].id
  found_keys = merge({}, [
    for set in data.trustframework_key_sets.found.key_sets : { for key in set.keys : "${set.id}/${key.kid}" => key }
  ]...)

  ownerless_key_sets = setsubtract(local.found_key_sets, [for set in trustframework_key_set.all : set.id])
  ownerless_keys     = setsubtract(keys(local.found_keys), concat([for key in trustframework_generated_key.all : key.id], local.other_keys))
}

check "leftovers" {
  assert {
    condition = length(local.ownerless_key_sets) == 0
    error_message = join("\n", concat(["No resource owns these key sets. To own one:"], [
      for id in local.ownerless_key_sets : "terraform import 'trustframework_key_set.all[\"${id}\"]' '${id}'"
    ]))
  }

  assert {
    condition = length(local.ownerless_keys) == 0
    error_message = join("\n", concat(["No resource owns these keys. To own one:"], [
      for id in local.ownerless_keys : format("terraform import 'trustframework_generated_key.all[\"<key>\"]' '%s' # nbf %s, exp %s",
      id, coalesce(local.found_keys[id].activates_at, "none"), coalesce(local.found_keys[id].expires_at, "none"))
    ]))
  }
}
