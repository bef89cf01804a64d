#!/usr/bin/env bash
# Applies the plan if there is something to do, and adds a chart to the summary.
# Usage: rotate.sh SUMMARY
set -euo pipefail

terraform init -input=false

code=0
terraform plan -input=false -lock-timeout=5m -detailed-exitcode -out=rotation.tfplan || code=$?
case $code in
  0) echo 'No key is due.' | tee -a "$1" ;;
  2)
    terraform apply -input=false -lock-timeout=5m rotation.tfplan
    echo 'Applied; see the plan in the log.' >>"$1"
    ;;
  *) exit "$code" ;;
esac

# The chart reads the key sets and has no state worth keeping.
terraform -chdir=chart init -input=false
terraform -chdir=chart apply -input=false -auto-approve
terraform -chdir=chart output -raw gantt >>"$1"
