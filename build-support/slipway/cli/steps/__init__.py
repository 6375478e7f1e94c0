"""Single build steps, which Pants runs."""
