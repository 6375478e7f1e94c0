"""Commands that make, check and test models."""
