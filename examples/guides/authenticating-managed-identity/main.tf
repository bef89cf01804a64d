terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# client_id is that of a user-assigned identity; leave it out for the system-assigned one.
provider "trustframework" {
  tenant_id = "99999999-8888-7777-6666-555555555555"
  client_id = "11111111-2222-3333-4444-555555555555"
  use_msi   = true
}
