# Issuer and subject are those that the service connection shows.
cat >credential.json <<'JSON'
{
  "name": "azure-devops",
  "issuer": "ISSUER",
  "subject": "SUBJECT",
  "audiences": ["api://AzureADTokenExchange"]
}
JSON
az ad app federated-credential create --id "$app" --parameters credential.json
