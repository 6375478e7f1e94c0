"""Read a model's metrics, and compare them with production's."""
