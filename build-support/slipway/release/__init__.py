"""Releases: artifacts under immutable keys, and the catalog that says which one is served."""
