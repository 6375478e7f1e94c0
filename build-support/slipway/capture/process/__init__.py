"""Capture in a process of its own, for a server whose own time is dear."""
