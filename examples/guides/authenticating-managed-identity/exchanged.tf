terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# The application in the managed identity's tenant, signed in to the B2C tenant.
provider "trustframework" {
  tenant_id            = "contoso.onmicrosoft.com"
  client_id            = "11111111-2222-3333-4444-555555555555"
  use_oidc             = true
  oidc_token_file_path = "/run/terraform/managed-identity.jwt"
}
