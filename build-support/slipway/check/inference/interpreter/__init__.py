"""The interpreter: a part of Python, or of Triton, in each module, which builds on others."""
