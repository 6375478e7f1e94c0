"""Run stages of dvc.yaml in an environment of their own."""
