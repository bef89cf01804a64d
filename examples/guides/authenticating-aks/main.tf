terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# tenant_id and client_id come from the pod's service account.
provider "trustframework" {
  use_aks_workload_identity = true
}
