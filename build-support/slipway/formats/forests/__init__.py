"""Files of forests: what they say of themselves, and how FIL or a Python model serves them."""
