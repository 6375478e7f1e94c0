"""Conversions of the forests in ``fixtures/forests``, each in the environment of its library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.formats.conversion import Conversion
from slipway.formats.convert import convert
from slipway.formats.format import Options

FORESTS = Path(__file__).parents[1] / "fixtures" / "forests"

type Run = Callable[..., Conversion]


@pytest.fixture
def forests() -> Path:
    return FORESTS


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that converts a file of ``fixtures/forests``, or another one."""
    numbers = iter(range(10))

    def go(file: str | Path, backend: str = "", triton: str = "25.04", **set_: str) -> Conversion:
        options = Options(backend, triton, settings=set_)
        return convert(FORESTS / file, tmp_path / f"out{next(numbers)}", options)

    return go
