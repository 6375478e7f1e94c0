"""The steps of a training in a container, with the folders that SageMaker gives it."""
