"""A SageMaker endpoint of several containers, direct or serial, on this machine."""
