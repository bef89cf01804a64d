for phase in plan apply; do
  cat >credential.json <<JSON
{
  "name": "hcp-terraform-$phase",
  "issuer": "https://app.terraform.io",
  "subject": "organization:contoso:project:b2c:workspace:policy-keys:run_phase:$phase",
  "audiences": ["api://AzureADTokenExchange"]
}
JSON
  az ad app federated-credential create --id "$app" --parameters credential.json
done
