"""From a folder of model code and weights to a release on a multi-model endpoint."""

__version__ = "0.1.0"
