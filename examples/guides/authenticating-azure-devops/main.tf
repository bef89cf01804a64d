terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# Where to ask for an ID token, and with what, comes from the pipeline.
provider "trustframework" {
  tenant_id = "contoso.onmicrosoft.com"
  client_id = "11111111-2222-3333-4444-555555555555"
  use_oidc  = true

  ado_pipeline_service_connection_id = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
}
