"""A location of each kind, and the key of hashes in a folder of the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.capture.location import CaptureLocation
from tests.store.readable_stores import aws, moto, release_bucket, seaweed, seaweed_release_bucket

__all__ = ["aws", "moto", "release_bucket", "seaweed", "seaweed_release_bucket"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's folders of configuration and caches, and no key in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SLIPWAY_CAPTURE_KEY", raising=False)


@pytest.fixture
def location(tmp_path: Path) -> CaptureLocation:
    """A folder that does not exist yet."""
    return CaptureLocation(folder=tmp_path / "captured")
