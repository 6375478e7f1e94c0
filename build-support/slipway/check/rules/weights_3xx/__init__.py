"""Rules SW301 to SW399: weights."""
