"""Rules SW601 to SW699: execution environments."""
