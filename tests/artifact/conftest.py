"""A small model folder and an environment, for every test here."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.environment import ExecutionEnvironment
from tests.artifact.samples import write_environment, write_model


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_model(tmp_path / "checkout")


@pytest.fixture
def environment(tmp_path: Path) -> ExecutionEnvironment:
    return write_environment(tmp_path / "environment")
