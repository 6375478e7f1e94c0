"""Release stores: keys that are created once, and records that are replaced by compare-and-swap."""
