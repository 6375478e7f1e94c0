"""Train in SageMaker's training and processing jobs."""
