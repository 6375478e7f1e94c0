"""What every test has: a cache of its own, and no network but this machine's."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    from pytest_socket import socket_allow_hosts

    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def slipway_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that starts empty and is this test's alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SLIPWAY_CACHE", str(folder))
    return folder
