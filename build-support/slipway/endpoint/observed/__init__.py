"""What happened at an endpoint: counters, events, its state."""
