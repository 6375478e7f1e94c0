"""What the report shows, as values for its templates."""
