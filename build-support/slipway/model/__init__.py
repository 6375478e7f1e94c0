"""A folder of ``models/``: its parts, weights, thresholds and interface."""
