"""Whether what comes in still resembles the reference."""
