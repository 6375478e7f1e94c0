"""SW50x: Python models."""
