"""Packages of the repository that models name by path: found, hashed, and built to wheels."""
