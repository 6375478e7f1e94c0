"""What the code of a Python model computes, found by interpreting it over abstract values."""
