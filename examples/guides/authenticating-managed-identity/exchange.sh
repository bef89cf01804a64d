# 1. In the identity's tenant: an application that other tenants can take in, and
#    that trusts the user-assigned identity with this object (principal) ID.
az login --tenant HOME_TENANT
app=$(az ad app create --display-name "Terraform" --sign-in-audience AzureADMultipleOrgs --query appId --output tsv)
cat >credential.json <<'JSON'
{
  "name": "managed-identity",
  "issuer": "https://login.microsoftonline.com/HOME_TENANT_ID/v2.0",
  "subject": "PRINCIPAL_ID",
  "audiences": ["api://AzureADTokenExchange"]
}
JSON
az ad app federated-credential create --id "$app" --parameters credential.json

# 2. In the B2C tenant: take the application in, and give it the permission.
az login --tenant contoso.onmicrosoft.com --allow-no-subscriptions
object=$(az ad sp create --id "$app" --query id --output tsv)
graph=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id --output tsv)
az rest --method POST \
  --url "https://graph.microsoft.com/v1.0/servicePrincipals/$object/appRoleAssignments" \
  --headers Content-Type=application/json \
  --body "{\"principalId\": \"$object\", \"resourceId\": \"$graph\", \"appRoleId\": \"4a771c9a-1cf2-4609-b88e-3d3e02d539cd\"}"

# 3. On the machine: the identity's token for the exchange, into the file.
umask 077
mkdir -p /run/terraform
curl -sf -H Metadata:true \
  "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2FAzureADTokenExchange&client_id=IDENTITY_CLIENT_ID" |
  jq -r .access_token >/run/terraform/managed-identity.jwt
