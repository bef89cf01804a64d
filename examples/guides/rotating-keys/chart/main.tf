terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

module "gantt" {
  source     = "./key-set-gantt" # a copy of examples/modules/key-set-gantt
  for_each   = toset(["TokenSigningKeyContainer", "TokenEncryptionKeyContainer"])
  key_set_id = each.key
}

output "gantt" {
  value = join("\n", [for chart in module.gantt : chart.gantt])
}
