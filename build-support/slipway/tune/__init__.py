"""Tune a model's configs by measured search: candidates, measurements, the frontier, a choice."""
