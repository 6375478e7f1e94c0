"""Releases: artifacts under immutable keys, and the catalog that says which one is served."""

from slipway.release.publish import Release, publish
from slipway.release.store import Store, open_store

__all__ = ["Release", "Store", "open_store", "publish"]
