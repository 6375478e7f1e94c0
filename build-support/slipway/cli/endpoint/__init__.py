"""Commands that serve an endpoint, call it, and measure it."""
