"""A folder as an index, a repository for each test, and a cache for the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.archive.segment import FAST
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse


@pytest.fixture(autouse=True)
def fast_compression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress environments at the lower level: nothing here depends on an archive's size, and the
    processes that tests start compress as users do."""
    monkeypatch.setattr("slipway.environment.assemble.THOROUGH", FAST)


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheelhouse:
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return Wheelhouse(folder)


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a cache that all tests share, so that the local channel is built once."""
    folder = tmp_path_factory.mktemp("slipway-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_CACHE", str(folder))
        yield folder


@pytest.fixture
def settings(tmp_path: Path, session_cache: Path) -> Settings:
    """Return a repository without channels, which uses the machine's CPython."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").write_text("")
    # packages as files, so that tests can name them; tests/environment/zipped is about the zip
    return Settings(root=root, zip_packages=False)


@pytest.fixture
def requirements(settings: Settings) -> Callable[..., Path]:
    """Return a function that writes a model's ``requirements.txt`` and returns its path."""

    def write(*lines: str, model: str = "model") -> Path:
        folder = settings.root / "models" / model
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "requirements.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write
