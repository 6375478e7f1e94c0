"""SW70x: what runs code at load time, and links that lead out."""
