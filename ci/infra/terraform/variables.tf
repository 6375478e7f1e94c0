variable "template" {
  description = "Which template: account, environment, training, multi_container or warm"
  type        = string
  validation {
    condition     = contains(["account", "environment", "training", "multi_container", "warm"], var.template)
    error_message = "There is no such template in ci/infra."
  }
}

variable "name" {
  description = "Name of the stack, as in ci/infra/NAME.toml: slipway-production, slipway-production-training"
  type        = string
}

variable "region" {
  description = "Region of the stack and of template_bucket"
  type        = string
}

variable "template_bucket" {
  description = "A bucket of yours for templates that are too long for a request: environment and training"
  type        = string
  default     = null
}

variable "parameters" {
  description = "Parameters of the template; lists as texts with commas. The template explains each of them"
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of the stack and all its resources"
  type        = map(string)
  default     = { project = "slipway" }
}

variable "protect" {
  description = "Whether updates are refused that replace or delete what cannot be made again"
  type        = bool
  default     = true
}
