"""SW1xx: where files lie, and what they are called."""
