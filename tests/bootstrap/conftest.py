"""A bare machine for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bootstrap import machine
from tests.bootstrap.machine import Machine


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """Return a machine with ``python3`` and a package index, and no more."""
    return machine.create(tmp_path)


@pytest.fixture
def with_uv(bare: Machine) -> Machine:
    """Return a bare machine where an earlier start installed uv."""
    bare.install_uv()
    return bare
