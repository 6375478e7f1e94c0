"""Propose the next release version, with the reasons."""
