"""Notifications of a release's events."""
