# One stack of Slipway, from the templates that `slipway infra` deploys.
locals {
  text = file("${path.module}/../${var.template}.yaml")
  # `slipway infra` writes the code of functions into the template; so does this
  code = var.template == "warm" ? "warm" : "airflow_api"
  body = replace(
    local.text,
    "ZipFile: lambda/${local.code}.py",
    "ZipFile: ${jsonencode(file("${path.module}/../lambda/${local.code}.py"))}",
  )
  # CloudFormation takes 51,200 bytes in a request, and longer templates from S3 alone
  is_long = length(local.body) > 50000
  # data and keys, by their names in the templates
  kept = {
    account         = ["GitLab"]
    environment     = ["Key", "ReleaseBucket", "ReleaseBucketPolicy"]
    training        = ["Key", "TrainingBucket", "TrainingBucketPolicy", "Images"]
    multi_container = []
    warm            = []
  }[var.template]
}

resource "aws_s3_object" "template" {
  count   = local.is_long ? 1 : 0
  bucket  = var.template_bucket
  key     = "cloudformation/${var.name}-${sha256(local.body)}.yaml"
  content = local.body

  lifecycle {
    precondition {
      condition     = var.template_bucket != null
      error_message = "${var.template}.yaml is too long for a request: set template_bucket to a bucket of yours."
    }
  }
}

resource "aws_cloudformation_stack" "this" {
  name          = var.name
  template_body = local.is_long ? null : local.body
  template_url  = local.is_long ? "https://${var.template_bucket}.s3.${var.region}.amazonaws.com/${aws_s3_object.template[0].key}" : null
  parameters    = var.parameters
  tags          = var.tags
  # roles have names, so that policies can refer to them
  capabilities = ["CAPABILITY_NAMED_IAM"]
  on_failure   = "ROLLBACK"
  # refuses an update that would replace or delete what cannot be made again
  policy_body = var.protect && length(local.kept) > 0 ? jsonencode({
    Statement = [
      { Effect = "Allow", Action = "Update:*", Principal = "*", Resource = "*" },
      {
        Effect    = "Deny"
        Action    = ["Update:Replace", "Update:Delete"]
        Principal = "*"
        Resource  = [for name in local.kept : "LogicalResourceId/${name}"]
      },
    ]
  }) : null
  # MWAA takes half an hour, a rolling update of an endpoint up to four
  timeout_in_minutes = 300
}
