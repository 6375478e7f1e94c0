"""The artifact: ``<name>_<release version>.tar.gz``, exactly as a multi-model endpoint wants it."""

from slipway.artifact.extract import extract
from slipway.artifact.manifest import Manifest
from slipway.artifact.pack import Packed, pack

__all__ = ["Manifest", "Packed", "extract", "pack"]
