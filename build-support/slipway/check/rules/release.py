"""SW23x: backends and settings that the configured Triton release does not have."""
