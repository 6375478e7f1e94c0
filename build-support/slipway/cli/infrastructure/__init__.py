"""Commands that set up AWS."""
