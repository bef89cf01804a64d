#!/usr/bin/env bash
# Plans, and fails if a check doesn't hold, or if that can't be found out.
set -euo pipefail

terraform init -input=false
terraform plan -input=false -out=checks.tfplan
terraform show -json checks.tfplan >checks.json
if grep -Eq '"status":"(fail|error|unknown)"' checks.json; then
  echo 'A check does not hold; see its warning above.' >&2
  exit 1
fi
