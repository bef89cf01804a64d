terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# The client secret comes from ARM_CLIENT_SECRET.
provider "trustframework" {
  environment = "china"
  tenant_id   = "contoso.partner.onmschina.cn"
  client_id   = "11111111-2222-3333-4444-555555555555"
}
