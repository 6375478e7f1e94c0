"""Sketches of a model's reference data, tensor by tensor."""
