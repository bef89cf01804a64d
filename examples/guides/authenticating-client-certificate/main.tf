terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# The file's password comes from ARM_CLIENT_CERTIFICATE_PASSWORD.
provider "trustframework" {
  tenant_id               = "contoso.onmicrosoft.com"
  client_id               = "11111111-2222-3333-4444-555555555555"
  client_certificate_path = "/run/secrets/terraform.pfx"
}
