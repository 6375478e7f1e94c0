"""Commands that a CI pipeline runs."""
