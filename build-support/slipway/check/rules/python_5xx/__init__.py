"""Rules SW501 to SW599: Python models."""
