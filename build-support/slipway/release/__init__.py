"""Releases: artifacts under immutable keys, and the catalog that says which one is served."""

from slipway.release.publish import Release, publish
from slipway.release.store import Reader, Stat, Store, open_reader, open_store

__all__ = ["Reader", "Release", "Stat", "Store", "open_reader", "open_store", "publish"]
