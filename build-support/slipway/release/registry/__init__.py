"""Register releases as model packages of SageMaker, where a group is configured."""
