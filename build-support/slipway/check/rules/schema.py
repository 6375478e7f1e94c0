"""SW20x: a config against Triton's own schema."""
