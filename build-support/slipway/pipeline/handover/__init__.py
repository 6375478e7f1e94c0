"""Weights that a research repository hands over."""
