terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

# HCP Terraform gives this variable its value.
variable "tfc_azure_dynamic_credentials" {
  description = "Object containing Azure dynamic credentials configuration"
  type = object({
    default = object({
      client_id_file_path  = string
      oidc_token_file_path = string
    })
    aliases = map(object({
      client_id_file_path  = string
      oidc_token_file_path = string
    }))
  })
}

provider "trustframework" {
  tenant_id            = "contoso.onmicrosoft.com"
  use_oidc             = true
  client_id_file_path  = var.tfc_azure_dynamic_credentials.default.client_id_file_path
  oidc_token_file_path = var.tfc_azure_dynamic_credentials.default.oidc_token_file_path
}

provider "trustframework" {
  alias                = "test"
  tenant_id            = "contosotest.onmicrosoft.com"
  use_oidc             = true
  client_id_file_path  = var.tfc_azure_dynamic_credentials.aliases["TEST"].client_id_file_path
  oidc_token_file_path = var.tfc_azure_dynamic_credentials.aliases["TEST"].oidc_token_file_path
}
