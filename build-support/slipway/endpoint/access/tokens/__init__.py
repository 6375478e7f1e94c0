"""Tokens of an endpoint: JSON Web Tokens that Slipway issues and verifies."""
