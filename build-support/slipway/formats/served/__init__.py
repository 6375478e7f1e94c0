"""Answers of what will be served: one module a backend, run in a conversion environment."""
