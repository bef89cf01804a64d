# In the B2C tenant itself, which has no subscription.
az login --tenant contoso.onmicrosoft.com --allow-no-subscriptions

app=$(az ad app create --display-name "Terraform" --sign-in-audience AzureADMyOrg --query appId --output tsv)
az ad sp create --id "$app"

# TrustFrameworkKeySet.ReadWrite.All of Microsoft Graph. For an application that
# only plans: TrustFrameworkKeySet.Read.All, fff194f1-7dce-4428-8301-1badb5518201.
az ad app permission add --id "$app" \
  --api 00000003-0000-0000-c000-000000000000 \
  --api-permissions 4a771c9a-1cf2-4609-b88e-3d3e02d539cd=Role
az ad app permission admin-consent --id "$app"

echo "client_id: $app"
echo "tenant_id: $(az account show --query tenantId --output tsv)"
