terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# use_cli is true if it isn't set.
provider "trustframework" {
  tenant_id = "contoso.onmicrosoft.com"
}
