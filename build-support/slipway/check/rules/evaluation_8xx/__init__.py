"""Rules SW801 to SW899: evaluation."""
