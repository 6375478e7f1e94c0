"""The page on which a release is tried: what it asks of the endpoint, as JSON."""
