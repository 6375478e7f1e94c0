# An account with staging, production, training for the protected branch, and models kept loaded:
# terraform init && terraform plan
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "Region of everything"
  type        = string
  default     = "eu-central-1"
}

variable "template_bucket" {
  description = "A bucket of yours, in that region, for templates"
  type        = string
}

variable "gitlab_project" {
  description = "group/project whose pipelines may take the roles"
  type        = string
}

variable "triton_image" {
  description = "AWS's image of the release in slipway.toml for the region: ci/infra/tritonserver.json"
  type        = string
}

module "account" {
  source   = "../"
  template = "account"
  name     = "slipway-account"
  region   = var.region
}

module "staging" {
  source          = "../"
  template        = "environment"
  name            = "slipway-staging"
  region          = var.region
  template_bucket = var.template_bucket
  parameters = {
    Stage          = "staging"
    GitLabProject  = var.gitlab_project
    TritonImage    = var.triton_image
    UpdateStrategy = "blue-green"
    MinInstances   = 1
    MaxInstances   = 2
  }
  depends_on = [module.account]
}

module "production" {
  source          = "../"
  template        = "environment"
  name            = "slipway-production"
  region          = var.region
  template_bucket = var.template_bucket
  parameters = {
    Stage         = "production"
    GitLabProject = var.gitlab_project
    TritonImage   = var.triton_image
  }
  depends_on = [module.account]
}

module "training" {
  source          = "../"
  template        = "training"
  name            = "slipway-production-training"
  region          = var.region
  template_bucket = var.template_bucket
  parameters = {
    Stage            = "production"
    WebserverAccess  = "PRIVATE_ONLY"
    LogRetentionDays = 90
  }
  depends_on = [module.production]
}

module "warm" {
  source   = "../"
  template = "warm"
  name     = "slipway-production-warm"
  region   = var.region
  parameters = {
    Stage  = "production"
    Models = "screen_detection"
  }
  depends_on = [module.production]
}

output "gitlab_variables" {
  description = "Enter these in Settings, CI/CD, Variables"
  value       = module.training.variables
}
