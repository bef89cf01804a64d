read -rsp 'Client secret: ' secret
az login --service-principal --username "$app" --password "$secret" \
  --tenant contoso.onmicrosoft.com --allow-no-subscriptions
