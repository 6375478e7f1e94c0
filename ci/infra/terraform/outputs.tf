output "outputs" {
  description = "The stack's outputs, as `slipway infra outputs` shows them"
  value       = aws_cloudformation_stack.this.outputs
}

output "variables" {
  description = "Variables for GitLab, as `slipway infra outputs training --env` prints them"
  value = {
    for output, variable in {
      TrainingBucket   = "SLIPWAY_TRAINING_BUCKET"
      TrainingRoleArn  = "SLIPWAY_TRAINING_ROLE"
      TrainingImage    = "SLIPWAY_TRAINING_REPOSITORY"
      TrainingKeyArn   = "SLIPWAY_TRAINING_KMS_KEY"
      TrainingTopicArn = "SLIPWAY_TRAINING_TOPIC"
      JobPrefix        = "SLIPWAY_TRAINING_JOB_PREFIX"
      PushTokenSecret  = "SLIPWAY_PUSH_TOKEN_SECRET"
      Airflow          = "SLIPWAY_TRAINING_AIRFLOW"
    } : variable => aws_cloudformation_stack.this.outputs[output]
    if contains(keys(aws_cloudformation_stack.this.outputs), output)
  }
}
