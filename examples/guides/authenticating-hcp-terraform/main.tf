terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# All else comes from HCP Terraform: no client_id, use_oidc or oidc_token here.
provider "trustframework" {
  tenant_id = "contoso.onmicrosoft.com"
}
