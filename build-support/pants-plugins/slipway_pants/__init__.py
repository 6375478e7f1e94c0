"""Pants' side of Slipway: what to run, in which order, and what a change affects."""
