"""Files of networks that their own frameworks wrote (``fixtures/make_*.py``), and a conversion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.formats.conversion import Conversion
from slipway.formats.convert import convert
from slipway.formats.format import Options

FILES = Path(__file__).parents[1] / "fixtures" / "networks"


@pytest.fixture
def files() -> Path:
    return FILES


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Conversion]:
    """Return a function that converts a fixture for Triton 25.04, with settings."""

    def go(
        name: str | Path, backend: str = "", code: str | None = None, **settings: str
    ) -> Conversion:
        options = Options(backend, "25.04", FILES / code if code else None, settings)
        return convert(FILES / name, tmp_path / "out", options)

    return go
