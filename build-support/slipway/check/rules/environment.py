"""SW6xx: execution environments."""
