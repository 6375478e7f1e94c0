"""A page about a check for drift."""
