"""A SageMaker container of one model as a process of this machine: its contract, without Docker."""
