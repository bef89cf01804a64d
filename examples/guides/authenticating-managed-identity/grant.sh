# In the identity's own tenant. The object ID is that of its service principal.
graph=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id --output tsv)
az rest --method POST \
  --url "https://graph.microsoft.com/v1.0/servicePrincipals/OBJECT_ID/appRoleAssignments" \
  --headers Content-Type=application/json \
  --body "{\"principalId\": \"OBJECT_ID\", \"resourceId\": \"$graph\", \"appRoleId\": \"4a771c9a-1cf2-4609-b88e-3d3e02d539cd\"}"
