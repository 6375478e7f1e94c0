"""SW72x: an artifact against the endpoint's limits."""
