"""The endpoints as code: CloudFormation stacks from ``ci/infra/``, shown before they change anything."""
