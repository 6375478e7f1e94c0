"""Train a model: the same stages on this machine, in SageMaker's jobs and as tasks of Airflow."""
