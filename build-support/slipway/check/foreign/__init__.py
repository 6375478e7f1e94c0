"""Foreign repositories: Triton models outside of a Slipway checkout, found where they lie."""
