"""The real Triton inference server, run as a SageMaker multi-model endpoint runs it."""
