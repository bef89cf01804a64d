umask 077
openssl req -x509 -newkey rsa:3072 -sha256 -days 365 -noenc -subj "/CN=Terraform" \
  -keyout key.pem -out certificate.pem
read -rsp 'Password: ' ARM_CLIENT_CERTIFICATE_PASSWORD && export ARM_CLIENT_CERTIFICATE_PASSWORD
openssl pkcs12 -export -inkey key.pem -in certificate.pem -out terraform.pfx \
  -passout env:ARM_CLIENT_CERTIFICATE_PASSWORD
rm key.pem

# Only the certificate goes to Entra ID, not its key.
az ad app credential reset --id "$app" --cert @certificate.pem --append
