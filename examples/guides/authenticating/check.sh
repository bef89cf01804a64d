TF_LOG_PROVIDER=INFO terraform plan 2>&1 | grep 'Signing in'
