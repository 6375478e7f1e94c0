"""Infrastructure as code: CloudFormation stacks from ``ci/infra/``, planned before they change."""
