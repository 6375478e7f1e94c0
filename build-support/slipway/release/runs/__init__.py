"""Runs of many releases, which are continued after an interruption."""
