"""Compare two releases over captured traffic."""
