terraform {
  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

output "exp" {
  value = provider::trustframework::numeric_date("2029-01-01T00:00:00Z") # 1861920000
}
