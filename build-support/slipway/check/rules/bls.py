"""SW54x: models that call other models (BLS)."""
