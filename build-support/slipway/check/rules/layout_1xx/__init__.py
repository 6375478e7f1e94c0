"""Rules SW101 to SW199: layout, names and versions."""
