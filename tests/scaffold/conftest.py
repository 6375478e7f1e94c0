"""Provide a repository for new models, a running server, and an environment without an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from slipway import settings as loading
from slipway.environment import ExecutionEnvironment
from slipway.server import triton
from slipway.server.server import Server
from slipway.settings import Settings
from tests.scaffold import serving

TOML = Path(__file__).parents[1] / "check" / "fixtures" / "good" / "slipway.toml"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a repository under DVC, without models."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").write_text(TOML.read_text())
    Repo.init(str(root), no_scm=True).close()
    return loading.load(root)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> ExecutionEnvironment:
    """Return an environment of this interpreter's numpy and Pillow."""
    return serving.environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server that the session shares."""
    with triton.start(Settings(root=tmp_path_factory.mktemp("server"))) as running:
        yield running
