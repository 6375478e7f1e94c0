"""Reproducible ``tar.gz`` files: written in segments, read with limits."""
