"""SW30x: a config against the signature of its weights."""
