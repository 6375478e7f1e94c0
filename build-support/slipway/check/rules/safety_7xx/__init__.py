"""Rules SW701 to SW799: safety and size."""
