"""A model's metrics, and how they compare with production's."""
