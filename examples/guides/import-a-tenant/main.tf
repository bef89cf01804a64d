terraform {
  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

data "trustframework_key_sets" "all" {}

locals {
  # A name for each resource, made of the key set's ID; of two that come out the same, one gets a number.
  names = [
    for set in data.trustframework_key_sets.all.key_sets :
    replace(replace(lower(trimprefix(set.id, "B2C_1A_")), "/[^a-z0-9_]/", "_"), "/^([0-9])/", "_$1")
  ]
  sets = {
    for i, set in data.trustframework_key_sets.all.key_sets :
    index(local.names, local.names[i]) == i ? local.names[i] : "${local.names[i]}_set${i}" => set
  }
}

output "import_blocks" {
  value = join("\n", flatten([
    for name, set in local.sets : concat(
      [<<-EOT
        import {
          to = trustframework_key_set.${name}
          id = "${set.id}"
        }
      EOT
      ],
      # Keys with a certificate were uploaded, and whether they have a private key doesn't show. Uploaded secrets can't
      # be told from generated ones.
      [for i, key in set.keys : <<-EOT
        import {
          to = trustframework_generated_key.${name}_${i}
          id = "${set.id}/${key.kid}"
        }
      EOT
        if key.certificate == null
      ]
    )
  ]))
}
