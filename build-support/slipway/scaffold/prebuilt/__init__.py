"""Create model folders from models that packages on the index hold; no code of theirs is run."""
