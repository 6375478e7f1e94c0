"""Parts that the Python-based backends share, run by Triton's Python stub."""
