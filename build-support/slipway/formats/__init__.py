"""Bring in the file that a training wrote: recognise it, convert it, prove its answers equal."""
