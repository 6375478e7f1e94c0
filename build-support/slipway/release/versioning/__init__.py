"""The next release version, and what calls for it."""
