# In the tenant of the subscription, where the cluster is.
az login --tenant SUBSCRIPTION_TENANT
issuer=$(az aks show --resource-group GROUP --name CLUSTER --query oidcIssuerProfile.issuerUrl --output tsv)

# In the B2C tenant, where the application is.
az login --tenant contoso.onmicrosoft.com --allow-no-subscriptions
cat >credential.json <<JSON
{
  "name": "aks-terraform",
  "issuer": "$issuer",
  "subject": "system:serviceaccount:terraform:policy-keys",
  "audiences": ["api://AzureADTokenExchange"]
}
JSON
az ad app federated-credential create --id "$app" --parameters credential.json
