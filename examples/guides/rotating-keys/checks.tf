terraform {
  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# Another time than that of the plan, to try the checks with.
variable "now" {
  type    = string
  default = null
}

# Not inside the check blocks: there Terraform would count the read as something to
# do, which plan -detailed-exitcode tells scripts.
data "trustframework_key_sets" "all" {}

locals {
  now = coalesce(var.now, plantimestamp())

  # A signing key is made 31 days before the one before it expires, by the default
  # overlap and delay. Where 21 are left, Terraform hasn't run for ten days.
  soon = timeadd(local.now, "${21 * 24}h")

  # Of the keys without nbf only the one that was made last is ever used: a safety net,
  # if it has no dates at all, or the newest secret of an identity provider.
  last = { for set in data.trustframework_key_sets.all.key_sets : set.id => reverse(concat([""], [
    for key in set.keys : key.kid if key.status != "disabled" && key.activates_at == null
  ]))[0] }

  # When the last of a key set's keys expires. One without dates doesn't count.
  expiries = { for set in data.trustframework_key_sets.all.key_sets : set.id => sort([
    for key in set.keys : coalesce(key.expires_at, "9999-12-31T23:59:59Z")
    if key.status != "disabled" && (key.activates_at != null || key.expires_at != null && key.kid == local.last[set.id])
  ]) }
  ending = { for id, expiries in local.expiries : id => reverse(expiries)[0] if length(expiries) > 0 && try(timecmp(reverse(expiries)[0], local.soon) <= 0, false) }

  certificates = flatten([for set in data.trustframework_key_sets.all.key_sets : [
    for key in set.keys : "${set.id}, key ${key.kid}: ${key.certificate.not_after}" if key.active && try(timecmp(key.certificate.not_after, local.soon) <= 0, false)
  ]])

  unusable = [for set in data.trustframework_key_sets.all.key_sets : set.id if !anytrue(set.keys[*].active)]
}

check "keys" {
  assert {
    condition     = length(local.ending) == 0
    error_message = join("\n", concat(["No key follows the last one of these key sets. It expires, or has expired:"], [for id, at in local.ending : "${id}: ${at}"]))
  }

  assert {
    condition     = length(local.unusable) == 0
    error_message = "Policies can't use these key sets, for they have no key in use: ${join(", ", local.unusable)}."
  }
}

check "certificates" {
  assert {
    condition     = length(local.certificates) == 0
    error_message = join("\n", concat(["These certificates in use expire, or have expired:"], local.certificates))
  }
}
