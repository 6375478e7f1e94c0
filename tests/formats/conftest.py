"""A format that an installed package brings, and its file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.formats import registry

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the package ``slipway-means``: a folder on the path, as pip leaves one."""
    monkeypatch.syspath_prepend(str(FIXTURES / "outside"))
    _forget()
    yield
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.startswith("slipway_means")]:
        del sys.modules[name]
    _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    registry.formats.cache_clear()
    registry._places.cache_clear()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "weights.means"
    file.write_text("means 1\n1 2 3\n")
    return file
