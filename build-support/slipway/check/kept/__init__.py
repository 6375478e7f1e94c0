"""Keep what a check of a checkout's models said, and say it again where nothing changed.

A kept outcome holds while all that a check may read is as it was: the model's folder, what all
models share, the environments built from its lock, and what it asked of the other models.
"""
