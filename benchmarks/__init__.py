"""What Slipway is measured by: each benchmark against the recipe that people follow today."""
