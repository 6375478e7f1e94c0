"""One running server for the tests that do not mind sharing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.server import triton
from slipway.server.server import Server
from slipway.settings import Settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A repository of its own."""
    return Settings(root=tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[Server]:
    """A server, shared by the session."""
    with triton.start(settings) as running:
        yield running


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """A log of one test."""
    return tmp_path / "triton.log"
