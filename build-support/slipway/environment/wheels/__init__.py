"""Wheels that Slipway builds from sources: isolated, offline, and equal on every machine."""
