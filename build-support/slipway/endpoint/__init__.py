"""SageMaker's multi-model endpoint on loopback, in front of the real Triton server."""
