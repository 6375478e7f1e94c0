"""IAM's policies, evaluated as AWS documents it."""
