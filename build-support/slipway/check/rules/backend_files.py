"""SW32x: the file that each backend expects at its place."""
